import { FragmentDamagedError, type StreamRecord } from './types.js';

/* Keys and values of the index; SPEC.md, "Index", is the same in words. */

/** First byte of a key: what kind of entry it is. @internal */
export const KIND: Readonly<
  Record<
    | 'format'
    | 'nextId'
    | 'stream'
    | 'reserved'
    | 'dataKey'
    | 'sessions'
    | 'fragment'
    | 'producer'
    | 'server'
    | 'tags'
    | 'header'
    | 'headerUse'
    | 'segment'
    | 'ordinal'
    | 'headerPlace'
    | 'generation'
    | 'lowMark'
    | 'scanned'
    | 'event',
    number
  >
> = {
  format: 0x00,
  nextId: 0x01,
  stream: 0x10,
  reserved: 0x11,
  dataKey: 0x12,
  sessions: 0x13,
  fragment: 0x20,
  producer: 0x21,
  server: 0x22,
  tags: 0x23,
  header: 0x30,
  headerUse: 0x31,
  segment: 0x40,
  generation: 0x02,
  lowMark: 0x14,
  scanned: 0x15,
  ordinal: 0x24,
  headerPlace: 0x32,
  event: 0x50,
};

const PREFIX_BYTES = 5;
/** Bytes of a fragment number. @internal */
export const NUMBER_BYTES = 20;

/** `kind, stream id`, with room for `extra` more bytes. @internal */
export function streamKey(kind: number, id: number, extra = 0): Uint8Array {
  const key = new Uint8Array(PREFIX_BYTES + extra);
  key[0] = kind;
  view(key).setUint32(1, id);
  return key;
}

/** First key behind all keys that begin with `kind, stream id`. @internal */
export function streamKeyEnd(kind: number, id: number): Uint8Array {
  return id === 0xffff_ffff ? Uint8Array.of(kind + 1) : streamKey(kind, id + 1);
}

/** `kind, stream id, fragment number`. @internal */
export function numberKey(kind: number, id: number, number: bigint): Uint8Array {
  const key = streamKey(kind, id, NUMBER_BYTES);
  writeNumber(key, PREFIX_BYTES, number);
  return key;
}

/** `kind, stream id, time, fragment number`. @internal */
export function timeKey(kind: number, id: number, time: number, number: bigint): Uint8Array {
  const key = streamKey(kind, id, 8 + NUMBER_BYTES);
  writeSafe(key, PREFIX_BYTES, time);
  writeNumber(key, PREFIX_BYTES + 8, number);
  return key;
}

/** The fragment number at the end of a key. @internal */
export function numberOfKey(key: Uint8Array): bigint {
  return readNumber(key, key.length - NUMBER_BYTES);
}

/** `kind, stream id, header id`. @internal */
export function headerKey(kind: number, id: number, headerId: Uint8Array): Uint8Array {
  const key = streamKey(kind, id, headerId.length);
  key.set(headerId, PREFIX_BYTES);
  return key;
}

/** The header id at the end of a key. @internal */
export function headerIdOfKey(key: Uint8Array): Uint8Array {
  return key.slice(PREFIX_BYTES);
}

/** `segment, stream id, segment number`. @internal */
export function segmentKey(id: number, segment: number): Uint8Array {
  const key = streamKey(KIND.segment, id, 4);
  view(key).setUint32(PREFIX_BYTES, segment);
  return key;
}

/** Stream id and segment number of a segment's key. @internal */
export function partsOfSegmentKey(key: Uint8Array): { readonly id: number; segment: number } {
  return { id: view(key).getUint32(1), segment: view(key).getUint32(PREFIX_BYTES) };
}

/** `ordinal, stream id, ordinal`. @internal */
export function ordinalKey(id: number, ordinal: number): Uint8Array {
  const key = streamKey(KIND.ordinal, id, 8);
  writeSafe(key, PREFIX_BYTES, ordinal);
  return key;
}

