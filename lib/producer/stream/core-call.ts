import { messageOf } from '../../base/values.js';
import { KvsError, statusFromCode } from '../../base/errors.js';
import type { StatusName } from '../../generated/status.js';
import type { Core } from '../session/core.js';

/** A call of a stream that the core may refuse. @internal */
export interface CoreCall {
  /** Name of the method. */
  readonly name: string;
  readonly stream: string;
  /** What it was called with; only asked where the core refuses it. */
  readonly what: string | (() => string);
  /** Answers a packed number. */
  readonly run: () => number;
}

const RULES: Readonly<Partial<Record<StatusName, string>>> = {
  STATUS_INVALID_METADATA_NAME:
    "names that begin with AWS are the service's own; choose another name",
  STATUS_MKV_INVALID_TAG_NAME_LENGTH: 'a name has 1 to 128 bytes; choose another',
  STATUS_MKV_INVALID_TAG_VALUE_LENGTH: 'a value has at most 256 bytes; shorten it',
  STATUS_MAX_FRAGMENT_METADATA_COUNT:
    'at most 10 stand before a fragment; end a persistent one with an empty value',
  STATUS_MKV_TRACK_INFO_NOT_FOUND: 'the stream has no such track. Declare each in tracks',
  STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH: 'give at most 1,048,576 bytes',
  STATUS_MKV_INVALID_ANNEXB_NALU_IN_CPD:
    'they begin with no start code (00 00 01 or 00 00 00 01); for an avcC or hvcC record leave ' +
    'ANNEXB_CPD_NALS out of nalAdaptationFlags',
  STATUS_STORE_OUT_OF_MEMORY:
    'the storage has no room for it; call again when there is, or raise it',
  STATUS_INVALID_ARG: 'give at least one event',
  STATUS_STREAM_NOT_STARTED: 'no frame was put yet; call it after the first',
  STATUS_DUPLICATE_STREAM_EVENT_TYPE:
    'such an event waits for the next fragment already; call it again when that has begun',
  STATUS_INVALID_IMAGE_PREFIX_LENGTH: 'an imagePrefix has at most 256 bytes; shorten it',
  STATUS_INVALID_IMAGE_METADATA_KEY_LENGTH: 'a name has 1 to 128 bytes; choose another',
  STATUS_INVALID_IMAGE_METADATA_VALUE_LENGTH: 'a value has at most 256 bytes; shorten it',
  STATUS_STREAM_HAS_BEEN_STOPPED: 'the stream has been stopped; start() makes it go on',
};

/** Runs a call. Throws `KvsError` with the rule that it breaks and what to do. @internal */
export function callCore(core: Core, call: CoreCall): void {
  const code = core.status(packedOf(call));
  if (code === 0) return;
  const status = statusFromCode(code);
  throw new KvsError({
    status,
    message: `${refused(call)} for ${typeof call.what === 'string' ? call.what : call.what()}: ${RULES[status] ?? 'the core refuses it'}`,
    retryable: status === 'STATUS_STORE_OUT_OF_MEMORY',
  });
}

function packedOf(call: CoreCall): number {
  try {
    return call.run();
  } catch (cause) {
    // An argument of the wrong type.
    const why = messageOf(cause);
    const message = `${refused(call)}: ${why}`;
    throw new KvsError({ status: 'STATUS_INVALID_ARG', message, cause });
  }
}

function refused({ name, stream }: CoreCall): string {
  return `${name} of stream '${stream}' is refused`;
}
