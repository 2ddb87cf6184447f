import { createCipheriv, createHash } from 'node:crypto';
import { openReader, type FragmentReader } from '../../../lib/service/media/reader.js';
import { DataKey } from '../../../lib/service/media/seal.js';
import { openWriter } from '../../../lib/service/media/writer.js';
import { openDiskStore } from '../../../lib/service/store/disk-store.js';
import type { FragmentRecord, FragmentStore } from '../../../lib/service/store/types.js';
import type { Expectation, StreamExpectation, Written } from './expectation.js';

/* Opens a store on what a crash left, and compares it with what the load was told. */

const KEY = new DataKey(Buffer.alloc(32, 7));
const ALL = 10_000;
const SEQUENCE_AT = 92n;

/** Opens the store of a directory as the load does. */
export function openStore(directory: string): Promise<FragmentStore> {
  return openDiskStore({ directory, fsync: 'group', segmentBytes: 40_000 });
}

/** What is wrong with the store in a directory, a sentence each; empty when all is as it must be. */
export async function faultsOf(
  directory: string,
  expected: Expectation,
  depth: 'look' | 'write',
): Promise<string[]> {
  const faults: string[] = [];
  let store: FragmentStore;
  try {
    store = await openStore(directory);
  } catch (error) {
    const when = expected.streams.size === 0 ? 'after its first start' : 'after it held streams';
    return [`the store does not open ${when}: ${reasonOf(error)}`];
  }
  try {
    for (const [id, stream] of expected.streams) {
      for (const fault of await streamFaults(store, id, stream)) faults.push(`${id}: ${fault}`);
    }
    const known = await store.catalog.streams();
    for (const { id } of known) if (!expected.streams.has(id)) faults.push(`${id}: nobody made it`);
    if (depth === 'look') return faults;
    const id = await store.catalog.newStreamId();
    if (id <= expected.lastId) faults.push(`${id}: the id of a new stream is given twice`);
    faults.push(...(await writesOn(store, id)));
  } finally {
    await store.close();
  }
  return [...faults, ...(await opensAgain(directory, expected))];
}

async function streamFaults(
  store: FragmentStore,
  id: number,
  expected: StreamExpectation,
): Promise<string[]> {
  const found = (await store.catalog.streams()).find((stream) => stream.id === id);
  const said = expected.records.map((record) => JSON.stringify(record));
  const faults: string[] = [];
  if (found === undefined) {
    const may = expected.removal !== 'none' || said.includes(JSON.stringify(undefined));
    return may ? [] : ['the stream is gone'];
  }
  if (expected.removal === 'done') return ['the stream was deleted and is there again'];
  if (!expected.records.some((record) => sameRecord(record, found))) {
    faults.push(`the stream has another record: ${JSON.stringify(found)}`);
  }
  faults.push(...(await itemFaults(store, id, expected)));
  if (expected.removal === 'none') faults.push(...(await fragmentFaults(store, id, expected)));
  const next = await nextNumber(store, id);
  if (next <= expected.given) {
    faults.push(`number ${nameOf(next)} is given, and ${nameOf(expected.given)} was given before`);
  }
  return faults;
}

function sameRecord(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown): string =>
    JSON.stringify(Object.entries(Object(value)).sort(([x], [y]) => (x < y ? -1 : 1)));
  return sorted(a) === sorted(b);
}

async function itemFaults(
  store: FragmentStore,
  id: number,
  expected: StreamExpectation,
): Promise<string[]> {
  const faults: string[] = [];
  for (const name of ['dataKey', 'sessions'] as const) {
    const value = await store.catalog.item(id, name);
    const text = value && Buffer.from(value).toString();
    const may = expected.items.get(name) ?? [undefined];
    if (expected.removal === 'none' && !may.includes(text))
      faults.push(`${name} is ${String(text)}`);
  }
  return faults;
}