/** `header place, stream id, segment number, header id`. @internal */
export function headerPlaceKey(
  id: number,
  segment: number,
  headerId: Uint8Array = new Uint8Array(),
): Uint8Array {
  const key = streamKey(KIND.headerPlace, id, 4 + headerId.length);
  view(key).setUint32(PREFIX_BYTES, segment);
  key.set(headerId, PREFIX_BYTES + 4);
  return key;
}

/** The header id at the end of a header place's key. @internal */
export function headerIdOfPlace(key: Uint8Array): Uint8Array {
  return key.slice(PREFIX_BYTES + 4);
}

/** A fragment number as a value. @internal */
export function encodeNumber(number: bigint): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES);
  writeNumber(bytes, 0, number);
  return bytes;
}

/** @internal */
export function decodeNumber(bytes: Uint8Array): bigint {
  return readNumber(bytes, 0);
}

/** What the index says of a segment file. @internal */
export interface SegmentState {
  /** Bytes of the file that count; what lies behind them was never committed. */
  readonly end: number;
  /** Highest fragment number in the file; 0 for none. */
  readonly last: bigint;
  /** Newest time in the file, ms; files of format 4. */
  readonly newest?: number;
}

/** @internal */
export function encodeSegment(state: SegmentState): Uint8Array {
  const bytes = new Uint8Array(8 + NUMBER_BYTES + (state.newest === undefined ? 0 : 8));
  writeSafe(bytes, 0, state.end);
  writeNumber(bytes, 8, state.last);
  if (state.newest !== undefined) writeSafe(bytes, 8 + NUMBER_BYTES, state.newest);
  return bytes;
}

/** @internal */
export function decodeSegment(bytes: Uint8Array): SegmentState {
  const state = { end: readSafe(bytes, 0), last: readNumber(bytes, 8) };
  const isOld = bytes.length < 16 + NUMBER_BYTES;
  return isOld ? state : { ...state, newest: readSafe(bytes, 8 + NUMBER_BYTES) };
}

/** @internal */
export function encodeSafe(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeSafe(bytes, 0, value);
  return bytes;
}

/** @internal */
export function decodeSafe(bytes: Uint8Array): number {
  return readSafe(bytes, 0);
}

/** A stream's entry is JSON, so that fields can be added. @internal */
export function encodeStream(record: StreamRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** @internal */
export function decodeStream(bytes: Uint8Array): StreamRecord {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (!isStreamRecord(value)) throw new FragmentDamagedError('a stream entry of the index is bad');
  return value;
}

function isStreamRecord(value: unknown): value is StreamRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'number' &&
    'name' in value &&
    typeof value.name === 'string' &&
    'account' in value &&
    typeof value.account === 'string' &&
    'tags' in value &&
    typeof value.tags === 'object'
  );
}

/** A view of bytes for numbers. @internal */
export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @internal */
export function writeSafe(bytes: Uint8Array, offset: number, value: number): void {
  view(bytes).setBigUint64(offset, BigInt(value));
}

/** @internal */
export function readSafe(bytes: Uint8Array, offset: number): number {
  return Number(view(bytes).getBigUint64(offset));
}

/* A number has 157 bits; 160 are kept, the highest first, so that keys sort as numbers do. */
function writeNumber(bytes: Uint8Array, offset: number, number: bigint): void {
  const at = view(bytes);
  at.setUint32(offset, Number((number >> 128n) & 0xffff_ffffn));
  at.setBigUint64(offset + 4, BigInt.asUintN(64, number >> 64n));
  at.setBigUint64(offset + 12, BigInt.asUintN(64, number));
}

function readNumber(bytes: Uint8Array, offset: number): bigint {
  const at = view(bytes);
  return (
    (BigInt(at.getUint32(offset)) << 128n) |
    (at.getBigUint64(offset + 4) << 64n) |
    at.getBigUint64(offset + 12)
  );
}
