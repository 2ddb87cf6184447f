import {
  KIND,
  decodeFragment,
  decodeSafe,
  decodeStream,
  encodeSafe,
  encodeStream,
  numberKey,
  numberOfKey,
  streamKey,
  streamKeyEnd,
  timeKey,
} from './codec.js';
import { Committer, type IndexOp } from './committer.js';
import { expireFragments } from './expire.js';
import { FORMAT_VERSION, formatIs, openIndex, type Index } from './open-index.js';
import { DiskReader } from './reader.js';
import type { DataKey } from './seal.js';
import type { SegmentFile } from './segment.js';
import { SegmentSet, segmentPath } from './segments.js';
import type { FragmentReader, FragmentRecord, FragmentStore, FragmentWriter } from './types.js';
import type { KeySource, NumberRange, StreamItem, StreamRecord, TimeRange } from './types.js';
import { Turns } from './turns.js';
import { DiskWriter } from './writer.js';

const SEGMENT_BYTES = 64 * 1024 * 1024;

/** How a disk store works. @internal */
export interface DiskStoreOptions {
  readonly directory: string;
  /** Whether fragments share flushes. */
  readonly fsync: 'each' | 'group';
  /** Most bytes that segment files may take; default no limit. */
  readonly quota?: number;
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
  const warn = options.warn ?? ((): void => undefined);
  const parts = await openIndex(options.directory, warn);
  const store = new DiskStore(parts, options);
  await store.measure();
  return store;
}

interface StoreParts {
  readonly index: Index;
  /** Directory of the media files. */
  readonly media: string;
  /** Version of the format that the directory says. */
  readonly format: number;
}

/** Media in append-only files, everything else in an ordered index. @internal */
export class DiskStore implements FragmentStore {
  readonly #index: Index;
  readonly #segments: SegmentSet;
  readonly #committer: Committer;
  readonly #segmentBytes: number;
  readonly #quota: number;
  #format: number;
  readonly #writers = new Map<DiskWriter, number>();
  /** One change of a stream's set of files at a time. */
  readonly #turns = new Turns();

  constructor({ index, media, format }: StoreParts, options: DiskStoreOptions) {
    const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#index = index;
    this.#format = format;
    this.#segmentBytes = segmentBytes;
    this.#quota = options.quota ?? Infinity;
    this.#segments = new SegmentSet(index, media, segmentBytes);
    const write = (ops: IndexOp[], sync: boolean): Promise<void> => index.batch(ops, { sync });
    this.#committer = new Committer(write, options.fsync === 'each' ? 1 : Infinity);
  }

  /** Learns how much of the quota is used. */
  measure(): Promise<void> {
    return this.#segments.measure();
  }

  room(): number {
    return this.#quota === Infinity ? Infinity : this.#quota - this.#segments.bytes;
  }

