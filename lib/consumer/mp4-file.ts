import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { KvsError } from '../base/errors.js';
import { readFrames, type MkvTrack } from '../parser/index.js';
import {
  ascii,
  box,
  fullBox,
  mediaHeaders,
  movieHeader,
  sampleEntry,
  trackHeader,
  u32,
  u32List,
  u64,
  u64List,
} from './mp4-boxes.js';

/** Ticks a second: microseconds, as exact as the producer's time stamps. */
const TIMESCALE = 1_000_000;
const TICKS_IN_MS = 1000;
const MDAT_HEADER_BYTES = 16;

interface TrackSamples {
  readonly track: MkvTrack;
  readonly sizes: number[];
  /** Presentation times, ticks, in decode order. */
  readonly times: number[];
  readonly keys: boolean[];
  /** Runs of samples that lie together: index of the first, and its offset in the media. */
  readonly chunks: { readonly first: number; readonly offset: number }[];
}

/** What an MP4 file was made of. @internal */
export interface WrittenMp4 {
  readonly frames: number;
  readonly durationMs: number;
}

/**
 * Writes the merged Matroska file `from` as MP4 `to`, index first. Media is copied frame by frame,
 * so that memory holds the index only. @internal
 */
export async function writeMp4(
  from: string,
  to: string,
  signal?: AbortSignal,
): Promise<WrittenMp4> {
  const options = signal === undefined ? {} : { signal };
  const { tracks, bytes } = await collect(from, options);
  const ftyp = box('ftyp', ascii('isom'), u32(0x200), ascii('isomiso2avc1mp41'));
  const length = ftyp.length + movie(tracks, 0).length + MDAT_HEADER_BYTES;
  const head = Buffer.concat([
    ftyp,
    movie(tracks, length),
    u32(1),
    ascii('mdat'),
    u64(bytes + MDAT_HEADER_BYTES),
  ]);
  const parts = async function* (): AsyncGenerator<Uint8Array> {
    yield head;
    for await (const frame of readFrames(createReadStream(from), options)) yield frame.data;
  };
  await pipeline(Readable.from(parts()), createWriteStream(to), options);
  const frames = tracks.reduce((sum, { sizes }) => sum + sizes.length, 0);
  return { frames, durationMs: Math.max(...tracks.map(endOf), 0) / TICKS_IN_MS };
}

async function collect(
  from: string,
  options: { readonly signal?: AbortSignal },
): Promise<{ readonly tracks: readonly TrackSamples[]; readonly bytes: number }> {
  const tracks = new Map<number, TrackSamples>();
  let bytes = 0;
  let lastTrack = 0;
  for await (const frame of readFrames(createReadStream(from), { ...options, lend: true })) {
    const { track, trackNumber, data, timecodeMs, keyFrame } = frame;
    if (track === undefined) throw withoutTrack(trackNumber);
    const samples = tracks.get(trackNumber) ?? {
      track,
      sizes: [],
      times: [],
      keys: [],
      chunks: [],
    };
    tracks.set(trackNumber, samples);
    if (trackNumber !== lastTrack) {
      samples.chunks.push({ first: samples.sizes.length, offset: bytes });
    }
    lastTrack = trackNumber;
    samples.sizes.push(data.length);
    samples.times.push(Math.round(timecodeMs * TICKS_IN_MS));
    samples.keys.push(keyFrame);
    bytes += data.length;
  }
  const byNumber = [...tracks.values()].sort((a, b) => a.track.number - b.track.number);
  return { tracks: byNumber, bytes };
}

function movie(tracks: readonly TrackSamples[], mediaAt: number): Uint8Array {
  const duration = Math.max(...tracks.map(endOf), 0);
  const boxes = tracks.map((samples, i) => trackBox(samples, i + 1, mediaAt));
  return box('moov', movieHeader(TIMESCALE, duration, tracks.length + 1), ...boxes);
}

/** When the last frame ends: it lasts as long as the one before it. */
function endOf({ times }: TrackSamples): number {
  const sorted = [...times].sort((a, b) => a - b);
  const last = sorted.at(-1) ?? 0;
  return last + (last - (sorted.at(-2) ?? last));
}

function trackBox(samples: TrackSamples, id: number, mediaAt: number): Uint8Array {
  const { track, times } = samples;
  const end = endOf(samples);
  const decode = [...times].sort((a, b) => a - b);
  const start = decode[0] ?? 0;
  // Matroska has no decode times: frames are decoded at the sorted presentation times, and all
  // of them are shown that much later that none is shown before it is decoded.
  const delay = decode.reduce((most, time, i) => Math.max(most, time - (times[i] ?? time)), 0);
  const duration = end - start;
  const edits =
    start > 0
      ? fullBox('elst', 1, 0, u32(2), edit(start, -1), edit(duration, delay))
      : fullBox('elst', 1, 0, u32(1), edit(duration, delay - Math.min(0, start)));
  const { before, inMinf } = mediaHeaders(track, TIMESCALE, duration);
  const table = sampleTable(samples, decode, delay, end, mediaAt);
  return box(
    'trak',
    trackHeader(track, id, end),
    box('edts', edits),
    box('mdia', ...before, box('minf', ...inMinf, table)),
  );
}

function edit(duration: number, mediaTime: number): Uint8Array {
  return Buffer.concat([u64(duration, mediaTime), u32(0x10000)]);
}

function sampleTable(
  { track, sizes, times, keys, chunks }: TrackSamples,
  decode: readonly number[],
  delay: number,
  end: number,
  mediaAt: number,
): Uint8Array {
  const steps = decode.map((time, i) => (decode[i + 1] ?? end) - time);
  const shifts = times.map((time, i) => time - (decode[i] ?? time) + delay);
  const sync = keys.flatMap((key, i) => (key ? [i + 1] : []));
  const lengths = chunks.map(({ first }, i) => (chunks[i + 1]?.first ?? sizes.length) - first);
  const offsets = chunks.map(({ offset }) => mediaAt + offset);
  return box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), sampleEntry(track)),
    runs('stts', steps),
    ...(shifts.some((shift) => shift !== 0) ? [runs('ctts', shifts)] : []),
    fullBox('stsc', 0, 0, u32(lengths.length), u32List(lengths.flatMap((n, i) => [i + 1, n, 1]))),
    fullBox('stsz', 0, 0, u32(0, sizes.length), u32List(sizes)),
    fullBox('co64', 0, 0, u32(offsets.length), u64List(offsets)),
    ...(sync.length === keys.length
      ? []
      : [fullBox('stss', 0, 0, u32(sync.length), u32List(sync))]),
  );
}

/** A table of (count, value) for values that often stand several times in a row. */
function runs(type: string, values: readonly number[]): Uint8Array {
  const pairs: { count: number; readonly value: number }[] = [];
  for (const value of values) {
    const last = pairs.at(-1);
    if (last?.value === value) last.count += 1;
    else pairs.push({ count: 1, value });
  }
  const flat = pairs.flatMap(({ count, value }) => [count, value]);
  return fullBox(type, 0, 0, u32(pairs.length), u32List(flat));
}

function withoutTrack(trackNumber: number): KvsError {
  return new KvsError({
    status: 'STATUS_MKV_TRACK_INFO_NOT_FOUND',
    message: `MP4 file: a frame of track ${trackNumber}, which the stream does not describe`,
  });
}
