import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ClassicLevel } from 'classic-level';
import { KvsError } from '../../base/errors.js';
import {
  KIND,
  decodeFragment,
  decodeSafe,
  decodeSegment,
  decodeStream,
  encodeSafe,
  encodeStream,
  headerKey,
  numberKey,
  numberOfKey,
  partsOfSegmentKey,
  segmentKey,
  streamKey,
  streamKeyEnd,
  timeKey,
  type SegmentState,
} from './codec.js';
import { Committer, type IndexOp } from './committer.js';
import { expireFragments } from './expire.js';
import { DiskReader } from './reader.js';
import { recoverSegments } from './recover.js';
import { createSegment, reopenSegment, type SegmentFile } from './segment.js';
import { FragmentDamagedError } from './types.js';
import type { FragmentReader, FragmentRecord, FragmentStore, FragmentWriter } from './types.js';
import type { NumberRange, StreamRecord, TimeRange } from './types.js';
import { DiskWriter } from './writer.js';

/** Version of the format on disk, as SPEC.md describes it. @internal */
export const FORMAT_VERSION = 1;
const SEGMENT_BYTES = 64 * 1024 * 1024;

/** The index: an ordered map of bytes to bytes. @internal */
export type Index = ClassicLevel<Uint8Array, Uint8Array>;

/** How a disk store works. @internal */
export interface DiskStoreOptions {
  readonly directory: string;
  /** Whether fragments share flushes. */
  readonly fsync: 'each' | 'group';
  /** A segment file that reached this size is followed by a new one; default 64 MiB. */
  readonly segmentBytes?: number;
  readonly warn?: (message: string) => void;
}

/**
 * Opens the store in `directory`, making it when there is none, and cuts off what a crash left
 * uncommitted. Rejects with `KvsError` when another process uses it or its format is unknown.
 * @internal
 */
