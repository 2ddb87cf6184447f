import { mkdir, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeSegmentHead } from './blocks.js';
import { KIND, decodeSafe, decodeSegment, headerIdOfPlace, headerPlaceKey } from './codec.js';
import { partsOfSegmentKey, segmentKey, streamKey, streamKeyEnd } from './codec.js';
import type { SegmentState } from './codec.js';
import { flushDirectory } from './flush-directory.js';
import type { Index } from './open-index.js';
import { SEGMENT_MAGIC, createSegment, reopenSegment, type SegmentFile } from './segment.js';
import { SegmentSizes } from './sizes.js';

/** What the media files of a store need of it. @internal */
export interface SegmentParts {
  readonly index: Index;
  readonly media: string;
  readonly segmentBytes: number;
  /** Names the directory; undefined while it has an older format. */
  readonly generation: () => Uint8Array | undefined;
  /** A segment number that the stream never had; undefined: the next behind its files. */
  readonly nextSegment: (id: number, atLeast: number) => number;
}

/** The media files of all streams: which there are, and who appends to which. @internal */
export class SegmentSet {
  readonly #parts: SegmentParts;
  readonly #index: Index;
  readonly #media: string;
  /** Segments that somebody appends to. */
  readonly #taken = new Map<string, SegmentFile>();
  /** Segments that a write or flush failed on, or that were found other than the index says. */
  readonly #spoilt = new Set<string>();
  readonly #sizes = new SegmentSizes();

  constructor(parts: SegmentParts) {
    this.#parts = parts;
    this.#index = parts.index;
    this.#media = parts.media;
  }

  directory(id: number): string {
    return join(this.#media, String(id));
  }

  /** Learns what the files take that an earlier start has left. */
  async measure(): Promise<void> {
    const range = { gte: Uint8Array.of(KIND.segment), lt: Uint8Array.of(KIND.segment + 1) };
    for (const [key, value] of await this.#index.entries(range)) {
      const { id, segment } = partsOfSegmentKey(key);
      this.#sizes.set(id, segment, decodeSegment(value).end);
    }
  }

  /**
   * Bytes of all segment files, those included that wait to be written or are due, and the first
   * bytes of the file that may have to follow each one in use.
   */
  get bytes(): number {
    let bytes = this.#sizes.total;
    for (const file of this.#taken.values())
      bytes += file.end + file.due + this.#head(file.id, 0).length;
    return bytes;
  }

  /** Nobody appends to a segment any more. */
  spoil(id: number, segment: number): void {
    this.#spoilt.add(segmentName(id, segment));
  }

  /** A segment of the stream that nobody else appends to. */
  async take(id: number): Promise<SegmentFile> {
    for (const { segment, state } of await this.#newest(id)) {
      const name = segmentName(id, segment);
      if (!this.#isFree(name) || !this.#continues(state)) continue;
      try {
        const file = await this.#reopen(id, segment, state);
        this.#take(file);
        return file;
      } catch {
        // Missing, or of a disk that fails: it is not this stream's last one.
        this.#spoilt.add(name);
      }
    }
    return this.#create(id);
  }

  /**
   * Ends the use of a closed segment; what was not committed is cut off, and a file that nothing
   * was committed to is removed. Never rejects: where the disk fails, the file is left as it is.
   */
  async leave(file: SegmentFile): Promise<void> {
    const { id, segment } = file;
    const name = segmentName(id, segment);
    if (file.failed) this.#spoilt.add(name);
    this.#taken.delete(name);
    this.#sizes.set(id, segment, file.end);
    try {
      await this.#cutOff(file);
    } catch {
      this.#spoilt.add(name);
    }
  }

  async #cutOff({ id, segment, end, failed }: SegmentFile): Promise<void> {
    const path = segmentPath(this.directory(id), segment);
    const value = await this.#index.get(segmentKey(id, segment));
    if (value === undefined) {
      if (failed) return;
      await rm(path, { force: true });
      this.#sizes.delete(id, segment);
      return;
    }
    const committed = decodeSegment(value).end;
    if (committed < end && !failed) await truncate(path, committed);
    this.#sizes.set(id, segment, failed ? end : committed);
  }

  /** Whether a segment may grow, and has the format that is written now. */
  #continues(state: SegmentState): boolean {
    const isNew = state.newest !== undefined;
    return (
      state.end < this.#parts.segmentBytes && isNew === (this.#parts.generation() !== undefined)
    );
  }

  async #reopen(id: number, segment: number, state: SegmentState): Promise<SegmentFile> {
    const path = segmentPath(this.directory(id), segment);
    const { size } = await stat(path);
    if (size < state.end) throw new Error(`${path} is too short`);
    const file = await reopenSegment(path, id, segment, state.end);
    file.state = state;
    const range = { gte: headerPlaceKey(id, segment), lt: headerPlaceKey(id, segment + 1) };
    for (const [key, value] of await this.#index.entries(range)) {
      const name = Buffer.from(headerIdOfPlace(key)).toString('hex');
      const place = { offset: decodeSafe(value), bytes: decodeSafe(value.subarray(8)) };
      file.headers.set(name, { ...place, known: true });
    }
    return file;
  }

