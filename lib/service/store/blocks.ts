import { crc32 } from 'node:zlib';
import { NUMBER_BYTES, decodeNumber, encodeNumber } from './codec.js';

/* What stands in a segment file of format 4; SPEC.md, "Segment files", is the same in words. */

/** What a block is. @internal */
export const BLOCK = { fragment: 1, header: 2, event: 3, hole: 4 } as const;

/** Bytes that a segment file begins with. @internal */
export const SEGMENT_HEAD_BYTES = 40;
/** Bytes of the record before a Cluster. @internal */
export const RECORD_BYTES = 192;
/** Where a record's seal stands; it authenticates what stands before. @internal */
export const RECORD_SEAL_AT = 172;
/** Bytes before a stored header. @internal */
export const HEADER_BLOCK_BYTES = 56;
/** Bytes before an event. @internal */
export const EVENT_BLOCK_BYTES = 44;
const HOLE_BLOCK_BYTES = 24;
const HEAD_BYTES: Readonly<Record<number, number>> = {
  [BLOCK.fragment]: RECORD_BYTES,
  [BLOCK.header]: HEADER_BLOCK_BYTES,
  [BLOCK.event]: EVENT_BLOCK_BYTES,
  [BLOCK.hole]: HOLE_BLOCK_BYTES,
};
/** Every block begins with these bytes. @internal */
export const BLOCK_MAGIC: Readonly<Uint8Array> = Buffer.from('KVS4');
/** The longest head of a block. @internal */
export const MOST_HEAD_BYTES: number = RECORD_BYTES;
const SEGMENT_MAGIC: Readonly<Uint8Array> = Buffer.from('KVSMEDIA\0\0\0\x04', 'latin1');

/** Which directory a segment file is of, and which of its stream's. @internal */
export interface SegmentHead {
  /** 16 bytes. */
  readonly generation: Uint8Array;
  readonly stream: number;
  readonly segment: number;
}

/** @internal */
export function encodeSegmentHead({ generation, stream, segment }: SegmentHead): Uint8Array {
  const head = Buffer.alloc(SEGMENT_HEAD_BYTES);
  head.set(SEGMENT_MAGIC);
  head.set(generation, 12);
  head.writeUInt32BE(stream, 28);
  head.writeUInt32BE(segment, 32);
  head.writeUInt32BE(crc32(head.subarray(0, 36)), 36);
  return head;
}

/** Undefined where these bytes begin no segment file of format 4. @internal */
export function decodeSegmentHead(bytes: Uint8Array): SegmentHead | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (
    head.length < SEGMENT_HEAD_BYTES ||
    Buffer.compare(head.subarray(0, 12), SEGMENT_MAGIC) !== 0
  ) {
    return undefined;
  }
  if (head.readUInt32BE(36) !== crc32(head.subarray(0, 36))) return undefined;
  return {
    generation: Uint8Array.from(head.subarray(12, 28)),
    stream: head.readUInt32BE(28),
    segment: head.readUInt32BE(32),
  };
}

/** The head of a block: what it is, and how long. @internal */
export interface BlockHead {
  readonly kind: number;
  /** Bytes of head and what stands behind it. */
  readonly bytes: number;
  readonly stream: number;
  /** The head itself. */
  readonly head: Uint8Array;
}

/** Begins the head of a block, whose last 4 bytes are for `closeHead`. */
function openHead(kind: number, stream: number, behind: number): Buffer {
  const length = HEAD_BYTES[kind] ?? 0;
  const head = Buffer.alloc(length);
  head.set(BLOCK_MAGIC);
  head.writeUInt8(kind, 4);
  head.writeUInt8(1, 5);
  head.writeUInt16BE(length, 6);
  head.writeBigUInt64BE(BigInt(length + behind), 8);
  head.writeUInt32BE(stream, 16);
  return head;
}

/** Checksums begin with the directory's generation, which nobody knows who only sends media. */
function headSum(head: Uint8Array, generation: Uint8Array): number {
  return crc32(head.subarray(0, head.length - 4), crc32(generation));
}

function closeHead(head: Buffer, generation: Uint8Array): Uint8Array {
  head.writeUInt32BE(headSum(head, generation), head.length - 4);
  return head;
}

/** The block whose head these bytes begin with; undefined where they begin none. @internal */
export function decodeBlockHead(bytes: Uint8Array, generation: Uint8Array): BlockHead | undefined {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (all.length < HOLE_BLOCK_BYTES || !all.subarray(0, 4).equals(BLOCK_MAGIC)) return undefined;
  const length = all.readUInt16BE(6);
  const kind = all.readUInt8(4);
  if (length < HOLE_BLOCK_BYTES || length > all.length) return undefined;
  if (HEAD_BYTES[kind] !== undefined && HEAD_BYTES[kind] !== length) return undefined;
  const head = all.subarray(0, length);
  const size = Number(head.readBigUInt64BE(8));
  if (size < length || !Number.isSafeInteger(size)) return undefined;
  if (head.readUInt32BE(length - 4) !== headSum(head, generation)) return undefined;
  return { kind, bytes: size, stream: head.readUInt32BE(16), head };
}

