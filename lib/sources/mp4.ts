import type { FileHandle } from 'node:fs/promises';
import type { ISOFile } from 'mp4box';
import { KvsError } from '../base/errors.js';
import { type Frame, FRAME_FLAG, NAL_ADAPTATION } from '../base/media.js';
import { loadOptional } from '../base/optional.js';
import {
  type Container,
  malformed,
  noVideo,
  openForReading,
  readBytes,
  roundToMicroseconds,
  truncated,
} from './container.js';
import { describeMp4Tracks, type Mp4Track } from './mp4-tracks.js';

/** One read serves all frames that lie within it. */
const WINDOW_BYTES = 1024 * 1024;
/** A table of boxes above this is a damaged size, not a film. */
const MAX_BOX_BYTES = 256 * 1024 * 1024;

/** Where every frame lies and when it plays, in decoding order over all tracks. */
interface Index {
  readonly count: number;
  readonly offset: Float64Array;
  readonly size: Uint32Array;
  readonly pts: Float64Array;
  readonly dts: Float64Array;
  readonly duration: Float64Array;
  readonly trackId: Uint8Array;
  readonly key: Uint8Array;
}

/**
 * Opens an MP4, MOV or fragmented MP4 file: the first H.264 or H.265 track and the first AAC track.
 * mp4box reads the tables; the media itself is read here, so that memory does not grow with it.
 */
export async function openMp4(path: string): Promise<Container> {
  const file = await openForReading(path);
  try {
    const { size } = await file.stat();
    const movie = await readTables(file, path, size);
    const tracks = await describeMp4Tracks(movie, path, (offset, length) =>
      readBytes(file, path, offset, length),
    );
    if (tracks.length === 0) throw noVideo(path, trackKinds(movie));
    const index = buildIndex(movie, tracks, path, size);
    const first = index.dts.reduce((least, dts) => Math.min(least, dts), 0);
    const shift = first < 0 ? -first : 0;
    return {
      format: 'mp4',
      tracks: tracks.map((track) => track.info),
      nalAdaptationFlags: NAL_ADAPTATION.NONE,
      frameCount: index.count,
      durationMs: durationOf(index),
      timeShiftMs: shift,
      frames: (signal) => readFrames(path, index, shift, signal),
    };
  } catch (cause) {
    if (cause instanceof KvsError) throw cause;
    throw malformed(path, 'its MP4 tables contradict each other', cause);
  } finally {
    await file.close();
  }
}

/** Feeds mp4box the boxes that describe the film; all others go in as the header of a box to pass over. */
async function readTables(file: FileHandle, path: string, size: number): Promise<ISOFile> {
  const library = await loadOptional('mp4box', 'reading an MP4 file', () => import('mp4box'));
  const movie = library.createFile(false);
  for (let offset = 0; offset < size;) {
    const box = await readBoxHeader(file, path, offset, size);
    const tables = ['ftyp', 'moov', 'moof'].includes(box.type);
    if (tables && box.size > MAX_BOX_BYTES) {
      throw malformed(path, `box ${box.type} at byte ${offset} claims ${box.size} bytes`);
    }
    const bytes = tables ? await readBytes(file, path, offset, box.size) : box.asMediaData;
    feed(library, movie, path, bytes, offset);
    offset += box.size;
  }
  if (!movie.moov) throw truncated(path, 'no moov box, so the recording was not finished');
  return movie;
}

/** Parses one box. The library would write its complaints to the console: here they become errors. */
function feed(
  { Log }: typeof import('mp4box'),
  movie: ISOFile,
  path: string,
  bytes: Uint8Array,
  offset: number,
): void {
  let complaint = '';
  const methods = { ...Log };
  Log.error = (_module, message, about) => {
    if (about !== undefined) complaint = message ?? 'damaged';
  };
  try {
    movie.appendBuffer(Object.assign(bytes.slice().buffer, { fileStart: offset }));
  } catch (cause) {
    throw malformed(path, `its MP4 tables at byte ${offset} are damaged`, cause);
  } finally {
    Object.assign(Log, methods);
  }
  if (complaint !== '') throw malformed(path, complaint);
}

interface BoxHeader {
  readonly type: string;
  readonly size: number;
  /** The same header with the type `mdat`. */
  readonly asMediaData: Uint8Array;
}

