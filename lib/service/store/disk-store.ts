import { KIND, streamKey, streamKeyEnd } from './codec.js';
import { Committer, type IndexOp } from './committer.js';
import { DiskCatalog } from './disk-catalog.js';
import { DiskIndex } from './disk-index.js';
import { DiskReader } from './disk-reader.js';
import { EntryWriter } from './entry-writer.js';
import { LocalTail } from './local-tail.js';
import { FORMAT_VERSION, formatIs, openIndex, type Index } from './open-index.js';
import type { SegmentFile } from './segment.js';
import { SegmentSet, segmentPath } from './segments.js';
import { Turns } from './turns.js';
import type { Catalog, FragmentIndex, FragmentStore, LiveTail } from './types.js';
import type { MediaReader, MediaStore, MediaWriter } from './types.js';

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
  const store = new DiskStore(parts, { ...options, warn });
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
export class DiskStore implements FragmentStore, MediaStore {
  readonly catalog: Catalog;
  readonly index: FragmentIndex;
  readonly media: MediaStore = this;
  readonly live: LiveTail;
  readonly #index: Index;
  readonly #segments: SegmentSet;
  readonly #committer: Committer;
  readonly #segmentBytes: number;
  readonly #quota: number;
  #format: number;
  readonly #writers = new Map<EntryWriter, number>();
  /** One change of a stream's set of files at a time. */
  readonly #turns = new Turns();

  constructor(
    { index, media, format }: StoreParts,
    options: DiskStoreOptions & { readonly warn: (message: string) => void },
  ) {
    const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#index = index;
    this.#format = format;
    this.#segmentBytes = segmentBytes;
    this.#quota = options.quota ?? Infinity;
    this.#segments = new SegmentSet(index, media, segmentBytes);
    const write = (ops: IndexOp[], sync: boolean): Promise<void> => index.batch(ops, { sync });
    this.#committer = new Committer(write, options.fsync === 'each' ? 1 : Infinity);
    const turns = this.#turns;
    const catalog = new DiskCatalog({ index, turns, clear: (id) => this.#clear(id) });
    this.catalog = catalog;
    this.live = new LocalTail((id, count) => catalog.reserve(id, count));
    this.index = new DiskIndex({
      ...{ index, turns, warn: options.warn },
      headerInUse: (id, headerId) => this.#headerInUse(id, headerId),
      removeSegment: (id, segment) => this.#segments.remove(id, segment),
    });
  }

  /** Learns how much of the quota is used. */
  measure(): Promise<void> {
    return this.#segments.measure();
  }

  room(): number {
    return this.#quota === Infinity ? Infinity : this.#quota - this.#segments.bytes;
  }

  async openWriter(id: number): Promise<MediaWriter> {
    await this.#beCurrent();
    const host = {
      committer: this.#committer,
      segmentBytes: this.#segmentBytes,
      takeSegment: () => this.#turns.run(id, () => this.#segments.take(id)),
      leaveSegment: (file: SegmentFile) => this.#leaveSegment(file),
      closed: (): void => void this.#writers.delete(writer),
    };
    const writer = new EntryWriter(id, host, await host.takeSegment());
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

  #clear(id: number): Promise<void> {
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

  /** A directory has its older format until something in it is written. */
  async #beCurrent(): Promise<void> {
    if (this.#format === FORMAT_VERSION) return;
    await this.#index.batch([formatIs(FORMAT_VERSION)], { sync: true });
    this.#format = FORMAT_VERSION;
  }

  #headerInUse(id: number, headerId: Uint8Array): boolean {
    return [...this.#writers].some(
      ([writer, of]) => of === id && Buffer.compare(writer.headerId ?? NONE, headerId) === 0,
    );
  }

  async #leaveSegment(file: SegmentFile): Promise<void> {
    await file.close();
    await this.#turns.run(file.id, () => this.#segments.leave(file));
  }
}

const NONE: Readonly<Uint8Array> = new Uint8Array();
