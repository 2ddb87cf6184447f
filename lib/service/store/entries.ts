import { crc32 } from 'node:zlib';
import { SEAL_BYTES } from '../aead.js';
import { RECORD_BYTES, RECORD_SEAL_AT, decodeRecord } from './blocks.js';
import { readSafe, view, writeSafe } from './codec.js';
import { FragmentDamagedError, NO_DETAIL, PIECE_BYTES, type FragmentRecord } from './types.js';

/* The value of a fragment's entry in the index; SPEC.md, "Index", is the same in words. */

/** First byte of a value of formats 1 to 3: as sent, or sealed, once with checksums besides. */
const PLAIN = 1;
const SEALED_AND_SUMMED = 2;
const SEALED = 3;
/** First byte of such a value in a directory that was moved to format 4: what it counts stands before it. */
const MOVED = 5;
/** Bytes that stand before the entry of a fragment that was moved. @internal */
export const MOVED_BYTES = 34;
/** First byte of a record. */
const RECORD = 0x4b;
const ENTRY_BYTES = 78;
const PLACE_BYTES = 12;

/** Bits of a record's flags. @internal */
export const FLAG = { sealed: 1, keyStart: 2, reordered: 4, laced: 8, cut: 16, live: 32 } as const;

/** The value of a fragment of format 4: its record, where it stands, a checksum. @internal */
export function encodeRecordEntry(record: Uint8Array, place: DiskPlace): Uint8Array {
  const value = Buffer.concat([record, encodePlace(place), new Uint8Array(4)]);
  value.writeUInt32BE(crc32(value.subarray(0, -4)), value.length - 4);
  return value;
}

function decodeRecordEntry(number: bigint, bytes: Uint8Array): FragmentRecord {
  const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = RECORD_BYTES + PLACE_BYTES + 4;
  if (value.length !== length || value.readUInt32BE(length - 4) !== crc32(value.subarray(0, -4))) {
    throw bad(number, 'is damaged');
  }
  const record = recordOf(value.subarray(0, RECORD_BYTES), value.subarray(RECORD_BYTES, -4));
  if (record.number !== number) throw bad(number, 'is of another fragment');
  return record;
}

/** A fragment as its record and its place tell of it. @internal */
export function recordOf(bytes: Uint8Array, place: Uint8Array): FragmentRecord {
  const { flags, stream: _stream, sum: _sum, ...facts } = decodeRecord(bytes);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  return {
    ...facts,
    ...{ layout: 4, place, tagsSum: 0, sums: [] },
    ...{ keyStart: has(FLAG.keyStart), reordered: has(FLAG.reordered), laced: has(FLAG.laced) },
    ...{ cut: has(FLAG.cut), live: has(FLAG.live) },
    ...(has(FLAG.sealed) && {
      sealed: {
        over: bytes.subarray(0, RECORD_SEAL_AT),
        seal: bytes.subarray(RECORD_SEAL_AT, RECORD_SEAL_AT + SEAL_BYTES),
      },
    }),
  };
}

/** What an older fragment is given when its directory is moved to format 4. @internal */
export type MovedCounts = Pick<
  FragmentRecord,
  'ordinal' | 'liveOrdinal' | 'live' | 'latest' | 'serverBreaks' | 'producerBreaks'
>;

/** The value of an older fragment in a directory of format 4. @internal */
export function encodeMovedEntry(counts: MovedCounts, entry: Uint8Array): Uint8Array {
  const head = new Uint8Array(MOVED_BYTES);
  head[0] = MOVED;
  head[1] = counts.live ? 1 : 0;
  writeSafe(head, 2, counts.ordinal);
  writeSafe(head, 10, counts.liveOrdinal);
  writeSafe(head, 18, counts.latest);
  view(head).setUint32(26, counts.serverBreaks);
  view(head).setUint32(30, counts.producerBreaks);
  return Buffer.concat([head, entry]);
}

/** A fragment by its entry. Throws `FragmentDamagedError`. @internal */
export function decodeFragment(number: bigint, bytes: Uint8Array): FragmentRecord {
  if (bytes[0] === RECORD) return decodeRecordEntry(number, bytes);
  if (bytes[0] !== MOVED) return decodeEntry(number, bytes);
  if (bytes.length < MOVED_BYTES) throw bad(number, 'has a wrong length');
  const at = view(bytes);
  return {
    ...decodeEntry(number, bytes.subarray(MOVED_BYTES)),
    live: bytes[1] === 1,
    ordinal: readSafe(bytes, 2),
    liveOrdinal: readSafe(bytes, 10),
    latest: readSafe(bytes, 18),
    serverBreaks: at.getUint32(26),
    producerBreaks: at.getUint32(30),
  };
}

function bad(number: bigint, what: string): FragmentDamagedError {
  return new FragmentDamagedError(`index entry of fragment ${String(number)} ${what}`);
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

/** The value of a fragment of formats 1 to 3; its number is in the key. @internal */
export function encodeFragment(record: FragmentRecord): Uint8Array {
  const body = entryBody(record);
  return record.sealed === undefined ? body : Buffer.concat([body, record.sealed.seal]);
}

/** What an entry of formats 1 to 3 says. @internal */
export type EntryFacts = Pick<
  FragmentRecord,
  | 'layout'
  | 'timecode'
  | 'producerTime'
  | 'serverTime'
  | 'duration'
  | 'headerId'
  | 'place'
  | 'clusterBytes'
  | 'tagsBytes'
  | 'tagsSum'
  | 'sums'
>;

/** An entry without its seal, which authenticates it. @internal */
export function entryBody(record: EntryFacts): Uint8Array {
  const bytes = new Uint8Array(ENTRY_BYTES + record.sums.length * 4);
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
    at.setUint32(ENTRY_BYTES + index * 4, sum);
  });
  return bytes;
}

function decodeEntry(number: bigint, bytes: Uint8Array): FragmentRecord {
  const layout = bytes.length < ENTRY_BYTES ? undefined : bytes[0];
  if (layout !== PLAIN && layout !== SEALED_AND_SUMMED && layout !== SEALED) {
    throw bad(number, `is of no version from 1 to ${String(SEALED)}`);
  }
  const at = view(bytes);
  const clusterBytes = readSafe(bytes, 62);
  const sealBytes = layout === PLAIN ? 0 : SEAL_BYTES;
  const pieces = Math.max(sealBytes === 0 ? 0 : 1, Math.ceil(clusterBytes / PIECE_BYTES));
  const count = layout === SEALED ? 0 : pieces;
  if (bytes.length !== ENTRY_BYTES + count * 4 + sealBytes) {
    throw bad(number, 'has a wrong length');
  }
  const over = bytes.subarray(0, bytes.length - sealBytes);
  return {
    ...{ ...NO_DETAIL, number, layout, tableBytes: 0, storedBytes: 0, live: false },
    ...{ ordinal: 0, liveOrdinal: 0, latest: 0, serverBreaks: 0, producerBreaks: 0 },
    timecode: readSafe(bytes, 2),
    producerTime: readSafe(bytes, 10),
    serverTime: readSafe(bytes, 18),
    duration: readSafe(bytes, 26),
    headerId: bytes.slice(34, 50),
    place: bytes.slice(50, 62),
    clusterBytes,
    tagsBytes: at.getUint32(70),
    tagsSum: at.getUint32(74),
    sums: Array.from({ length: count }, (_, index) => at.getUint32(ENTRY_BYTES + index * 4)),
    ...(sealBytes > 0 && { sealed: { over, seal: bytes.subarray(over.length) } }),
  };
}
