import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KIND, decodeSafe, streamKey, streamKeyEnd } from './codec.js';
import { Committer, type IndexOp } from './committer.js';
import { NOT_COUNTED, StreamCounters, countedTo } from './counters.js';
import type { StreamFile } from './directory-files.js';
import { DiskCatalog } from './disk-catalog.js';
import { DiskIndex } from './disk-index.js';
import { DiskReader } from './disk-reader.js';
import { DiskSpace } from './disk-space.js';
import { EntryWriter } from './entry-writer.js';
import type { ExpireJob } from './expire.js';
import { LocalTail } from './local-tail.js';
import { moveDirectory } from './move.js';
import { openDirectory, type OpenDirectory } from './open-directory.js';
import { FORMAT_VERSION, type Index } from './open-index.js';
import { RecordWriter } from './record-writer.js';
import type { WriterHost } from './segment-writer.js';
import type { SegmentFile } from './segment.js';
import { SegmentSet, segmentPath } from './segments.js';
import { Turns } from './turns.js';
import type { Catalog, FragmentIndex, FragmentStore, LiveTail } from './types.js';
import type { MediaReader, MediaStore, MediaWriter } from './types.js';

const SEGMENT_BYTES = 64 * 1024 * 1024;
/** So much of the index is not counted against the quota. */
const INDEX_ALLOWANCE = 4 * 1024 * 1024;
/** After so many changes of the index its size is measured. */
const MEASURE_EVERY = 256;

/** How a disk store works. @internal */
export interface DiskStoreOptions {
  readonly directory: string;
  /** Whether fragments share flushes. */
  readonly fsync: 'each' | 'group';
  /** Most bytes that all of it may take; default no limit. */
  readonly quota?: number;
  /** A segment file that reached this size is followed by a new one; default 64 MiB. */
  readonly segmentBytes?: number;
  /** A directory of an older format stays one. */
  readonly keepFormat?: boolean;
  readonly warn?: (message: string) => void;
  /** Told of what takes long or cannot be undone. */
  readonly info?: (message: string) => void;
  /** Told how long each flush took, ms. */
  readonly flushed?: (ms: number) => void;
}

/**
 * Opens the store in `directory`, making it when there is none, and brings its index in step with its
 * media. Rejects with `KvsError` when another process uses it or its format is unknown. @internal
 */
export async function openDiskStore(options: DiskStoreOptions): Promise<FragmentStore> {
  const warn = options.warn ?? ((): void => undefined);
  const opened = await openDirectory({ path: options.directory, warn, index: 'trust' });
  const store = new DiskStore(opened, { ...options, warn });
  await store.measure();
  return store;
}

/** Media in append-only files that describe themselves, and an ordered index of them. @internal */
export class DiskStore implements FragmentStore, MediaStore {
  readonly catalog: Catalog;
  readonly index: FragmentIndex;
  readonly media: MediaStore = this;
  readonly live: LiveTail;
  readonly #options: DiskStoreOptions;
  readonly #opened: OpenDirectory;
  readonly #index: Index;
  readonly #space: DiskSpace;
  readonly #segments: SegmentSet;
  readonly #committer: Committer;
  readonly #streams: Map<number, StreamFile>;
  readonly #counters = new Map<number, Promise<StreamCounters>>();
  readonly #catalog: DiskCatalog;
  #format: number;
  #moving: Promise<void> | undefined;
  #indexBytes = 0;
  #changes = 0;
  readonly #writers = new Map<EntryWriter | RecordWriter, number>();
  /** One change of a stream's set of files at a time. */
  readonly #turns = new Turns();

