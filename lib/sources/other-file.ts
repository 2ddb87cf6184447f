import type { EncodedPacket, EncodedPacketSink, Input } from 'mediabunny';
import { KvsError } from '../base/errors.js';
import { type Frame, FRAME_FLAG, NAL_ADAPTATION } from '../base/media.js';
import { loadOptional } from '../base/optional.js';
import { readAdts } from './adts.js';
import {
  type Container,
  malformed,
  type MediaFormat,
  nothingToSend,
  roundToMicroseconds,
  startShift,
} from './container.js';
import { judgeOther, type OtherTrack } from './other-tracks.js';
import { DecodingClock } from './reorder.js';

type Library = typeof import('mediabunny');

/** Containers that the library reads for us. */
export type OtherFormat = Extract<MediaFormat, 'ts' | 'adts' | 'wav' | 'ogg' | 'mp3' | 'flac'>;

/**
 * Opens an MPEG transport stream, ADTS, WAV, Ogg, MP3 or FLAC file: the first video track and the
 * first audio track that can be sent. Times are those of the file; where it begins late, as transport
 * streams do, the frames count from its begin.
 */
export async function openOther(path: string, format: OtherFormat): Promise<Container> {
  const library = await loadOptional('mediabunny', 'reading this file', () => import('mediabunny'));
  const input = openInput(library, path, format);
  try {
    const judged = await judgeAll(library, input);
    const chosen = chooseTracks(judged, path);
    const spans = await Promise.all(chosen.map((track) => spanOf(library, track)));
    const start = Math.min(...spans.map((span) => span.startMs));
    const end = Math.max(...spans.map((span) => span.endMs));
    const shift = startShift(Math.min(...spans.map((span) => span.startMs - span.delayMs)));
    const plan = chosen.map((track, at) => ({ ...track, delayMs: spans[at]?.delayMs ?? 0 }));
    return {
      format,
      tracks: chosen.map((track) => track.info),
      found: judged.map((track) => foundTrack(track, chosen)),
      warnings: [],
      nalAdaptationFlags: adaptationOf(chosen),
      frameCount: spans.reduce((sum, span) => sum + span.frames, 0),
      durationMs: roundToMicroseconds(end - start),
      timeShiftMs: shift,
      startMs: roundToMicroseconds(start),
      frames: (signal) => readFrames({ library, path, format, plan, shift }, signal),
    };
  } catch (cause) {
    if (cause instanceof KvsError) throw cause;
    throw malformed(path, 'it is damaged', cause);
  } finally {
    input.dispose();
  }
}

function openInput(library: Library, path: string, format: OtherFormat): Input {
  const formats = {
    ts: library.MPEG_TS,
    adts: library.ADTS,
    wav: library.WAVE,
    ogg: library.OGG,
    mp3: library.MP3,
    flac: library.FLAC,
  } as const;
  const source = new library.FilePathSource(path);
  return new library.Input({ source, formats: [formats[format]] });
}

async function judgeAll(library: Library, input: Input): Promise<readonly OtherTrack[]> {
  const judged: OtherTrack[] = [];
  for (const track of await input.getTracks()) {
    const first = await new library.EncodedPacketSink(track).getFirstPacket();
    if (first !== null) judged.push(await judgeOther(track, first));
  }
  return judged;
}

interface ChosenTrack extends OtherTrack {
  readonly info: NonNullable<OtherTrack['info']>;
}

function chooseTracks(judged: readonly OtherTrack[], path: string): readonly ChosenTrack[] {
  const first = (type: string): readonly ChosenTrack[] => {
    const one = judged.find((judge) => judge.track.type === type && judge.info !== undefined);
    return one?.info === undefined ? [] : [{ ...one, info: one.info }];
  };
  const chosen = [...first('video'), ...first('audio')];
  if (chosen.length === 0) {
    const found = judged.map(({ codec, reason }) => `${codec}: ${reason ?? 'taken'}`).join('; ');
    throw nothingToSend(path, found === '' ? 'no tracks' : found);
  }
  return chosen.map((track, at) => ({ ...track, info: { ...track.info, trackId: at + 1 } }));
}

function foundTrack(
  { track, codec, reason }: OtherTrack,
  chosen: readonly ChosenTrack[],
): Container['found'][number] {
  const { type } = track;
  const kind = type === 'video' || type === 'audio' ? type : 'other';
  const base = { number: track.id, kind, codec } as const;
  const taken = chosen.find((one) => one.track === track);
  if (taken !== undefined) return { ...base, trackId: taken.info.trackId ?? 1 };
  return { ...base, skipped: reason ?? `another ${kind} track comes before it` };
}

