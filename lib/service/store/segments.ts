import { mkdir, readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { KIND, decodeSegment, partsOfSegmentKey, segmentKey } from './codec.js';
import { streamKey, streamKeyEnd, type SegmentState } from './codec.js';
import { flushDirectory } from './flush-directory.js';
import type { Index } from './open-index.js';
import { SEGMENT_MAGIC, createSegment, reopenSegment, type SegmentFile } from './segment.js';
import { SegmentSizes } from './sizes.js';

/** The media files of all streams: which there are, and who appends to which. @internal */
export class SegmentSet {
  readonly #index: Index;
  readonly #media: string;
  readonly #segmentBytes: number;
  /** Segments that somebody appends to. */
  readonly #taken = new Map<string, SegmentFile>();
  /** Segments that a write or flush failed on; nobody appends to them before the next start. */
  readonly #spoilt = new Set<string>();
  readonly #sizes = new SegmentSizes();

  constructor(index: Index, media: string, segmentBytes: number) {
    this.#index = index;
    this.#media = media;
    this.#segmentBytes = segmentBytes;
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
    for (const file of this.#taken.values()) bytes += file.end + file.due + SEGMENT_MAGIC.length;
    return bytes;
  }

  /** A segment of the stream that nobody else appends to. */
  async take(id: number): Promise<SegmentFile> {
    const free = (await this.#newest(id)).find(
      ({ segment, state }) =>
        state.end < this.#segmentBytes && this.#isFree(segmentName(id, segment)),
    );
    if (free === undefined) return this.#create(id);
    const { segment, state } = free;
    const path = segmentPath(this.directory(id), segment);
    const file = await reopenSegment(path, id, segment, state.end);
    this.#take(file);
    return file;
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

  async #cutOff({ id, segment, end }: SegmentFile): Promise<void> {
    const path = segmentPath(this.directory(id), segment);
    const value = await this.#index.get(segmentKey(id, segment));
    if (value === undefined) {
      await rm(path, { force: true });
      this.#sizes.delete(id, segment);
      return;
    }
    const committed = decodeSegment(value).end;
    if (committed < end) await truncate(path, committed);
    this.#sizes.set(id, segment, committed);
  }

  #isFree(name: string): boolean {
    return !this.#taken.has(name) && !this.#spoilt.has(name);
  }

  #take(file: SegmentFile): void {
    this.#taken.set(segmentName(file.id, file.segment), file);
    this.#sizes.delete(file.id, file.segment);
  }

  /** Removes a segment's file, or says false while somebody appends to it. */
  async remove(id: number, segment: number): Promise<boolean> {
    const name = segmentName(id, segment);
    if (this.#taken.has(name)) return false;
    await rm(segmentPath(this.directory(id), segment), { force: true });
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
    const segment = Math.max(0, ...names.map((name) => Number.parseInt(name, 10) || 0)) + 1;
    const file = await createSegment(segmentPath(directory, segment), id, segment);
    this.#take(file);
    // The names must be as durable as the bytes: a Persisted fragment lies behind them.
    await flushDirectory(directory);
    await flushDirectory(this.#media);
    return file;
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

function segmentName(id: number, segment: number): string {
  return `${String(id)}/${String(segment)}`;
}
