import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { KIND, decodeNumber, encodeNumber, encodeSafe, decodeSafe, numberOfKey } from './codec.js';
import { numberKey, ordinalKey, timeKey } from './codec.js';
import type { IndexOp } from './committer.js';
import { decodeFragment } from './entries.js';
import type { Index } from './open-index.js';

/* The records of a segment file of formats 1 to 3: entries of the index, as they stand in it. */

const MAGIC: Readonly<Uint8Array> = Buffer.from('KVSRECORDS\0\x04', 'latin1');
const BATCH = 500;

/** Entries of the index as the bytes of a side file. @internal */
export function encodeRecords(entries: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  const parts: Uint8Array[] = [MAGIC, encodeSafe(entries.length)];
  for (const [key, value] of entries) {
    parts.push(encodeSafe(key.length), encodeSafe(value.length), key, value);
  }
  const bytes = Buffer.concat(parts);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return Buffer.concat([bytes, sum]);
}

/** Undefined where these bytes are not what `encodeRecords` gave. @internal */
export function decodeRecords(bytes: Uint8Array): [Uint8Array, Uint8Array][] | undefined {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (all.length < MAGIC.length + 12 || Buffer.compare(all.subarray(0, MAGIC.length), MAGIC) !== 0)
    return undefined;
  if (all.readUInt32BE(all.length - 4) !== crc32(all.subarray(0, -4))) return undefined;
  const entries: [Uint8Array, Uint8Array][] = [];
  let at = MAGIC.length + 8;
  for (let left = decodeSafe(all.subarray(MAGIC.length)); left > 0; left -= 1) {
    const keyEnd = at + 16 + decodeSafe(all.subarray(at));
    const end = keyEnd + decodeSafe(all.subarray(at + 8));
    entries.push([all.subarray(at + 16, keyEnd), all.subarray(keyEnd, end)]);
    at = end;
  }
  return entries;
}

/** What is taken in of a side file. @internal */
export interface RecordsJob {
  readonly index: Index;
  readonly path: string;
  readonly id: number;
  readonly segment: number;
  readonly lowMark: bigint;
}

/** Puts the entries of a side file into the index; gives how many fragments, undefined where it is bad. @internal */
export async function takeInRecords({
  index,
  path,
  lowMark,
  id,
}: RecordsJob): Promise<number | undefined> {
  const entries = decodeRecords(await readFile(path));
  if (entries === undefined) return undefined;
  let count = 0;
  let ops: IndexOp[] = [];
  for (const [key, value] of entries) {
    const kind = key[0] ?? 0;
    const isOfFragment = kind === KIND.fragment || kind === KIND.tags;
    if (isOfFragment && numberOfKey(key) < lowMark) continue;
    ops.push({ type: 'put', key, value });
    if (kind === KIND.fragment) {
      count += 1;
      ops.push(...movedOps(id, numberOfKey(key), value));
    }
    if (ops.length < BATCH) continue;
    await index.batch(ops);
    ops = [];
  }
  await index.batch(ops, { sync: true });
  return count;
}

/** Entries of an older fragment besides its own. @internal */
export function movedOps(id: number, number: bigint, value: Uint8Array): IndexOp[] {
  const record = decodeFragment(number, value);
  const none = new Uint8Array();
  return [
    { type: 'put', key: ordinalKey(id, record.ordinal), value: encodeNumber(number) },
    { type: 'put', key: timeKey(KIND.producer, id, record.producerTime, number), value: none },
    { type: 'put', key: timeKey(KIND.server, id, record.serverTime, number), value: none },
  ];
}

/** The fragment that an entry is of. @internal */
export function numberOfEntry(key: Uint8Array): bigint {
  return decodeNumber(key.subarray(5));
}

/** The key of a fragment's tags. @internal */
export function tagsKey(id: number, number: bigint): Uint8Array {
  return numberKey(KIND.tags, id, number);
}
