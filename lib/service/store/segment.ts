import { open, type FileHandle } from 'node:fs/promises';
import type { SegmentState } from './codec.js';
import { isError } from '../../base/values.js';

/** Writes are gathered until this many bytes wait, or until somebody needs them on file. */
const GATHER_BYTES = 64 * 1024;
/** `writev` takes at most 1,024 buffers on Linux. */
const MAX_BUFFERS = 1024;

/** First bytes of a segment file of formats 1 to 3: name, version. @internal */
export const SEGMENT_MAGIC: Readonly<Uint8Array> = new TextEncoder().encode('KVSMEDIA\0\0\0\x01');

/** Where a header stands in its file, and whether the index knows it. @internal */
export interface HeaderPlace {
  readonly offset: number;
  readonly bytes: number;
  known: boolean;
}

/**
 * One media file that one connection appends to. Bytes are written in order, one write at a
 * time, without being copied. @internal
 */
export class SegmentFile {
  readonly id: number;
  readonly segment: number;
  /** Headers that stand in the file, by their names in hexadecimal; format 4. */
  readonly headers: Map<string, HeaderPlace> = new Map<string, HeaderPlace>();
  /** What the index says of it; format 4. */
  state: SegmentState | undefined;
  /** Bytes that will certainly follow: the seal of a piece that has begun. */
  due = 0;
  readonly #file: FileHandle;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #inFlight = 0;
  /** Where the next byte that waits will be written. */
  #writeAt: number;
  #pump: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(id: number, segment: number, file: FileHandle, end: number) {
    this.id = id;
    this.segment = segment;
    this.#file = file;
    this.#writeAt = end;
  }

  /** Where the next appended byte will stand. */
  get end(): number {
    return this.#writeAt + this.#inFlight + this.#waitingBytes;
  }

  backlog(): number {
    return this.#waitingBytes + this.#inFlight;
  }

  append(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= GATHER_BYTES) void this.#start();
  }

  /** Resolves when everything appended so far is in the file. Rejects when a write failed. */
  async written(): Promise<void> {
    const goal = this.end;
    while (this.#writeAt < goal && this.#failure === undefined) await this.#start();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Writes bytes over those at `at`, which are in the file. */
  async patch(at: number, bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await writeAll(this.#file, [bytes], at);
    } catch (error) {
      this.#failure = asError(error);
      throw this.#failure;
    }
  }

  /** Flushes what is in the file. */
  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#file.datasync();
    } catch (error) {
      // After a failed flush nobody knows which pages are on disk: the file is not used again.
      this.#failure = asError(error);
      throw this.#failure;
    }
  }

  /** Whether a write or flush failed; the file must not be used again. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  async close(): Promise<void> {
    await this.#pump;
    await this.#file.close();
  }

  #start(): Promise<void> {
    this.#pump ??= this.#run().finally(() => {
      this.#pump = undefined;
    });
    return this.#pump;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && this.#failure === undefined) {
      const batch = this.#waiting.splice(0, MAX_BUFFERS);
      const bytes = batch.reduce((sum, part) => sum + part.length, 0);
      this.#waitingBytes -= bytes;
      this.#inFlight = bytes;
      try {
        await writeAll(this.#file, batch, this.#writeAt);
      } catch (error) {
        this.#failure = asError(error);
      }
      this.#inFlight = 0;
      this.#writeAt += bytes;
    }
  }
}

async function writeAll(file: FileHandle, batch: Uint8Array[], position: number): Promise<void> {
  let rest = batch;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, at);
    if (bytesWritten === 0) throw new Error('the disk took no bytes');
    at += bytesWritten;
    rest = dropBytes(rest, bytesWritten);
  }
}

function dropBytes(buffers: Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let index = 0;
  for (; index < buffers.length; index += 1) {
    const length = buffers[index]?.length ?? 0;
    if (left < length) break;
    left -= length;
  }
  const rest = buffers.slice(index);
  if (left > 0 && rest[0] !== undefined) rest[0] = rest[0].subarray(left);
  return rest;
}

/** Makes a new segment file, which begins with `head`. @internal */
export async function createSegment(
  path: string,
  id: number,
  segment: number,
  head: Readonly<Uint8Array> = SEGMENT_MAGIC,
): Promise<SegmentFile> {
  const file = await open(path, 'wx+', 0o600);
  try {
    await writeAll(file, [Uint8Array.from(head)], 0);
  } catch (error) {
    await file.close();
    throw error;
  }
  return new SegmentFile(id, segment, file, head.length);
}

/** Opens a segment file to go on at `end`; what lies behind is cut off. @internal */
export async function reopenSegment(
  path: string,
  id: number,
  segment: number,
  end: number,
): Promise<SegmentFile> {
  const file = await open(path, 'r+');
  try {
    await file.truncate(end);
  } catch (error) {
    await file.close();
    throw error;
  }
  return new SegmentFile(id, segment, file, end);
}

/** What was thrown, as an error. @internal */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(String(thrown));
}
