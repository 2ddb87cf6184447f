import { KvsError } from '../base/errors.js';
import { type Frame, FRAME_FLAG, NAL_ADAPTATION, TRACK_TYPE } from '../base/media.js';
import {
  type Container,
  malformed,
  nothingToSend,
  readChunks,
  roundToMicroseconds,
} from './container.js';
import { type AccessUnit, AccessUnitSplitter } from './video/access-units.js';
import { noSets, type VideoCodec } from './video/codec.js';
import { type Place, showTurns } from './video/show-times.js';

/** No encoder makes a picture this large; a file that seems to is not video. */
const MAX_ACCESS_UNIT_BYTES = 64 * 1024 * 1024;
const DEFAULT_RATE = 25;

const NAMES = {
  h264: { label: 'H.264', codecId: 'V_MPEG4/ISO/AVC', sets: ['sps', 'pps'] },
  h265: { label: 'H.265', codecId: 'V_MPEGH/ISO/HEVC', sets: ['vps', 'sps', 'pps'] },
} as const;

/**
 * Opens a raw H.264 or H.265 byte stream (Annex B). Such a file has no clock: its pictures are decoded
 * at `frameRate`, at the rate that its parameter sets state where that is left out, or else 25 a
 * second, and shown in the order that they state.
 */
export async function openRawVideo(
  path: string,
  codec: VideoCodec,
  frameRate: number | undefined,
): Promise<Container> {
  const found = await scan(path, codec);
  const frameMs = 1000 / (frameRate ?? found.frameRate ?? DEFAULT_RATE);
  const { turns, lag } = showTurns(found.places);
  const pass: Pass = { path, codec, frameMs, turns, lag };
  return {
    format: codec,
    tracks: [
      {
        trackId: 1,
        trackType: TRACK_TYPE.VIDEO,
        codecId: NAMES[codec].codecId,
        trackName: 'video',
        codecPrivateData: found.codecPrivateData,
      },
    ],
    found: [{ number: 1, kind: 'video', codec: NAMES[codec].codecId, trackId: 1 }],
    warnings: [],
    nalAdaptationFlags: NAL_ADAPTATION.ANNEXB_NALS | NAL_ADAPTATION.ANNEXB_CPD_NALS,
    frameCount: found.places.length,
    durationMs: roundToMicroseconds(found.places.length * frameMs),
    timeShiftMs: roundToMicroseconds(lag * frameMs),
    startMs: 0,
    frames: (signal) => readFrames(pass, signal),
  };
}

interface Found {
  readonly places: readonly Place[];
  readonly codecPrivateData: Uint8Array;
  readonly frameRate: number | undefined;
}

/** One pass over the file: where its pictures are shown, and the first parameter sets. */
async function scan(path: string, codec: VideoCodec): Promise<Found> {
  const { label, sets: names } = NAMES[codec];
  const splitter = new AccessUnitSplitter({ codec });
  const places: Place[] = [];
  const sets = noSets();
  let keys = 0;
  let frameRate: number | undefined;
  for await (const unit of accessUnits(path, splitter, undefined)) {
    places.push({ sequence: unit.sequence, order: unit.order });
    if (unit.key) keys += 1;
    for (const name of names) sets[name] ??= unit[name];
    frameRate ??= splitter.frameRate;
  }
  if (places.length === 0) throw nothingToSend(path, `start codes, but no ${label} picture`);
  const missing = names.find((name) => sets[name] === undefined);
  if (missing !== undefined) throw lacksSet(path, codec, missing, places.length);
  if (keys === 0) {
    throw malformed(
      path,
      `none of its ${places.length} pictures is one that decoding can begin with, so no fragment can begin`,
    );
  }
  return { places, codecPrivateData: withStartCodes(names.map((name) => sets[name])), frameRate };
}

function lacksSet(path: string, codec: VideoCodec, name: string, count: number): KvsError {
  const missing = name.toUpperCase();
  const h264 =
    name === 'sps'
      ? 'STATUS_MKV_MISSING_SPS_FROM_H264_CPD'
      : 'STATUS_MKV_MISSING_PPS_FROM_H264_CPD';
  return new KvsError({
    status: codec === 'h264' ? h264 : 'STATUS_FORMAT_ERROR',
    message: `${path} has ${count} pictures but no ${missing}, so nothing can decode it; let the encoder repeat its headers`,
  });
}

/** What every pass over the file needs. */
interface Pass {
  readonly path: string;
  readonly codec: VideoCodec;
  readonly frameMs: number;
  readonly turns: Uint32Array;
  readonly lag: number;
}

async function* readFrames(
  { path, codec, frameMs, turns, lag }: Pass,
  signal: AbortSignal | undefined,
): AsyncGenerator<Frame, void, undefined> {
  let number = 0;
  for await (const unit of accessUnits(path, new AccessUnitSplitter({ codec }), signal)) {
    const turn = (turns[number] ?? number) + lag;
    yield {
      frameData: unit.bytes,
      flags: unit.key ? FRAME_FLAG.KEY_FRAME : FRAME_FLAG.NONE,
      presentationTs: roundToMicroseconds(turn * frameMs),
      decodingTs: roundToMicroseconds(number * frameMs),
      duration: roundToMicroseconds(frameMs),
      trackId: 1,
    };
    number += 1;
  }
}

async function* accessUnits(
  path: string,
  splitter: AccessUnitSplitter,
  signal: AbortSignal | undefined,
): AsyncGenerator<AccessUnit, void, undefined> {
  for await (const chunk of readChunks(path, signal)) {
    yield* splitter.push(chunk);
    if (splitter.pendingBytes > MAX_ACCESS_UNIT_BYTES) {
      throw malformed(
        path,
        `a picture of more than ${MAX_ACCESS_UNIT_BYTES} bytes; it is no video`,
      );
    }
  }
  yield* splitter.end();
}

function withStartCodes(units: readonly (Uint8Array | undefined)[]): Uint8Array {
  return Buffer.concat(
    units.flatMap((unit) => [Uint8Array.of(0, 0, 0, 1), unit ?? new Uint8Array(0)]),
  );
}
