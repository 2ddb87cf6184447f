import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KIND, decodeSegment, partsOfSegmentKey, segmentKey } from './codec.js';
import { streamKey, streamKeyEnd, type SegmentState } from './codec.js';
import { flushDirectory } from './flush-directory.js';
import type { Index } from './open-index.js';
import { createSegment, reopenSegment, type SegmentFile } from './segment.js';

/** The media files of all streams: which there are, and who appends to which. @internal */
export class SegmentSet {
  readonly #index: Index;
  readonly #media: string;
  readonly #segmentBytes: number;
  /** Segments that somebody appends to. */
  readonly #taken = new Set<string>();

  constructor(index: Index, media: string, segmentBytes: number) {
    this.#index = index;
    this.#media = media;
    this.#segmentBytes = segmentBytes;
  }

  directory(id: number): string {
    return join(this.#media, String(id));
  }

  /** A segment of the stream that nobody else appends to. */
  async take(id: number): Promise<SegmentFile> {
    const free = (await this.#newest(id)).find(
      ({ segment, state }) =>
        state.end < this.#segmentBytes && !this.#taken.has(segmentName(id, segment)),
    );
    if (free === undefined) return this.#create(id);
    const { segment, state } = free;
    const path = segmentPath(this.directory(id), segment);
    const file = await reopenSegment(path, id, segment, state.end);
    this.#taken.add(segmentName(id, segment));
    return file;
  }

  /** Ends the use of a closed segment; one that nothing was committed to is removed. */
  async leave(id: number, segment: number): Promise<void> {
    if ((await this.#index.get(segmentKey(id, segment))) === undefined) {
      await rm(segmentPath(this.directory(id), segment), { force: true });
    }
    this.#taken.delete(segmentName(id, segment));
  }

  /** Removes a segment's file, or says false while somebody appends to it. */
  async remove(id: number, segment: number): Promise<boolean> {
    if (this.#taken.has(segmentName(id, segment))) return false;
    await rm(segmentPath(this.directory(id), segment), { force: true });
    return true;
  }

  async #create(id: number): Promise<SegmentFile> {
    const directory = this.directory(id);
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
  async #newest(id: number): Promise<{ segment: number; state: SegmentState }[]> {
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
}

/** Path of a segment file within its stream's directory. @internal */
export function segmentPath(directory: string, segment: number): string {
  return join(directory, `${String(segment).padStart(10, '0')}.media`);
}

function segmentName(id: number, segment: number): string {
  return `${String(id)}/${String(segment)}`;
}
