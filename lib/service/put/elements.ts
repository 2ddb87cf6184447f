import { MKV_ID } from '../../parser/index.js';
import type { MkvCapture, MkvElementType } from '../../parser/index.js';
import { AckError } from '../errors.js';

/** The elements that are looked into; all others are passed on unread. */
const WHOLE: ReadonlySet<number> = new Set([
  MKV_ID.EBML,
  MKV_ID.DOC_TYPE,
  MKV_ID.SEGMENT,
  MKV_ID.INFO,
  MKV_ID.TIMESTAMP_SCALE,
  MKV_ID.TRACKS,
  MKV_ID.TRACK_ENTRY,
  MKV_ID.TRACK_NUMBER,
  MKV_ID.DEFAULT_DURATION,
  MKV_ID.CLUSTER,
  MKV_ID.TIMESTAMP,
  MKV_ID.BLOCK_GROUP,
  MKV_ID.BLOCK_DURATION,
  MKV_ID.TAGS,
  MKV_ID.TAG,
  MKV_ID.SIMPLE_TAG,
  MKV_ID.TAG_NAME,
]);

/** How an element is read. @internal */
export function capture({ id }: MkvElementType): MkvCapture {
  if (id === MKV_ID.SIMPLE_BLOCK || id === MKV_ID.BLOCK) return 'stream';
  return WHOLE.has(id) ? 'whole' : 'skip';
}

/** Throws `AckError` 4006 for what is not Matroska. @internal */
export function checkDocType(docType: string): void {
  if (docType === 'matroska' || docType === 'webm') return;
  throw new AckError(4006, `DocType is '${docType.slice(0, 32)}', not matroska`);
}

/** Ticks to whole ms, exactly. @internal */
export function toMs(ticks: number, scale: number): number {
  if (scale === 1_000_000) return ticks;
  return Number((BigInt(ticks) * BigInt(scale)) / 1_000_000n);
}