  constructor(
    opened: OpenDirectory,
    options: DiskStoreOptions & { readonly warn: (message: string) => void },
  ) {
    const { index, media, directory } = opened;
    const turns = this.#turns;
    this.#options = options;
    this.#opened = opened;
    this.#index = index;
    this.#space = new DiskSpace(media);
    this.#format = opened.format;
    this.#streams = new Map(opened.found.streams);
    this.#segments = new SegmentSet({
      ...{ index, media, segmentBytes: options.segmentBytes ?? SEGMENT_BYTES },
      generation: () => this.#generation(),
      nextSegment: (id, atLeast) => this.#streams.get(id)?.nextSegment(atLeast) ?? atLeast,
    });
    for (const { id, segment } of opened.found.spoilt) this.#segments.spoil(id, segment);
    this.#committer = new Committer(
      (ops, sync) => this.#writeIndex(ops, sync),
      options.fsync === 'each' ? 1 : Infinity,
      options.flushed,
    );
    const beCurrent = (): Promise<void> => this.#beCurrent();
    this.#catalog = new DiskCatalog({
      ...{ index, media, directory, turns, beCurrent, streams: this.#streams },
      isCurrent: () => this.#format === FORMAT_VERSION,
      removeFiles: (id) => this.#removeFiles(id),
    });
    this.catalog = this.#catalog;
    this.live = new LocalTail((id, count) => this.#catalog.reserve(id, count));
    this.index = new DiskIndex({
      ...{ index, turns, beCurrent, warn: options.warn },
      lowMark: (id) => BigInt(this.#streams.get(id)?.state.lowMark ?? 0),
      expiry: (id) => this.#expiry(id),
    });
  }

  /** Learns how much of the quota is used. */
  async measure(): Promise<void> {
    await this.#space.look();
    await this.#segments.measure();
    await this.#measureIndex();
  }

  room(): number {
    const { quota = Infinity } = this.#options;
    const index = Math.max(0, this.#indexBytes - INDEX_ALLOWANCE);
    return Math.min(this.#space.room, quota - this.#segments.bytes - index);
  }

  lookForRoom(): Promise<void> {
    return this.#space.look();
  }

  async openWriter(id: number): Promise<MediaWriter> {
    await this.#beCurrent();
    const generation = this.#generation();
    if (generation !== undefined) await this.#catalog.ensure(id);
    const host: WriterHost = {
      committer: this.#committer,
      segmentBytes: this.#options.segmentBytes ?? SEGMENT_BYTES,
      takeSegment: () => this.#turns.run(id, () => this.#segments.take(id)),
      leaveSegment: (file: SegmentFile) => this.#leaveSegment(file),
      closed: (): void => void this.#writers.delete(writer),
    };
    const counters = await this.#countersOf(id);
    const file = await host.takeSegment();
    const writer =
      generation === undefined
        ? new EntryWriter(id, host, file)
        : new RecordWriter(id, { ...host, generation, counters }, file);
    this.#writers.set(writer, id);
    return writer;
  }

  openReader(id: number): MediaReader {
    const directory = this.#segments.directory(id);
    const path = (segment: number): string => segmentPath(directory, segment);
    return new DiskReader(id, { index: this.#index, path });
  }

  flushes(): number {
    return this.#committer.rounds;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#writers.keys()].map((writer) => writer.close()));
    await this.#committer.idle();
    await this.#index.close();
  }

  #generation(): Uint8Array | undefined {
    if (this.#format !== FORMAT_VERSION) return undefined;
    return Buffer.from(this.#opened.directory.state?.generation ?? '', 'hex');
  }

  async #writeIndex(ops: IndexOp[], sync: boolean): Promise<void> {
    await this.#index.batch(ops, { sync });
    for (const op of ops)
      this.#indexBytes += op.key.length + (op.type === 'put' ? op.value.length : 0);
    this.#changes += 1;
    if (this.#changes % MEASURE_EVERY === 0) await this.#measureIndex();
  }

  async #measureIndex(): Promise<void> {
    if (this.#options.quota === undefined || this.#options.quota === Infinity) return;
    const path = join(this.#options.directory, 'index');
    let bytes = 0;
    for (const name of await readdir(path)) {
      // LevelDB removes files while it works.
      bytes += await stat(join(path, name)).then(
        ({ size }) => size,
        () => 0,
      );
    }
    this.#indexBytes = bytes;
  }

  /** A directory has its older format until something in it is changed. */
  #beCurrent(): Promise<void> {
    if (this.#format === FORMAT_VERSION || this.#options.keepFormat === true) {
      return Promise.resolve();
    }
    return (this.#moving ??= this.#move());
  }

  async #move(): Promise<void> {
    const { directory, info } = this.#options;
    const from = `${directory} is moved from format ${String(this.#format)} to 4`;
    info?.(`${from}; older versions cannot read it then (keepFormat, --keep-format leave it)`);
    const { index, media } = this.#opened;
    try {
      const streams = await moveDirectory({ index, media, directory: this.#opened.directory });
      for (const [id, stream] of streams) this.#streams.set(id, stream);
      this.#counters.clear();
      this.#format = FORMAT_VERSION;
    } catch (error) {
      this.#moving = undefined;
      throw error;
    }
    info?.(`${directory} has format 4 now`);
  }

  #countersOf(id: number): Promise<StreamCounters> {
    const known = this.#counters.get(id);
    if (known !== undefined) return known;
    const counters = this.#loadCounters(id);
    this.#counters.set(id, counters);
    counters.catch(() => this.#counters.delete(id));
    return counters;
  }

  async #loadCounters(id: number): Promise<StreamCounters> {
    const [newest, ...older] = await this.index.byOrdinal(id, { limit: 64, order: 'descending' });
    const own = this.#streams.get(id)?.state.counters ?? NOT_COUNTED;
    if (newest === undefined || newest.ordinal < own.ordinal) return new StreamCounters(own);
    const state = countedTo(
      newest,
      [newest, ...older].find(({ live }) => live),
    );
    // An entry that cannot be read has its ordinal all the same.
    const range = { gte: streamKey(KIND.ordinal, id), lt: streamKeyEnd(KIND.ordinal, id) };
    const [last] = await this.#index.keys({ ...range, limit: 1, reverse: true });
    const ordinal = last === undefined ? state.ordinal : decodeSafe(last.subarray(5));
    return new StreamCounters({ ...state, ordinal: Math.max(ordinal, state.ordinal) });
  }

  #expiry(id: number): Omit<ExpireJob, 'index' | 'id' | 'bound'> {
    return {
      headerInUse: (headerId) => this.#headerInUse(id, headerId),
      isTaken: (segment) => this.#segments.isTaken(id, segment),
      markLow: async (before) => {
        const { state: counters } = await this.#countersOf(id);
        await this.#streams.get(id)?.change({ lowMark: before.toString(), counters });
      },
      removeSegment: (segment) => this.#segments.remove(id, segment),
    };
  }

  async #removeFiles(id: number): Promise<void> {
    this.#counters.delete(id);
    await this.#segments.removeAll(id);
  }

  #headerInUse(id: number, headerId: Uint8Array): boolean {
    return [...this.#writers].some(
      ([writer, of]) =>
        of === id &&
        writer instanceof EntryWriter &&
        Buffer.compare(writer.headerId ?? NONE, headerId) === 0,
    );
  }

  /** Never rejects: a file that cannot be closed is left as it is. */
  async #leaveSegment(file: SegmentFile): Promise<void> {
    try {
      await file.close();
    } catch {
      this.#segments.spoil(file.id, file.segment);
    }
    await this.#turns.run(file.id, () => this.#segments.leave(file));
  }
}

const NONE: Readonly<Uint8Array> = new Uint8Array();