async function readBoxHeader(
  file: FileHandle,
  path: string,
  offset: number,
  fileSize: number,
): Promise<BoxHeader> {
  const bytes = await readBytes(file, path, offset, 16);
  if (bytes.length < 8) throw truncated(path, `a box header at byte ${offset} is cut off`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const type = String.fromCharCode(...bytes.subarray(4, 8));
  const short = view.getUint32(0);
  const long = short === 1;
  const header = bytes.subarray(0, long ? 16 : 8);
  if (long && bytes.length < 16) throw truncated(path, `the header of ${type} is cut off`);
  let size = short;
  if (long) size = Number(view.getBigUint64(8));
  if (short === 0) size = fileSize - offset;
  if (size < header.length) {
    throw malformed(path, `box ${type} at byte ${offset} claims a size of ${size} bytes`);
  }
  if (offset + size > fileSize) {
    const missing = offset + size - fileSize;
    throw truncated(path, `box ${type} at byte ${offset} lacks its last ${missing} bytes`);
  }
  const asMediaData = header.slice();
  asMediaData.set([0x6d, 0x64, 0x61, 0x74], 4);
  return { type, size, asMediaData };
}

function buildIndex(
  movie: ISOFile,
  tracks: readonly Mp4Track[],
  path: string,
  fileSize: number,
): Index {
  const rows = tracks.flatMap((track) => trackRows(movie, track, path, fileSize));
  rows.sort((a, b) => a.dts - b.dts || a.trackId - b.trackId);
  return {
    count: rows.length,
    offset: Float64Array.from(rows, (row) => row.offset),
    size: Uint32Array.from(rows, (row) => row.size),
    pts: Float64Array.from(rows, (row) => row.pts),
    dts: Float64Array.from(rows, (row) => row.dts),
    duration: Float64Array.from(rows, (row) => row.duration),
    trackId: Uint8Array.from(rows, (row) => row.trackId),
    key: Uint8Array.from(rows, (row) => (row.key ? 1 : 0)),
  };
}

interface Row {
  readonly offset: number;
  readonly size: number;
  readonly pts: number;
  readonly dts: number;
  readonly duration: number;
  readonly trackId: number;
  readonly key: boolean;
}

function trackRows(
  movie: ISOFile,
  track: Mp4Track,
  path: string,
  fileSize: number,
): readonly Row[] {
  const samples = movie.getTrackSamplesInfo(track.id).filter((sample) => sample.size > 0);
  const runShift = laterRunShifts(movie, track.id);
  // Negative composition offsets (cslg) put a frame's showing before its decoding, on paper.
  const early = samples.reduce((most, { dts, cts }) => Math.max(most, dts - cts), 0);
  return samples.map((sample) => {
    const end = sample.offset + sample.size;
    if (!(end <= fileSize)) {
      throw truncated(path, `frame ${sample.number + 1} of track ${track.id} lies past its end`);
    }
    if (!(sample.timescale > 0)) throw malformed(path, `track ${track.id} has no time scale`);
    const ticks = runShift(sample.moof_number);
    const toMs = (time: number): number =>
      roundToMicroseconds(((time + ticks) * 1000) / sample.timescale + track.startMs);
    return {
      offset: sample.offset,
      size: sample.size,
      pts: toMs(sample.cts),
      dts: toMs(sample.dts - early),
      duration: roundToMicroseconds((sample.duration * 1000) / sample.timescale),
      trackId: track.info.trackId ?? 1,
      key: sample.is_sync,
    };
  });
}

/**
 * mp4box lets every movie fragment but the first follow its predecessor without a gap and passes
 * over the decoding time that the fragment itself states. Gives what must be added, by fragment.
 */
function laterRunShifts(
  movie: ISOFile,
  trackId: number,
): (moofNumber: number | undefined) => number {
  const shifts = new Map<number, number>();
  for (const sample of movie.getTrackSamplesInfo(trackId)) {
    if (sample.moof_number === undefined || shifts.has(sample.moof_number)) continue;
    const moof = movie.moofs[sample.moof_number - 1];
    const run = moof?.trafs.find((traf) => traf.tfhd.track_id === trackId);
    const stated = run?.tfdt?.baseMediaDecodeTime;
    if (stated !== undefined) shifts.set(sample.moof_number, stated - sample.dts);
  }
  return (moofNumber) => (moofNumber === undefined ? 0 : (shifts.get(moofNumber) ?? 0));
}

function durationOf(index: Index): number {
  let start = Infinity;
  let end = 0;
  for (let i = 0; i < index.count; i += 1) {
    const pts = index.pts[i] ?? 0;
    start = Math.min(start, pts);
    end = Math.max(end, pts + (index.duration[i] ?? 0));
  }
  return index.count === 0 ? 0 : roundToMicroseconds(end - start);
}

async function* readFrames(
  path: string,
  index: Index,
  shift: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Frame, void, undefined> {
  const file = await openForReading(path);
  try {
    const reader = new WindowReader(file, path);
    for (let i = 0; i < index.count; i += 1) {
      signal?.throwIfAborted();
      yield {
        frameData: await reader.read(index.offset[i] ?? 0, index.size[i] ?? 0),
        flags: index.key[i] === 1 ? FRAME_FLAG.KEY_FRAME : FRAME_FLAG.NONE,
        presentationTs: roundToMicroseconds((index.pts[i] ?? 0) + shift),
        decodingTs: roundToMicroseconds((index.dts[i] ?? 0) + shift),
        duration: index.duration[i] ?? 0,
        trackId: index.trackId[i] ?? 1,
      };
    }
  } finally {
    await file.close();
  }
}

/**
 * Serves small reads from large ones. Two windows, so that a file with all its video before all its
 * audio is not read anew for every frame. What it returned is never overwritten.
 */
class WindowReader {
  readonly #file: FileHandle;
  readonly #path: string;
  #windows: readonly { readonly start: number; readonly bytes: Uint8Array }[] = [];

  constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  async read(offset: number, size: number): Promise<Uint8Array> {
    const end = offset + size;
    let window = this.#windows.find(
      ({ start, bytes }) => offset >= start && end <= start + bytes.length,
    );
    if (window === undefined) {
      const length = Math.max(size, WINDOW_BYTES);
      const bytes = await readBytes(this.#file, this.#path, offset, length);
      if (bytes.length < size) {
        throw truncated(this.#path, `${size - bytes.length} bytes of the frame at ${offset} lack`);
      }
      window = { start: offset, bytes };
    }
    this.#windows = [window, ...this.#windows.filter((other) => other !== window)].slice(0, 2);
    return window.bytes.subarray(offset - window.start, end - window.start);
  }
}

function trackKinds(movie: ISOFile): string {
  const tracks = movie.getInfo().tracks.map((track) => `${track.type ?? 'other'} ${track.codec}`);
  return tracks.length === 0 ? 'no tracks' : tracks.join(', ');
}