  async streams(): Promise<StreamRecord[]> {
    const values = await this.#index.values({
      gte: Uint8Array.of(KIND.stream),
      lt: Uint8Array.of(KIND.stream + 1),
    });
    return values.map(decodeStream);
  }

  newStreamId(): Promise<number> {
    return this.#turns.run(0, async () => {
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
    // The data key goes first: without it nobody can read what a crash would leave behind.
    const own = [KIND.stream, KIND.dataKey, KIND.sessions];
    await this.#index.batch(
      own.map((kind) => ({ type: 'del' as const, key: streamKey(kind, id) })),
      { sync: true },
    );
    await this.clearStream(id);
    await this.#index.del(streamKey(KIND.reserved, id));
  }

  clearStream(id: number): Promise<void> {
    return this.#turns.run(id, async () => {
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
      await this.#segments.removeAll(id);
    });
  }

  reserve(id: number, count: number): Promise<number> {
    return this.#turns.run(id, async () => {
      const key = streamKey(KIND.reserved, id);
      const value = await this.#index.get(key);
      const first = value === undefined ? 1 : decodeSafe(value);
      await this.#index.put(key, encodeSafe(first + count), { sync: true });
      return first;
    });
  }

  item(id: number, name: StreamItem): Promise<Uint8Array | undefined> {
    return this.#index.get(streamKey(KIND[name], id));
  }

  putItem(id: number, name: StreamItem, value: Uint8Array): Promise<void> {
    return this.#index.put(streamKey(KIND[name], id), value, { sync: true });
  }

  async openWriter(id: number, key?: DataKey): Promise<FragmentWriter> {
    if (key !== undefined) await this.#beCurrent();
    const host = {
      committer: this.#committer,
      segmentBytes: this.#segmentBytes,
      key,
      takeSegment: () => this.#turns.run(id, () => this.#segments.take(id)),
      leaveSegment: (file: SegmentFile) => this.#leaveSegment(file),
      closed: (writer: DiskWriter) => this.#writers.delete(writer),
    };
    const writer = new DiskWriter(id, host, await host.takeSegment());
    this.#writers.set(writer, id);
    return writer;
  }

  openReader(id: number, key?: KeySource): FragmentReader {
    const directory = this.#segments.directory(id);
    const path = (segment: number): string => segmentPath(directory, segment);
    return new DiskReader(id, { index: this.#index, path, key });
  }

  async byNumber(id: number, range: NumberRange): Promise<FragmentRecord[]> {
    const kind = KIND.fragment;
    const entries = await this.#index.entries({
      gte: range.from === undefined ? streamKey(kind, id) : numberKey(kind, id, range.from),
      lt: range.before === undefined ? streamKeyEnd(kind, id) : numberKey(kind, id, range.before),
      limit: range.limit,
      reverse: range.order === 'descending',
    });
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
    const keys = await this.#index.keys({ ...bounds, limit: range.limit, reverse });
    return this.#fetch(id, keys.map(numberOfKey));
  }

  /** Records in the order of `numbers`; neighbours in time mostly are neighbours in number. */
  async #fetch(id: number, numbers: readonly bigint[]): Promise<FragmentRecord[]> {
    const [low, high] = extremes(numbers);
    const near = await this.byNumber(id, {
      from: low,
      before: high + 1n,
      limit: 2 * numbers.length,
    });
    const found = new Map(near.map((record) => [record.number, record]));
    const far = numbers.filter((number) => !found.has(number));
    for (const record of far.length === 0 ? [] : await this.get(id, far)) {
      if (record !== undefined) found.set(record.number, record);
    }
    return numbers.map((number) => found.get(number)).filter((record) => record !== undefined);
  }

  async get(id: number, numbers: readonly bigint[]): Promise<(FragmentRecord | undefined)[]> {
    const keys = numbers.map((number) => numberKey(KIND.fragment, id, number));
    const values = await this.#index.getMany(keys);
    return numbers.map((number, at) => {
      const value = values[at];
      return value === undefined ? undefined : decodeFragment(number, value);
    });
  }

  expire(id: number, expired: (record: FragmentRecord) => boolean): Promise<number> {
    return this.#turns.run(id, () =>
      expireFragments({
        index: this.#index,
        id,
        expired,
        headerInUse: (headerId) => this.#headerInUse(id, headerId),
        removeSegment: (segment) => this.#segments.remove(id, segment),
      }),
    );
  }

  flushes(): number {
    return this.#committer.rounds;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#writers.keys()].map((writer) => writer.close()));
    await this.#committer.idle();
    await this.#index.close();
  }

  /** A directory has its older format until something in it is sealed. */
  async #beCurrent(): Promise<void> {
    if (this.#format === FORMAT_VERSION) return;
    await this.#index.batch([formatIs(FORMAT_VERSION)], { sync: true });
    this.#format = FORMAT_VERSION;
  }

  #headerInUse(id: number, headerId: Uint8Array): boolean {
    return [...this.#writers].some(
      ([writer, of]) => of === id && Buffer.compare(writer.headerId, headerId) === 0,
    );
  }

  async #leaveSegment(file: SegmentFile): Promise<void> {
    await file.close();
    await this.#turns.run(file.id, () => this.#segments.leave(file));
  }
}

function extremes(numbers: readonly bigint[]): readonly [bigint, bigint] {
  let low = numbers[0] ?? 0n;
  let high = low;
  for (const number of numbers) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return [low, high];
}