export async function openDiskStore(options: DiskStoreOptions): Promise<FragmentStore> {
  const media = join(options.directory, 'media');
  await mkdir(media, { recursive: true, mode: 0o700 });
  const index: Index = new ClassicLevel(join(options.directory, 'index'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  try {
    await index.open();
  } catch (error) {
    throw new KvsError({
      status: 'STATUS_OPEN_FILE_FAILED',
      message:
        `cannot open the index in ${options.directory}; ` +
        'one service at a time may use a data directory, and it must be writable',
      cause: error,
    });
  }
  try {
    await checkFormat(index, options.directory);
    await recoverSegments(index, media, options.warn ?? ((): void => undefined));
  } catch (error) {
    await index.close();
    throw error;
  }
  return new DiskStore(index, media, options);
}

async function checkFormat(index: Index, directory: string): Promise<void> {
  const key = streamKey(KIND.format, 0);
  const value = await index.get(key);
  if (value === undefined) {
    await index.put(key, encodeSafe(FORMAT_VERSION), { sync: true });
    return;
  }
  const version = decodeSafe(value);
  if (version !== FORMAT_VERSION) {
    throw new KvsError({
      status: 'STATUS_FORMAT_ERROR',
      message:
        `${directory} has format ${String(version)}, this version reads ` +
        `${String(FORMAT_VERSION)}; use the version that wrote it, or another directory`,
    });
  }
}

/** Media in append-only files, everything else in an ordered index. */
class DiskStore implements FragmentStore {
  readonly #index: Index;
  readonly #media: string;
  readonly #committer: Committer;
  readonly #segmentBytes: number;
  readonly #writers = new Map<DiskWriter, number>();
  /** Segments that somebody appends to. */
  readonly #taken = new Set<string>();
  /** One change of a stream's set of files at a time. */
  readonly #locks = new Map<number, Promise<unknown>>();

  constructor(index: Index, media: string, options: DiskStoreOptions) {
    this.#index = index;
    this.#media = media;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    const write = (ops: IndexOp[], sync: boolean): Promise<void> => index.batch(ops, { sync });
    this.#committer = new Committer(write, options.fsync === 'each' ? 1 : Infinity);
  }

  async streams(): Promise<StreamRecord[]> {
    const values = await this.#index
      .values({ gte: Uint8Array.of(KIND.stream), lt: Uint8Array.of(KIND.stream + 1) })
      .all();
    return values.map(decodeStream);
  }

  newStreamId(): Promise<number> {
    return this.#locked(0, async () => {
      const key = streamKey(KIND.nextId, 0);
      const value = await this.#index.get(key);
      const id = value === undefined ? 1 : decodeSafe(value);
      await this.#index.put(key, encodeSafe(id + 1), { sync: true });
      return id;
    });
  }

  putStream(record: StreamRecord): Promise<void> {
    const key = streamKey(KIND.stream, record.id);
    return this.#index.put(key, encodeStream(record), { sync: true });
  }

  async deleteStream(id: number): Promise<void> {
    await this.#index.del(streamKey(KIND.stream, id), { sync: true });
    await this.clearStream(id);
    await this.#index.del(streamKey(KIND.reserved, id));
  }

  clearStream(id: number): Promise<void> {
    return this.#locked(id, async () => {
      const media: readonly number[] = [
        KIND.fragment,
        KIND.producer,
        KIND.server,
        KIND.tags,
        KIND.header,
        KIND.headerUse,
        KIND.segment,
      ];
      for (const kind of media) {
        await this.#index.clear({ gte: streamKey(kind, id), lt: streamKeyEnd(kind, id) });
      }
      await rm(this.#directory(id), { recursive: true, force: true });
    });
  }

  reserve(id: number, count: number): Promise<number> {
    return this.#locked(id, async () => {
      const key = streamKey(KIND.reserved, id);
      const value = await this.#index.get(key);
      const first = value === undefined ? 1 : decodeSafe(value);
      await this.#index.put(key, encodeSafe(first + count), { sync: true });
      return first;
    });
  }

  async openWriter(id: number): Promise<FragmentWriter> {
    const host = {
      committer: this.#committer,
      segmentBytes: this.#segmentBytes,
      takeSegment: () => this.#takeSegment(id),
      leaveSegment: (file: SegmentFile) => this.#leaveSegment(file),
      closed: (writer: DiskWriter) => this.#writers.delete(writer),
    };
    const writer = new DiskWriter(id, host, await host.takeSegment());
    this.#writers.set(writer, id);
    return writer;
  }

  openReader(id: number): FragmentReader {
    return new DiskReader((segment) => segmentPath(this.#directory(id), segment));
  }

  async byNumber(id: number, range: NumberRange): Promise<FragmentRecord[]> {
    const kind = KIND.fragment;
    const entries = await this.#index
      .iterator({
        gte: range.from === undefined ? streamKey(kind, id) : numberKey(kind, id, range.from),
        lt: range.before === undefined ? streamKeyEnd(kind, id) : numberKey(kind, id, range.before),
        limit: range.limit,
        reverse: range.order === 'descending',
      })
      .all();
    return entries.map(([key, value]) => decodeFragment(numberOfKey(key), value));
  }

  async byTime(id: number, range: TimeRange): Promise<FragmentRecord[]> {
    const kind = range.kind === 'producer' ? KIND.producer : KIND.server;
    const low = timeKey(kind, id, range.from, 0n);
    const high = timeKey(kind, id, range.to + 1, 0n);
    const after = range.after && timeKey(kind, id, range.after.time, range.after.number);
    const reverse = range.order === 'descending';
    const bounds = reverse
      ? { gte: low, lt: after ?? high }
      : { ...(after === undefined ? { gte: low } : { gt: after }), lt: high };
    const keys = await this.#index.keys({ ...bounds, limit: range.limit, reverse }).all();
    const records = await this.get(id, keys.map(numberOfKey));
    return records.filter((record) => record !== undefined);
  }

  async get(id: number, numbers: readonly bigint[]): Promise<(FragmentRecord | undefined)[]> {
    const keys = numbers.map((number) => numberKey(KIND.fragment, id, number));
    const values = await this.#index.getMany(keys);
    return numbers.map((number, at) => {
      const value = values[at];
      return value === undefined ? undefined : decodeFragment(number, value);
    });
  }

  async header(id: number, record: FragmentRecord): Promise<Uint8Array> {
    const value = await this.#index.get(headerKey(KIND.header, id, record.headerId));
    if (value !== undefined) return value;
    throw new FragmentDamagedError(`MKV header of fragment ${String(record.number)} is gone`);
  }

  async tags(id: number, record: FragmentRecord): Promise<Uint8Array> {
    if (record.tagsBytes === 0) return new Uint8Array();
    const value = await this.#index.get(numberKey(KIND.tags, id, record.number));
    if (value?.length === record.tagsBytes && crc32(value) === record.tagsSum) return value;
    throw new FragmentDamagedError(`tags of fragment ${String(record.number)} are damaged`);
  }

  expire(id: number, expired: (record: FragmentRecord) => boolean): Promise<number> {
    return this.#locked(id, () =>
      expireFragments({
        index: this.#index,
        id,
        expired,
        headerInUse: (headerId) => this.#headerInUse(id, headerId),
        removeSegment: (segment) => this.#removeSegment(id, segment),
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#writers.keys()].map((writer) => writer.close()));
    await this.#committer.idle();
    await this.#index.close();
  }

  #headerInUse(id: number, headerId: Uint8Array): boolean {
    return [...this.#writers].some(
      ([writer, of]) => of === id && Buffer.compare(writer.headerId, headerId) === 0,
    );
  }

  async #removeSegment(id: number, segment: number): Promise<boolean> {
    if (this.#taken.has(segmentName(id, segment))) return false;
    await rm(segmentPath(this.#directory(id), segment), { force: true });
    return true;
  }

  #takeSegment(id: number): Promise<SegmentFile> {
    return this.#locked(id, async () => {
      const directory = this.#directory(id);
      const known = await this.#segments(id);
      const free = known.find(
        ({ segment, state }) =>
          state.end < this.#segmentBytes && !this.#taken.has(segmentName(id, segment)),
      );
      if (free !== undefined) {
        const { segment, state } = free;
        const path = segmentPath(directory, segment);
        const file = await reopenSegment(path, id, segment, state.end);
        this.#taken.add(segmentName(id, segment));
        return file;
      }
      return this.#newSegment(id, directory);
    });
  }

  async #newSegment(id: number, directory: string): Promise<SegmentFile> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const names = await readdir(directory);
    const segment = Math.max(0, ...names.map((name) => Number.parseInt(name, 10) || 0)) + 1;
    const file = await createSegment(segmentPath(directory, segment), id, segment);
    this.#taken.add(segmentName(id, segment));
    // The names must be as durable as the bytes: a Persisted fragment lies behind them.
    await flushDirectory(directory);
    await flushDirectory(this.#media);
    return file;
  }

  /** The newest few segments of a stream, newest first. */
  async #segments(id: number): Promise<{ segment: number; state: SegmentState }[]> {
    const entries = await this.#index
      .iterator({
        gte: streamKey(KIND.segment, id),
        lt: streamKeyEnd(KIND.segment, id),
        reverse: true,
        limit: 4,
      })
      .all();
    return entries.map(([key, value]) => ({
      segment: partsOfSegmentKey(key).segment,
      state: decodeSegment(value),
    }));
  }

  async #leaveSegment(file: SegmentFile): Promise<void> {
    const { id, segment } = file;
    await file.close();
    // A file that failed stays taken, so that nobody appends to it before the next start.
    if (file.failed) return;
    await this.#locked(id, async () => {
      if ((await this.#index.get(segmentKey(id, segment))) === undefined) {
        await rm(segmentPath(this.#directory(id), segment), { force: true });
      }
      this.#taken.delete(segmentName(id, segment));
    });
  }

  #directory(id: number): string {
    return join(this.#media, String(id));
  }

  #locked<T>(id: number, work: () => Promise<T>): Promise<T> {
    const before = this.#locks.get(id) ?? Promise.resolve();
    const result = before.then(work);
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    this.#locks.set(id, settled);
    void settled.then(() => {
      if (this.#locks.get(id) === settled) this.#locks.delete(id);
    });
    return result;
  }
}

/** Path of a segment file within its stream's directory. @internal */
export function segmentPath(directory: string, segment: number): string {
  return join(directory, `${String(segment).padStart(10, '0')}.media`);
}

function segmentName(id: number, segment: number): string {
  return `${String(id)}/${String(segment)}`;
}

async function flushDirectory(path: string): Promise<void> {
  // Windows cannot open directories; its file systems keep names with the files.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
