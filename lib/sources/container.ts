import { messageOf } from '../base/values.js';
import { type FileHandle, open } from 'node:fs/promises';
import { KvsError } from '../base/errors.js';
import type { Frame, TrackInfo } from '../base/media.js';

/** Containers that `openMediaFile` reads. */
export type MediaFormat =
  'mp4' | 'matroska' | 'h264' | 'h265' | 'ts' | 'adts' | 'wav' | 'ogg' | 'mp3' | 'flac';

/** A track of a media file, taken into the stream or not. */
export interface FoundTrack {
  /** Its number in the file. */
  readonly number: number;
  readonly kind: 'video' | 'audio' | 'other';
  /** Its codec, by Matroska's name where it has one, or else as the file calls it. */
  readonly codec: string;
  /** `TrackInfo.trackId`, where it is taken. */
  readonly trackId?: number;
  /** Why it is not taken. */
  readonly skipped?: string;
  /** Degrees clockwise by which its pictures are to be turned. */
  readonly rotation?: number;
}

/** How the frames of one pass through a file are given. */
export interface FramesOptions {
  /** Added to every time stamp, ms; 0 by default. `Date.now()` makes a live start of a recording. */
  readonly timeOffsetMs?: number;
  /** Ends the pass: the iterator throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What the reader of one container gives to `openMediaFile`. Times are already shifted. */
export interface Container {
  readonly format: MediaFormat;
  readonly tracks: readonly TrackInfo[];
  readonly found: readonly FoundTrack[];
  readonly warnings: readonly string[];
  readonly nalAdaptationFlags: number;
  readonly frameCount: number;
  readonly durationMs: number;
  readonly timeShiftMs: number;
  readonly startMs: number;
  /** One pass over the frames in file order; opens the file anew and closes it at the end. */
  frames(signal: AbortSignal | undefined): AsyncGenerator<Frame, void, undefined>;
}

/** Milliseconds rounded to the microsecond, the precision of every time stamp in the package. */
export function roundToMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000 + 0; // never -0
}

/** A film that begins later than this was cut out of a longer time line, as recorders and servers do. */
const LATE_MS = 1000;

/**
 * What is to be added to the times of a file whose first frame is decoded at `firstMs`: none is below
 * zero then, and one from the middle of a time line begins at zero.
 */
export function startShift(firstMs: number): number {
  return firstMs < 0 || firstMs > LATE_MS ? roundToMicroseconds(-firstMs) : 0;
}

/** Opens `path` for reading; a failure is a `KvsError` that names the file and the reason. */
export async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw new KvsError({
      status: 'STATUS_OPEN_FILE_FAILED',
      message: `cannot open the media file ${path}: ${reason(cause)}; check the path and its permissions`,
      cause,
    });
  }
}

/** Reads `length` bytes at `offset` into memory of their own; fewer only at the end of the file. */
export async function readBytes(
  file: FileHandle,
  path: string,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  try {
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } catch (cause) {
    throw new KvsError({
      status: 'STATUS_READ_FILE_FAILED',
      message: `cannot read ${length} bytes at ${offset} of ${path}: ${reason(cause)}`,
      cause,
    });
  }
  return bytes.subarray(0, filled);
}

/** The bytes of a file from its start in chunks, each in memory of its own. */
export async function* readChunks(
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunkBytes = 256 * 1024;
  const file = await openForReading(path);
  try {
    for (let offset = 0; ;) {
      signal?.throwIfAborted();
      const chunk = await readBytes(file, path, offset, chunkBytes);
      if (chunk.length > 0) yield chunk;
      if (chunk.length < chunkBytes) return;
      offset += chunk.length;
    }
  } finally {
    await file.close();
  }
}

/** The file ends before what it announced. */
export function truncated(path: string, what: string): KvsError {
  return new KvsError({
    status: 'STATUS_UNEXPECTED_EOF',
    message: `${path} is truncated: ${what}; copy the file again or repair it (ffmpeg -i IN -c copy OUT.mkv)`,
  });
}

/** The file holds no track that a stream can carry. */
export function nothingToSend(path: string, found: string): KvsError {
  return new KvsError({
    status: 'STATUS_NOT_FOUND',
    message: `${path} holds no video and no audio that can be sent (found: ${found}); give a file with H.264 or H.265 video, or AAC audio`,
  });
}

/** The file breaks the rules of its format. */
export function malformed(path: string, what: string, cause?: unknown): KvsError {
  return new KvsError({
    status: 'STATUS_FORMAT_ERROR',
    message: `${path} cannot be read: ${what}`,
    cause,
  });
}

function reason(cause: unknown): string {
  return messageOf(cause);
}