/** Without a description the library gives access units with start codes. */
function adaptationOf(chosen: readonly ChosenTrack[]): number {
  const nal = /^V_MPEG(4\/ISO\/AVC|H\/ISO\/HEVC)$/;
  const annexB = chosen.some(
    ({ info }) => nal.test(info.codecId ?? '') && info.codecPrivateData === undefined,
  );
  return annexB ? NAL_ADAPTATION.ANNEXB_NALS : NAL_ADAPTATION.NONE;
}

interface Span {
  readonly frames: number;
  readonly startMs: number;
  readonly endMs: number;
  /** How far decoding must run ahead of showing, ms. */
  readonly delayMs: number;
}

async function spanOf(library: Library, { track }: OtherTrack): Promise<Span> {
  const clock = new DecodingClock<undefined>(0);
  const sink = new library.EncodedPacketSink(track);
  let [frames, startMs, endMs, delayMs] = [0, Infinity, -Infinity, 0];
  const learn = (stamped: ReturnType<typeof clock.take>): boolean => {
    if (stamped !== undefined) delayMs = Math.max(delayMs, stamped.dts - stamped.pts);
    return stamped !== undefined;
  };
  for await (const packet of sink.packets(undefined, undefined, { metadataOnly: true })) {
    frames += 1;
    startMs = Math.min(startMs, packet.timestamp * 1000);
    endMs = Math.max(endMs, (packet.timestamp + packet.duration) * 1000);
    learn(clock.push(packet.timestamp * 1000, undefined));
  }
  while (learn(clock.take()));
  return { frames, startMs, endMs, delayMs };
}

interface Pass {
  readonly library: Library;
  readonly path: string;
  readonly format: OtherFormat;
  readonly plan: readonly (ChosenTrack & { readonly delayMs: number })[];
  readonly shift: number;
}

/** The frames of all tracks in decoding order. */
async function* readFrames(
  { library, path, format, plan, shift }: Pass,
  signal: AbortSignal | undefined,
): AsyncGenerator<Frame, void, undefined> {
  const input = openInput(library, path, format);
  try {
    const tracks = await input.getTracks();
    const lines = plan.flatMap((part) => {
      const track = tracks.find((one) => one.id === part.track.id);
      return track === undefined
        ? []
        : [framesOf(new library.EncodedPacketSink(track), part, shift)];
    });
    const heads = await Promise.all(lines.map((line) => line.next()));
    for (;;) {
      signal?.throwIfAborted();
      const at = earliest(heads);
      const head = at === undefined ? undefined : heads[at];
      if (at === undefined || head?.done !== false) return;
      yield head.value;
      heads[at] = (await lines[at]?.next()) ?? { done: true, value: undefined };
    }
  } finally {
    input.dispose();
  }
}

function earliest(heads: readonly IteratorResult<Frame, void>[]): number | undefined {
  let best: number | undefined;
  let least = Infinity;
  for (const [at, head] of heads.entries()) {
    if (head.done === true) continue;
    const dts = head.value.decodingTs ?? head.value.presentationTs;
    if (dts < least) [best, least] = [at, dts];
  }
  return best;
}

async function* framesOf(
  sink: EncodedPacketSink,
  part: ChosenTrack & { readonly delayMs: number },
  shift: number,
): AsyncGenerator<Frame, void, undefined> {
  const clock = new DecodingClock<EncodedPacket>(part.delayMs);
  const sound = part.track.type === 'audio';
  const frame = ({ pts, dts, item }: { pts: number; dts: number; item: EncodedPacket }): Frame => ({
    frameData: part.adts ? (readAdts(item.data)?.data ?? item.data) : item.data,
    flags: sound || item.type === 'key' ? FRAME_FLAG.KEY_FRAME : FRAME_FLAG.NONE,
    presentationTs: roundToMicroseconds(pts + shift),
    decodingTs: roundToMicroseconds(dts + shift),
    duration: roundToMicroseconds(item.duration * 1000),
    trackId: part.info.trackId ?? 1,
  });
  for await (const packet of sink.packets()) {
    if (packet.byteLength === 0) continue;
    const stamped = clock.push(packet.timestamp * 1000, packet);
    if (stamped !== undefined) yield frame(stamped);
  }
  for (let rest = clock.take(); rest !== undefined; rest = clock.take()) yield frame(rest);
}
