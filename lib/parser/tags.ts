import { KvsError } from '../base/errors.js';
import { MKV_ID } from '../generated/elements.js';
import type { StatusName } from '../generated/status.js';
import type { MkvEvent } from './events.js';
import { readString } from './values.js';

/** Names of the tags that the service adds (guide: GetMedia). */
export const KVS_TAG = {
  FRAGMENT_NUMBER: 'AWS_KINESISVIDEO_FRAGMENT_NUMBER',
  SERVER_TIMESTAMP: 'AWS_KINESISVIDEO_SERVER_TIMESTAMP',
  PRODUCER_TIMESTAMP: 'AWS_KINESISVIDEO_PRODUCER_TIMESTAMP',
  MILLIS_BEHIND_NOW: 'AWS_KINESISVIDEO_MILLIS_BEHIND_NOW',
  CONTINUATION_TOKEN: 'AWS_KINESISVIDEO_CONTINUATION_TOKEN',
  ERROR_CODE: 'AWS_KINESISVIDEO_ERROR_CODE',
  ERROR_ID: 'AWS_KINESISVIDEO_ERROR_ID',
  /** The two times as GetMediaForFragmentList names them. */
  SERVER_SIDE_TIMESTAMP: 'AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP',
  PRODUCER_SIDE_TIMESTAMP: 'AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP',
  /** In place of a fragment that GetMediaForFragmentList cannot give. */
  EXCEPTION_ERROR_CODE: 'AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE',
  EXCEPTION_MESSAGE: 'AWS_KINESISVIDEO_EXCEPTION_MESSAGE',
  END_OF_FRAGMENT: 'AWS_KINESISVIDEO_END_OF_FRAGMENT',
} as const;

/** All of the service's own tag names begin so; users' names must not. */
export const KVS_TAG_PREFIX = 'AWS_KINESISVIDEO_';

/** A Matroska SimpleTag with text. */
export interface MkvTag {
  readonly name: string;
  readonly value: string;
}

/** Collects the SimpleTags of a Tags master from the reader's events. @internal */
export class TagCollector {
  #batch: MkvTag[] = [];
  #open: { name: string; value: string | undefined }[] = [];

  /** The tags of a Tags master when `event` ends one, else undefined. */
  visit(event: MkvEvent): readonly MkvTag[] | undefined {
    if (event.kind === 'masterStart') {
      if (event.id === MKV_ID.TAGS) this.#batch = [];
      if (event.id === MKV_ID.SIMPLE_TAG) this.#open.push({ name: '', value: undefined });
      return undefined;
    }
    if (event.kind === 'element') {
      const tag = this.#open.at(-1);
      if (tag !== undefined && event.id === MKV_ID.TAG_NAME) tag.name = readString(event.data);
      if (tag !== undefined && event.id === MKV_ID.TAG_STRING) tag.value = readString(event.data);
      return undefined;
    }
    if (event.kind !== 'masterEnd') return undefined;
    if (event.id === MKV_ID.SIMPLE_TAG) {
      const tag = this.#open.pop();
      if (tag?.value !== undefined) this.#batch.push({ name: tag.name, value: tag.value });
    }
    return event.id === MKV_ID.TAGS ? this.#batch : undefined;
  }
}

/** An error that the service reports inside the media; GetMedia ends after it. */
export interface InBandError {
  /** 3002 writing, 4000 fragment not found, 4500 to 4506 the stream's KMS key, 5000 internal. */
  readonly id: number | undefined;
  /** The service's words for it. */
  readonly code: string | undefined;
  /** The fragment that GetMediaForFragmentList could not give. */
  readonly fragmentNumber: string | undefined;
}

/** The error that a Tags master reports, if it does. @internal */
export function findInBandError(tags: readonly MkvTag[]): InBandError | undefined {
  const find = (name: string): string | undefined => tags.find((tag) => tag.name === name)?.value;
  const id = find(KVS_TAG.ERROR_ID) ?? find(KVS_TAG.EXCEPTION_ERROR_CODE);
  const code = find(KVS_TAG.ERROR_CODE) ?? find(KVS_TAG.EXCEPTION_MESSAGE);
  if (id === undefined && code === undefined) return undefined;
  const fragmentNumber = find(KVS_TAG.FRAGMENT_NUMBER);
  return { id: id === undefined ? undefined : parseNumber(id), code, fragmentNumber };
}

const STATUS_OF_ERROR: ReadonlyMap<number, StatusName> = new Map<number, StatusName>([
  [3002, 'STATUS_ACK_ERR_STREAM_READ_ERROR'],
  [4000, 'STATUS_NOT_FOUND'],
  [4500, 'STATUS_ACK_ERR_KMS_KEY_ACCESS_DENIED'],
  [4501, 'STATUS_ACK_ERR_KMS_KEY_DISABLED'],
  [4502, 'STATUS_ACK_ERR_KMS_KEY_VALIDATION_ERROR'],
  [4503, 'STATUS_ACK_ERR_KMS_KEY_UNAVAILABLE'],
  [4504, 'STATUS_ACK_ERR_KMS_KEY_INVALID_USAGE'],
  [4505, 'STATUS_ACK_ERR_KMS_KEY_INVALID_STATE'],
  [4506, 'STATUS_ACK_ERR_KMS_KEY_NOT_FOUND'],
  [5000, 'STATUS_ACK_ERR_ACK_INTERNAL_ERROR'],
]);

/** The `KvsError` for an in-band error; internal errors (5000, 3002) are retryable. */
export function inBandKvsError(error: InBandError): KvsError {
  const status = STATUS_OF_ERROR.get(error.id ?? 0) ?? 'STATUS_ACK_ERR_UNKNOWN_ACK_ERROR';
  const what =
    error.fragmentNumber === undefined
      ? 'the service ended the media with error'
      : `the service cannot give fragment ${error.fragmentNumber}: error`;
  return new KvsError({
    status,
    message: `${what} ${error.id ?? '(no id)'}: ${error.code ?? '(no text)'}`,
    retryable: error.id === 5000 || error.id === 3002,
  });
}

/** A finite number, or undefined for text that is none. @internal */
export function parseNumber(text: string): number | undefined {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}