/** What a fragment's record says. Times are ms. @internal */
export interface RecordFacts {
  readonly stream: number;
  readonly number: bigint;
  readonly ordinal: number;
  readonly liveOrdinal: number;
  readonly timecode: number;
  readonly producerTime: number;
  readonly serverTime: number;
  readonly duration: number;
  readonly latest: number;
  readonly serverBreaks: number;
  readonly producerBreaks: number;
  readonly session: Uint8Array;
  readonly headerId: Uint8Array;
  readonly configuration: Uint8Array;
  readonly flags: number;
  readonly frames: number;
  readonly clusterBytes: number;
  readonly tagsBytes: number;
  readonly tableBytes: number;
  /** CRC-32 of all that is stored behind the record. */
  readonly sum: number;
  /** Bytes that are stored behind the record. */
  readonly storedBytes: number;
}

/** The record before a Cluster; `seal` gives the 16 bytes that authenticate it. @internal */
export function encodeRecord(
  facts: RecordFacts,
  generation: Uint8Array,
  seal: ((over: Uint8Array) => Uint8Array) | undefined,
): Uint8Array {
  const head = openHead(BLOCK.fragment, facts.stream, facts.storedBytes);
  const safe = (value: number, at: number): void => {
    head.writeBigUInt64BE(BigInt(value), at);
  };
  head.set(encodeNumber(facts.number), 20);
  safe(facts.ordinal, 40);
  safe(facts.liveOrdinal, 48);
  safe(facts.timecode, 56);
  safe(facts.producerTime, 64);
  safe(facts.serverTime, 72);
  safe(facts.duration, 80);
  safe(facts.latest, 88);
  head.writeUInt32BE(facts.serverBreaks, 96);
  head.writeUInt32BE(facts.producerBreaks, 100);
  head.set(facts.session, 104);
  head.set(facts.headerId, 112);
  head.set(facts.configuration, 128);
  head.writeUInt16BE(facts.flags, 144);
  head.writeUInt32BE(facts.frames, 148);
  safe(facts.clusterBytes, 152);
  head.writeUInt32BE(facts.tagsBytes, 160);
  head.writeUInt32BE(facts.tableBytes, 164);
  head.writeUInt32BE(facts.sum, 168);
  if (seal !== undefined) head.set(seal(head.subarray(0, RECORD_SEAL_AT)), RECORD_SEAL_AT);
  return closeHead(head, generation);
}

/** What a record says; it must be one. @internal */
export function decodeRecord(bytes: Uint8Array): RecordFacts {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const safe = (at: number): number => Number(head.readBigUInt64BE(at));
  return {
    stream: head.readUInt32BE(16),
    number: decodeNumber(head.subarray(20, 20 + NUMBER_BYTES)),
    ordinal: safe(40),
    liveOrdinal: safe(48),
    timecode: safe(56),
    producerTime: safe(64),
    serverTime: safe(72),
    duration: safe(80),
    latest: safe(88),
    serverBreaks: head.readUInt32BE(96),
    producerBreaks: head.readUInt32BE(100),
    session: head.subarray(104, 112),
    headerId: head.subarray(112, 128),
    configuration: head.subarray(128, 144),
    flags: head.readUInt16BE(144),
    frames: head.readUInt32BE(148),
    clusterBytes: safe(152),
    tagsBytes: head.readUInt32BE(160),
    tableBytes: head.readUInt32BE(164),
    sum: head.readUInt32BE(168),
    storedBytes: safe(8) - RECORD_BYTES,
  };
}

/** What the head of a stored header says. @internal */
export interface HeaderFacts {
  readonly id: Uint8Array;
  /** CRC-32 of what is stored behind. */
  readonly sum: number;
}

/** The head before a stored MKV header. @internal */
export function encodeHeaderHead(
  stream: number,
  id: Uint8Array,
  stored: Uint8Array,
  generation: Uint8Array,
): Uint8Array {
  const head = openHead(BLOCK.header, stream, stored.length);
  head.set(id, 20);
  head.writeUInt32BE(crc32(stored), 36);
  return closeHead(head, generation);
}

/** @internal */
export function decodeHeaderHead(bytes: Uint8Array): HeaderFacts {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return { id: head.subarray(20, 36), sum: head.readUInt32BE(36) };
}

/** The head before an event. @internal */
export function encodeEventHead(
  stream: number,
  event: { readonly time: number; readonly sequence: number },
  stored: Uint8Array,
  generation: Uint8Array,
): Uint8Array {
  const head = openHead(BLOCK.event, stream, stored.length);
  head.writeBigUInt64BE(BigInt(event.time), 20);
  head.writeUInt32BE(event.sequence, 28);
  head.writeUInt32BE(crc32(stored), 32);
  return closeHead(head, generation);
}

/** @internal */
export function decodeEventHead(bytes: Uint8Array): {
  readonly time: number;
  readonly sequence: number;
  readonly sum: number;
} {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const time = Number(head.readBigUInt64BE(20));
  return { time, sequence: head.readUInt32BE(28), sum: head.readUInt32BE(32) };
}

/** The head of what was given up: it says where the next block begins. @internal */
export function encodeHole(stream: number, bytes: number, generation: Uint8Array): Uint8Array {
  return closeHead(openHead(BLOCK.hole, stream, bytes - HOLE_BLOCK_BYTES), generation);
}

/** CRC-32 that a block says of what stands behind its head; undefined where it says none. @internal */
export function storedSum({ kind, head }: BlockHead): number | undefined {
  if (kind === BLOCK.fragment) return decodeRecord(head).sum;
  if (kind === BLOCK.header) return decodeHeaderHead(head).sum;
  return kind === BLOCK.event ? decodeEventHead(head).sum : undefined;
}
