import { type Frame, FRAME_FLAG, NAL_ADAPTATION } from '../base/media.js';
import { KvsError } from '../base/errors.js';
import {
  type Container,
  type FoundTrack,
  malformed,
  nothingToSend,
  openForReading,
  roundToMicroseconds,
  startShift,
} from './container.js';
import { Film, type FilmOptions } from './mp4/film.js';
import type { FilmTrack, JudgedTrack } from './mp4/film-track.js';
import { setsAmong, setsOf, toAnnexB } from './mp4/parameter-sets.js';
import type { Cue } from './mp4/timeline.js';
import { WindowReader } from './mp4/window-reader.js';
import { nalUnits } from './annexb.js';

/**
 * Opens an MP4, MOV or fragmented MP4 file. Its tables are read and stay as they are, in bytes; the
 * media are read as they are asked for, so that memory does not grow with them.
 */
export async function openMp4(path: string, options: FilmOptions): Promise<Container> {
  const file = await openForReading(path);
  try {
    const film = await Film.open(file, path, options);
    const chosen = chooseTracks(film.tracks, path);
    const span = spanOf(film, chosen);
    if (span.frames === 0) throw malformed(path, 'none of its frames is within its edit lists');
    const reader = new WindowReader(file, path);
    const tracks = await Promise.all(chosen.map((track) => withSets(film, track, reader)));
    const shift = startShift(span.first * 1000);
    const annexB = tracks.some((track) => track.annexB);
    return {
      format: 'mp4',
      tracks: tracks.map((track) => track.info),
      found: film.tracks.map((track) => foundTrack(track, chosen)),
      warnings: film.missing === undefined ? [] : [`${path} is cut off: ${film.missing}`],
      nalAdaptationFlags: annexB
        ? NAL_ADAPTATION.ANNEXB_NALS | NAL_ADAPTATION.ANNEXB_CPD_NALS
        : NAL_ADAPTATION.NONE,
      frameCount: span.frames,
      durationMs: roundToMicroseconds((span.end - span.start) * 1000),
      timeShiftMs: shift,
      startMs: roundToMicroseconds(span.start * 1000),
      frames: (signal) => readFrames(film, chosen, shift, signal),
    };
  } catch (cause) {
    if (cause instanceof KvsError) throw cause;
    throw malformed(path, 'its MP4 tables contradict each other', cause);
  } finally {
    await file.close();
  }
}

/** The first video track and the first audio track that can be taken. */
function chooseTracks(tracks: readonly JudgedTrack[], path: string): readonly FilmTrack[] {
  const first = (kind: JudgedTrack['kind']): FilmTrack | undefined =>
    tracks.find((track) => track.kind === kind && track.film !== undefined)?.film;
  const chosen = [first('video'), first('audio')].flatMap((film) => film ?? []);
  if (chosen.length === 0) {
    const found = tracks.map(({ kind, codec, reason }) => `${kind} ${codec}: ${reason ?? 'taken'}`);
    throw nothingToSend(path, found.length === 0 ? 'no tracks' : found.join('; '));
  }
  return chosen.map((film, at) => ({ ...film, info: { ...film.info, trackId: at + 1 } }));
}

function foundTrack(track: JudgedTrack, chosen: readonly FilmTrack[]): FoundTrack {
  const { id, kind, codec, reason, film } = track;
  const taken = chosen.find((one) => one.track.id === id);
  return {
    number: id,
    kind,
    codec,
    ...(taken !== undefined && { trackId: taken.info.trackId ?? 1 }),
    ...(taken === undefined && { skipped: reason ?? `another ${kind} track comes before it` }),
    ...(film !== undefined && film.track.rotation !== 0 && { rotation: film.track.rotation }),
  };
}

interface FilmSpan {
  readonly frames: number;
  /** Decoding time of the first frame, begin of what is shown and its end; s. */
  readonly first: number;
  readonly start: number;
  readonly end: number;
}

function spanOf(film: Film, tracks: readonly FilmTrack[]): FilmSpan {
  let [frames, first, start, end] = [0, Infinity, Infinity, -Infinity];
  for (const cue of film.cues(tracks)) {
    frames += 1;
    first = Math.min(first, cue.dts, cue.pts);
    if (cue.hidden) continue;
    start = Math.min(start, cue.pts);
    end = Math.max(end, cue.pts + cue.duration);
  }
  return { frames, first, start, end };
}

/** A track whose sets change or stand in its samples gives those of its first key frame. */
async function withSets(film: Film, track: FilmTrack, reader: WindowReader): Promise<FilmTrack> {
  if (!track.annexB) return track;
  const codecId = track.info.codecId ?? '';
  let sets = setsOf(track.configs[0] ?? new Uint8Array(0), codecId);
  if (sets.length === 0) {
    for (const cue of film.cues([track])) {
      if (!cue.key) continue;
      const sample = toAnnexB(await reader.read(cue.offset, cue.size), track.nalLength);
      const units = [...nalUnits(sample)].map(({ start, end }) => sample.subarray(start, end));
      sets = setsAmong(units, codecId);
      break;
    }
  }
  if (sets.length === 0) {
    throw malformed(film.path, `video track ${track.track.id} has no parameter sets anywhere`);
  }
  return { ...track, info: { ...track.info, codecPrivateData: sets } };
}

async function* readFrames(
  film: Film,
  tracks: readonly FilmTrack[],
  shift: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Frame, void, undefined> {
  const file = await openForReading(film.path);
  try {
    const reader = new WindowReader(file, film.path);
    const entries = new Map<FilmTrack, number>();
    const time = (seconds: number): number => roundToMicroseconds(seconds * 1000 + shift);
    for (const cue of film.cues(tracks)) {
      signal?.throwIfAborted();
      const sample = await reader.read(cue.offset, cue.size);
      const key = cue.key ? FRAME_FLAG.KEY_FRAME : FRAME_FLAG.NONE;
      yield {
        frameData: cue.film.annexB ? withStartCodes(cue, sample, entries) : sample,
        flags: key | (cue.hidden ? FRAME_FLAG.INVISIBLE_FRAME : FRAME_FLAG.NONE),
        presentationTs: time(cue.pts),
        decodingTs: time(cue.dts),
        duration: roundToMicroseconds(cue.duration * 1000),
        trackId: cue.film.info.trackId ?? 1,
      };
    }
  } finally {
    await file.close();
  }
}

/**
 * With the sets of its sample description before a key frame that comes behind one of another; those of
 * the first one are the track's private data.
 */
function withStartCodes(cue: Cue, sample: Uint8Array, entries: Map<FilmTrack, number>): Uint8Array {
  const units = toAnnexB(sample, cue.film.nalLength);
  if (!cue.key) return units;
  const before = entries.get(cue.film);
  entries.set(cue.film, cue.entry);
  if (before === undefined || before === cue.entry) return units;
  const config = cue.film.configs[cue.entry - 1];
  return config === undefined
    ? units
    : Buffer.concat([setsOf(config, cue.film.info.codecId ?? ''), units]);
}
