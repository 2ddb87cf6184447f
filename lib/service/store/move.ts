import { open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { KIND, decodeSafe, decodeStream, headerKey, numberKey, numberOfKey } from './codec.js';
import { partsOfSegmentKey, streamKey, streamKeyEnd } from './codec.js';
import type { IndexOp } from './committer.js';
import { NOT_COUNTED, StreamCounters } from './counters.js';
import { StreamFile, newDirectory, newStream, type DirectoryFile } from './directory-files.js';
import { MOVED_BYTES, decodeFragment, decodePlace, encodeMovedEntry } from './entries.js';
import { flushDirectory } from './flush-directory.js';
import { encodeRecords, movedOps } from './moved-records.js';
import { formatIs, generationIs, type Index } from './open-index.js';
import { recordsPath } from './segments.js';

/** What a move needs of the store. @internal */
export interface MoveJob {
  readonly index: Index;
  readonly media: string;
  readonly directory: DirectoryFile;
}

const BATCH = 500;
const SEALED_OR_SENT: ReadonlySet<number> = new Set([1, 2, 3]);

/**
 * Moves a directory of formats 1 to 3 to format 4: counts its fragments, writes beside each segment
 * file what the index says of it, and each stream's own file. Media are not rewritten. One that is
 * cut off is done again from its beginning. @internal
 */
export async function moveDirectory(job: MoveJob): Promise<Map<number, StreamFile>> {
  const { index, media, directory } = job;
  const state = newDirectory();
  const streams = new Map<number, StreamFile>();
  const range = { gte: Uint8Array.of(KIND.stream), lt: Uint8Array.of(KIND.stream + 1) };
  for (const value of await index.values(range)) {
    const record = decodeStream(value);
    const counters = await countFragments(index, record.id);
    const segments = await writeRecords(job, record.id);
    const stream = new StreamFile(media, newStream(state.generation, record.id));
    const reserved = await index.get(streamKey(KIND.reserved, record.id));
    const dataKey = await index.get(streamKey(KIND.dataKey, record.id));
    await stream.change({
      ...{ record, segments, counters: counters.state },
      reserved: reserved === undefined ? 1 : decodeSafe(reserved),
      ...(dataKey && { dataKey: Buffer.from(dataKey).toString('base64') }),
    });
    streams.set(record.id, stream);
  }
  const nextId = await index.get(streamKey(KIND.nextId, 0));
  const ids = [...streams.keys()];
  const least = Math.max(0, ...ids) + 1;
  await index.batch([formatIs(4), generationIs(Buffer.from(state.generation, 'hex'))], {
    sync: true,
  });
  // From here on it is a directory of format 4.
  await directory.store({
    ...{ ...state, streams: ids },
    nextId: nextId === undefined ? least : Math.max(least, decodeSafe(nextId)),
  });
  return streams;
}

/** Gives each fragment of a stream its ordinal, in the order of numbers. */
async function countFragments(index: Index, id: number): Promise<StreamCounters> {
  const counters = new StreamCounters(NOT_COUNTED);
  let from = streamKey(KIND.fragment, id);
  for (;;) {
    const lt = streamKeyEnd(KIND.fragment, id);
    const entries = await index.entries({ gte: from, lt, limit: BATCH });
    const last = entries.at(-1)?.[0];
    if (last === undefined) return counters;
    const ops = entries.flatMap(([key, value]) => countedOps(counters, id, key, value));
    await index.batch(ops);
    from = Buffer.concat([last, Uint8Array.of(0)]);
  }
}

function countedOps(
  counters: StreamCounters,
  id: number,
  key: Uint8Array,
  value: Uint8Array,
): IndexOp[] {
  const number = numberOfKey(key);
  // One that a move that was cut off has counted is counted again.
  const entry = SEALED_OR_SENT.has(value[0] ?? 0) ? value : value.subarray(MOVED_BYTES);
  try {
    const record = decodeFragment(number, entry);
    const moved = encodeMovedEntry(counters.next(record, record), entry);
    return [{ type: 'put', key, value: moved }, ...movedOps(id, number, moved)];
  } catch {
    // It cannot be read, and stays as it is.
    return [];
  }
}

/** Writes the side file of each segment; gives the highest segment number. */
async function writeRecords({ index, media }: MoveJob, id: number): Promise<number> {
  const entries = new Map<number, [Uint8Array, Uint8Array][]>();
  const range = { gte: streamKey(KIND.segment, id), lt: streamKeyEnd(KIND.segment, id) };
  for (const entry of await index.entries(range)) {
    entries.set(partsOfSegmentKey(entry[0]).segment, [entry]);
  }
  const headers = new Set<string>();
  let from = streamKey(KIND.fragment, id);
  for (;;) {
    const page = await index.entries({
      ...{ gte: from, lt: streamKeyEnd(KIND.fragment, id), limit: BATCH },
    });
    const last = page.at(-1)?.[0];
    if (last === undefined) break;
    for (const [key, value] of page) await addEntries(index, id, { key, value, entries, headers });
    from = Buffer.concat([last, Uint8Array.of(0)]);
  }
  const folder = join(media, String(id));
  for (const [segment, own] of entries) await writeFlushed(recordsPath(folder, segment), own);
  if (entries.size > 0) await flushDirectory(folder);
  const names = entries.size > 0 ? await readdir(folder) : [];
  return Math.max(0, ...names.map((name) => Number.parseInt(name, 10) || 0));
}

/** All that the index says of a fragment and its header goes beside the segment that it is in. */
async function addEntries(
  index: Index,
  id: number,
  to: {
    readonly key: Uint8Array;
    readonly value: Uint8Array;
    readonly entries: Map<number, [Uint8Array, Uint8Array][]>;
    readonly headers: Set<string>;
  },
): Promise<void> {
  const number = numberOfKey(to.key);
  let record;
  try {
    record = decodeFragment(number, to.value);
  } catch {
    return;
  }
  const { segment } = decodePlace(record.place);
  const own = to.entries.get(segment) ?? [];
  to.entries.set(segment, own);
  own.push([to.key, to.value]);
  const name = `${String(segment)} ${Buffer.from(record.headerId).toString('hex')}`;
  const keys = [
    ...(record.tagsBytes > 0 ? [numberKey(KIND.tags, id, number)] : []),
    ...(to.headers.has(name)
      ? []
      : [KIND.header, KIND.headerUse].map((kind) => headerKey(kind, id, record.headerId))),
  ];
  to.headers.add(name);
  for (const [at, value] of (await index.getMany(keys)).entries()) {
    const key = keys[at];
    if (key !== undefined && value !== undefined) own.push([key, value]);
  }
}

async function writeFlushed(
  path: string,
  entries: readonly (readonly [Uint8Array, Uint8Array])[],
): Promise<void> {
  const file = await open(`${path}.tmp`, 'w', 0o600);
  try {
    await file.writeFile(encodeRecords(entries));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
}