async function fragmentFaults(
  store: FragmentStore,
  id: number,
  expected: StreamExpectation,
): Promise<string[]> {
  const faults: string[] = [];
  const listed = await store.index.byNumber(id, { limit: ALL });
  const reader = openReader(store, id, () => Promise.resolve(KEY));
  try {
    for (const record of listed) {
      const written = expected.written.get(record.number);
      const fault = await fragmentFault(reader, id, record, written);
      if (fault === undefined) continue;
      const kind = kindOf(record, written, expected);
      faults.push(`${kind}fragment ${nameOf(record.number)} ${fault}`);
    }
  } finally {
    await reader.close();
  }
  const numbers = listed.map(({ number }) => number);
  const there = new Set(numbers);
  for (const { number, state } of expected.written.values()) {
    if (state !== 'persisted' || number < expected.bound || there.has(number)) continue;
    faults.push(`fragment ${nameOf(number)} was acknowledged and is lost`);
  }
  for (const kind of ['producer', 'server'] as const) {
    const range = { kind, from: 0, to: Number.MAX_SAFE_INTEGER - 1, limit: ALL };
    const byTime = (await store.index.byTime(id, range)).map(({ number }) => number).sort();
    if (String(byTime) !== String([...numbers].sort())) {
      faults.push(`by ${kind} time there are ${byTime.length} of ${numbers.length} fragments`);
    }
  }
  return faults;
}

function kindOf(
  { number }: FragmentRecord,
  written: Written | undefined,
  { bound }: StreamExpectation,
): string {
  if (number < bound) return 'expired ';
  return written?.state === 'persisted' ? '' : 'unacknowledged ';
}

/** A fragment that is listed must be whole, and what was written under its number. */
async function fragmentFault(
  reader: FragmentReader,
  id: number,
  record: FragmentRecord,
  written: Written | undefined,
): Promise<string | undefined> {
  if (written === undefined) return 'was never begun and is listed';
  if (written.state === 'aborted') return 'was given up and is listed';
  const { lengths, number } = written;
  try {
    const parts: Uint8Array[] = [];
    for await (const piece of reader.pieces(record)) parts.push(piece);
    const cluster = bytesOf(id, number, 'cluster', lengths.cluster);
    if (!cluster.equals(Buffer.concat(parts))) return 'is served with other bytes';
    const tags = bytesOf(id, number, 'tags', lengths.tags);
    if (!tags.equals(await reader.tags(record))) return 'is served with other tags';
    const header = bytesOf(id, written.headerOf, 'header', lengths.header);
    if (!header.equals(await reader.header(record))) return 'is served with another header';
    return undefined;
  } catch (error) {
    return `is listed and cannot be read: ${String(error)}`;
  }
}

/** The number that the next fragment of a stream would get; it is given up. */
async function nextNumber(store: FragmentStore, id: number): Promise<bigint> {
  const lease = store.live.lease(id);
  await lease.ready();
  const number = lease.openNumber(1);
  lease.closeNumber(number);
  return number;
}

/** Whether the store takes media after all that. */
async function writesOn(store: FragmentStore, id: number): Promise<string[]> {
  const writer = await openWriter(store, id, KEY);
  const number = await nextNumber(store, id);
  const bytes = bytesOf(id, number, 'cluster', 3000);
  writer.begin(bytes.subarray(0, 100), number);
  writer.append(bytes);
  const times = { timecode: 1, producerTime: 1, serverTime: 1, duration: 1 };
  await writer.commit({ number, ...times }, new Uint8Array(), 'flushed');
  await writer.close();
  const [record] = await store.index.byNumber(id, { limit: 2 });
  if (record?.number !== number) return [`${id}: what is written after the crash is not there`];
  return [];
}

/** What one start found, the next one must find. */
async function opensAgain(directory: string, expected: Expectation): Promise<string[]> {
  const store = await openStore(directory);
  try {
    const faults: string[] = [];
    for (const [id, stream] of expected.streams) {
      for (const fault of await streamFaults(store, id, stream)) {
        faults.push(`${id}: at the second start: ${fault}`);
      }
    }
    return faults;
  } finally {
    await store.close();
  }
}

/** What an error and its causes say. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}

/** A fragment's sequence number, which people can read. */
function nameOf(number: bigint): string {
  return String((number >> SEQUENCE_AT) & ((1n << 64n) - 1n));
}

/** Bytes that only this part of this fragment has; store-load.mjs has the same. */
export function bytesOf(id: number, number: bigint, part: string, length: number): Buffer {
  const key = createHash('sha256').update(`${id} ${number} ${part}`).digest();
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(length));
}
