import { KvsError } from '../base/errors.js';
import { type Frame, FRAME_FLAG, NAL_ADAPTATION } from '../base/media.js';
import { type MediaFrame, readFrames } from '../parser/index.js';
import {
  type Container,
  nothingToSend,
  readChunks,
  roundToMicroseconds,
  startShift,
} from './container.js';
import { chooseTracks, foundTrack, refuseEncodedTracks, TrackScan } from './matroska-tracks.js';
import { DecodingClock } from './reorder.js';

/** A track that goes into the stream, by its number in the file. */
interface Chosen {
  readonly trackId: number;
  /** How far decoding runs ahead of showing, ms: 0 without B-frames. */
  readonly delayMs: number;
}

/**
 * Opens a Matroska or WebM file: the first video track and the first audio track that have frames.
 * Matroska keeps no decoding times: a track that shows its frames in another order than it decodes
 * them is given the sorted times, moved ahead so far that no frame is shown before it is decoded.
 */
export async function openMatroska(path: string): Promise<Container> {
  const scans = await scan(path);
  const chosen = chooseTracks(scans);
  if (chosen.length === 0) {
    const found = [...scans.values()].map((track) => track.codecId).join(', ');
    throw nothingToSend(path, found === '' ? 'no frames' : found);
  }
  const tracks = new Map(
    chosen.map(({ scan: track, info }) => [
      track.number,
      { trackId: info.trackId ?? 1, delayMs: track.delayMs },
    ]),
  );
  const first = Math.min(...chosen.map((track) => track.scan.firstDts));
  const start = Math.min(...chosen.map((track) => track.scan.startMs));
  const end = Math.max(...chosen.map((track) => track.scan.endMs));
  const shift = startShift(first);
  return {
    format: 'matroska',
    tracks: chosen.map((track) => track.info),
    found: [...scans.values()].map((track) => {
      const taken = chosen.find((one) => one.scan === track);
      return foundTrack(track, taken?.info.trackId);
    }),
    warnings: [],
    nalAdaptationFlags: NAL_ADAPTATION.NONE,
    frameCount: chosen.reduce((sum, track) => sum + track.scan.frames, 0),
    durationMs: roundToMicroseconds(end - start),
    timeShiftMs: shift,
    startMs: roundToMicroseconds(start),
    frames: (signal) => stampedFrames(path, tracks, shift, signal),
  };
}

/** One pass over the file: what every track with frames needs and takes. */
async function scan(path: string): Promise<ReadonlyMap<number, TrackScan>> {
  const scans = new Map<number, TrackScan>();
  try {
    await refuseEncodedTracks(path, readChunks(path, undefined));
    for await (const frame of readFrames(readChunks(path, undefined), { lend: true })) {
      if (frame.data.length === 0) continue;
      let track = scans.get(frame.trackNumber);
      if (track === undefined) scans.set(frame.trackNumber, (track = new TrackScan(frame)));
      track.add(frame);
    }
  } catch (cause) {
    throw named(path, cause);
  }
  for (const track of scans.values()) track.finish();
  return scans;
}

interface Pending {
  readonly frame: MediaFrame;
  readonly trackId: number;
  /** Decoding time, ms, once it is settled. */
  dts: number | undefined;
}

/** The frames in file order, each as soon as its decoding time is settled. */
async function* stampedFrames(
  path: string,
  tracks: ReadonlyMap<number, Chosen>,
  shift: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Frame, void, undefined> {
  const clocks = new Map<number, DecodingClock<Pending>>();
  const queue: Pending[] = [];
  const settle = (stamped: ReturnType<DecodingClock<Pending>['take']>): boolean => {
    if (stamped !== undefined) stamped.item.dts = stamped.dts;
    return stamped !== undefined;
  };
  for await (const frame of readFrames(readChunks(path, signal))) {
    const track = tracks.get(frame.trackNumber);
    if (track === undefined || frame.data.length === 0) continue;
    const pending: Pending = { frame, trackId: track.trackId, dts: undefined };
    queue.push(pending);
    if (track.delayMs === 0) {
      pending.dts = frame.timecodeMs;
    } else {
      let clock = clocks.get(frame.trackNumber);
      if (clock === undefined) {
        clocks.set(frame.trackNumber, (clock = new DecodingClock(track.delayMs)));
      }
      settle(clock.push(frame.timecodeMs, pending));
    }
    yield* settled(queue, shift);
  }
  for (const clock of clocks.values()) while (settle(clock.take()));
  yield* settled(queue, shift);
}

function* settled(queue: Pending[], shift: number): Generator<Frame, void, undefined> {
  for (let head = queue[0]; head?.dts !== undefined; head = queue[0]) {
    queue.shift();
    yield toFrame(head.frame, head.trackId, head.dts, shift);
  }
}

function toFrame(frame: MediaFrame, trackId: number, dts: number, shift: number): Frame {
  let flags = 0;
  if (frame.keyFrame) flags |= FRAME_FLAG.KEY_FRAME;
  if (frame.discardable) flags |= FRAME_FLAG.DISCARDABLE_FRAME;
  if (frame.invisible) flags |= FRAME_FLAG.INVISIBLE_FRAME;
  return {
    frameData: frame.data,
    flags,
    presentationTs: roundToMicroseconds(frame.timecodeMs + shift),
    decodingTs: roundToMicroseconds(dts + shift),
    duration: roundToMicroseconds(frame.durationMs ?? 0),
    trackId,
  };
}

/** The parser knows byte offsets, but not which file they are in. */
function named(path: string, cause: unknown): unknown {
  if (!(cause instanceof KvsError) || cause.message.startsWith(path)) return cause;
  const what = cause.message.replace(/ \(STATUS_\w+, 0x[0-9a-f]+\)$/, '');
  return new KvsError({ status: cause.status, message: `${path} cannot be read: ${what}`, cause });
}