  #isFree(name: string): boolean {
    return !this.#taken.has(name) && !this.#spoilt.has(name);
  }

  #take(file: SegmentFile): void {
    this.#taken.set(segmentName(file.id, file.segment), file);
    this.#sizes.delete(file.id, file.segment);
  }

  /** Whether somebody appends to a segment. */
  isTaken(id: number, segment: number): boolean {
    return this.#taken.has(segmentName(id, segment));
  }

  /** Removes a segment's file, or says false while somebody appends to it. */
  async remove(id: number, segment: number): Promise<boolean> {
    const name = segmentName(id, segment);
    if (this.#taken.has(name)) return false;
    await rm(segmentPath(this.directory(id), segment), { force: true });
    await rm(recordsPath(this.directory(id), segment), { force: true });
    this.#sizes.delete(id, segment);
    this.#spoilt.delete(name);
    return true;
  }

  /** Removes all files of a stream. */
  async removeAll(id: number): Promise<void> {
    await rm(this.directory(id), { recursive: true, force: true });
    this.#sizes.deleteStream(id);
  }

  async #create(id: number): Promise<SegmentFile> {
    const directory = this.directory(id);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const names = await readdir(directory);
    const highest = Math.max(0, ...names.map((name) => Number.parseInt(name, 10) || 0));
    const segment = this.#parts.nextSegment(id, highest + 1);
    const head = this.#head(id, segment);
    const file = await createSegment(segmentPath(directory, segment), id, segment, head);
    this.#take(file);
    // The names must be as durable as the bytes: a Persisted fragment lies behind them.
    await flushDirectory(directory);
    await flushDirectory(this.#media);
    return file;
  }

  #head(stream: number, segment: number): Readonly<Uint8Array> {
    const generation = this.#parts.generation();
    if (generation === undefined) return SEGMENT_MAGIC;
    return encodeSegmentHead({ generation, stream, segment });
  }

  /** The newest few segments of a stream, newest first. */
  async #newest(id: number): Promise<{ segment: number; state: SegmentState }[]> {
    const entries = await this.#index.entries({
      gte: streamKey(KIND.segment, id),
      lt: streamKeyEnd(KIND.segment, id),
      reverse: true,
      limit: 4,
    });
    return entries.map(([key, value]) => ({
      segment: partsOfSegmentKey(key).segment,
      state: decodeSegment(value),
    }));
  }
}

/** Path of a segment file within its stream's directory. @internal */
export function segmentPath(directory: string, segment: number): string {
  return join(directory, `${String(segment).padStart(10, '0')}.media`);
}

/** Path of the records of a segment file of an older format. @internal */
export function recordsPath(directory: string, segment: number): string {
  return join(directory, `${String(segment).padStart(10, '0')}.records`);
}

function segmentName(id: number, segment: number): string {
  return `${String(id)}/${String(segment)}`;
}
