import { SEAL_BYTES } from '../aead.js';
import type { FragmentRecord, StreamRecord } from './types.js';
import { FragmentDamagedError, PIECE_BYTES } from './types.js';

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
    | 'segment',
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
};

const PREFIX_BYTES = 5;
/** Bytes of a fragment number. @internal */
export const NUMBER_BYTES = 20;
/** First byte of a fragment's value: stored as sent, or sealed, once with checksums besides. */
const PLAIN = 1;
const SEALED_AND_SUMMED = 2;
const SEALED = 3;
const RECORD_BYTES = 78;

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
}

/** @internal */
export function encodeSegment(state: SegmentState): Uint8Array {
  const bytes = new Uint8Array(8 + NUMBER_BYTES);
  writeSafe(bytes, 0, state.end);
  writeNumber(bytes, 8, state.last);
  return bytes;
}

/** @internal */
export function decodeSegment(bytes: Uint8Array): SegmentState {
  return { end: readSafe(bytes, 0), last: readNumber(bytes, 8) };
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

/** Where a Cluster stands: the place of this store. @internal */
export interface DiskPlace {
  readonly segment: number;
  readonly offset: number;
}

/** @internal */
export function encodePlace({ segment, offset }: DiskPlace): Uint8Array {
  const bytes = new Uint8Array(12);
  view(bytes).setUint32(0, segment);
  writeSafe(bytes, 4, offset);
  return bytes;
}

/** @internal */
export function decodePlace(place: Uint8Array): DiskPlace {
  return { segment: view(place).getUint32(0), offset: readSafe(place, 4) };
}

/** The value of a fragment's entry; its number is in the key. @internal */
export function encodeFragment(record: FragmentRecord): Uint8Array {
  const body = entryBody(record);
  return record.sealed === undefined ? body : Buffer.concat([body, record.sealed.seal]);
}

/** An entry without its seal, which authenticates it. @internal */
export function entryBody(record: Omit<FragmentRecord, 'sealed'>): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES + record.sums.length * 4);
  const at = view(bytes);
  const { segment, offset } = decodePlace(record.place);
  bytes[0] = record.layout;
  bytes[1] = 0;
  writeSafe(bytes, 2, record.timecode);
  writeSafe(bytes, 10, record.producerTime);
  writeSafe(bytes, 18, record.serverTime);
  writeSafe(bytes, 26, record.duration);
  bytes.set(record.headerId, 34);
  at.setUint32(50, segment);
  writeSafe(bytes, 54, offset);
  writeSafe(bytes, 62, record.clusterBytes);
  at.setUint32(70, record.tagsBytes);
  at.setUint32(74, record.tagsSum);
  record.sums.forEach((sum, index) => {
    at.setUint32(RECORD_BYTES + index * 4, sum);
  });
  return bytes;
}

/** @internal */
export function decodeFragment(number: bigint, bytes: Uint8Array): FragmentRecord {
  const layout = bytes.length < RECORD_BYTES ? undefined : bytes[0];
  if (layout !== PLAIN && layout !== SEALED_AND_SUMMED && layout !== SEALED) {
    const entry = `index entry of fragment ${String(number)}`;
    throw new FragmentDamagedError(`${entry} is of no version from 1 to ${String(SEALED)}`);
  }
  const at = view(bytes);
  const clusterBytes = readSafe(bytes, 62);
  const sealBytes = layout === PLAIN ? 0 : SEAL_BYTES;
  const pieces = Math.max(sealBytes === 0 ? 0 : 1, Math.ceil(clusterBytes / PIECE_BYTES));
  const count = layout === SEALED ? 0 : pieces;
  if (bytes.length !== RECORD_BYTES + count * 4 + sealBytes) {
    throw new FragmentDamagedError(`index entry of fragment ${String(number)} has a wrong length`);
  }
  const over = bytes.subarray(0, bytes.length - sealBytes);
  return {
    number,
    layout,
    timecode: readSafe(bytes, 2),
    producerTime: readSafe(bytes, 10),
    serverTime: readSafe(bytes, 18),
    duration: readSafe(bytes, 26),
    headerId: bytes.slice(34, 50),
    place: bytes.slice(50, 62),
    clusterBytes,
    tagsBytes: at.getUint32(70),
    tagsSum: at.getUint32(74),
    sums: Array.from({ length: count }, (_, index) => at.getUint32(RECORD_BYTES + index * 4)),
    ...(sealBytes > 0 && { sealed: { over, seal: bytes.subarray(over.length) } }),
  };
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

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function writeSafe(bytes: Uint8Array, offset: number, value: number): void {
  view(bytes).setBigUint64(offset, BigInt(value));
}

function readSafe(bytes: Uint8Array, offset: number): number {
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
