import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { KvsError } from '../base/errors.js';
import { mergeSegments } from '../parser/index.js';
import { writeClip } from './clip-file.js';
import { indexClip } from './clip-index.js';
import type { StreamConnection } from './connection.js';
import { writeMp4 } from './mp4-file.js';
import {
  getMediaForFragments,
  listFragments,
  type FragmentInfo,
  type FragmentRange,
} from './fragments.js';

/** Settings of `saveClip`. */
export interface SaveClipOptions extends StreamConnection {
  /** The time range; whole fragments that begin in it are saved. */
  readonly range: FragmentRange;
  /** The file to write; replaced when it is there. */
  readonly path: string;
  /** Default: by the path's ending, `mkv` where it says nothing. MP4 holds H.264, H.265, AAC, Opus. */
  readonly format?: 'mkv' | 'mp4';
  /** As for `getMediaForFragments`. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
}

/** What `saveClip` wrote. */
export interface SavedClip {
  readonly path: string;
  readonly fragments: readonly FragmentInfo[];
  readonly frames: number;
  readonly durationMs: number;
}

const NANOSECONDS_IN_MS = 1_000_000;

/**
 * Saves a time range of a stream as one Matroska or MP4 file with duration and index, times from zero.
 * The file appears under its name only when it is whole. Throws `KvsError` STATUS_NOT_FOUND for a
 * range without media, and STATUS_MKV_INVALID_FRAME_DATA when the stream's tracks change in it.
 */
export async function saveClip(options: SaveClipOptions): Promise<SavedClip> {
  const { range, path, signal } = options;
  const fragments = await fragmentsOf(options);
  const merged = `${path}.merging`;
  const final = `${path}.writing`;
  try {
    const media = getMediaForFragments({
      ...options,
      fragments: fragments.map(({ fragmentNumber }) => fragmentNumber),
    });
    const onSegment = ({ index }: { readonly index: number }): void => {
      if (index > 0) throw tracksChange(range, path);
    };
    const bytes = mergeSegments(media, { tags: 'drop', times: 'fromZero', onSegment });
    await pipeline(Readable.from(bytes), createWriteStream(merged), withSignal(signal));
    const format = options.format ?? (path.toLowerCase().endsWith('.mp4') ? 'mp4' : 'mkv');
    const write = format === 'mp4' ? writeMp4 : writeMkv;
    const { frames, durationMs } = await write(merged, final, signal);
    await rename(final, path);
    return { path, fragments, frames, durationMs };
  } finally {
    await Promise.all([rm(merged, { force: true }), rm(final, { force: true })]);
  }
}

async function writeMkv(
  from: string,
  to: string,
  signal?: AbortSignal,
): Promise<{ readonly frames: number; readonly durationMs: number }> {
  const index = await indexClip(from, signal);
  await writeClip(from, to, index, signal);
  const durationMs = (index.duration * index.scale) / NANOSECONDS_IN_MS;
  return { frames: index.frames, durationMs };
}

/** The fragments of the range in the order of their time. */
async function fragmentsOf(options: SaveClipOptions): Promise<readonly FragmentInfo[]> {
  const { range } = options;
  const fragments: FragmentInfo[] = [];
  for await (const fragment of listFragments(options)) fragments.push(fragment);
  if (fragments.length === 0) {
    throw new KvsError({
      status: 'STATUS_NOT_FOUND',
      message: `saveClip: stream ${options.streamName ?? options.streamArn ?? ''} has no fragment from ${isoTime(range.from)} to ${isoTime(range.to)}`,
    });
  }
  const server = range.timestamps === 'server';
  const time = (fragment: FragmentInfo): number =>
    server ? fragment.serverTimestampMs : fragment.producerTimestampMs;
  return fragments.sort((a, b) => time(a) - time(b));
}

function withSignal(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function tracksChange(range: FragmentRange, path: string): KvsError {
  return new KvsError({
    status: 'STATUS_MKV_INVALID_FRAME_DATA',
    message: `saveClip ${path}: the stream's tracks change between ${isoTime(range.from)} and ${isoTime(range.to)}; one file cannot hold both, save two shorter ranges`,
  });
}
