import { KvsError } from '../base/errors.js';
import { type Frame, FRAME_FLAG, NAL_ADAPTATION, TRACK_TYPE } from '../base/media.js';
import { type AccessUnit, AccessUnitSplitter } from './annexb.js';
import {
  type Container,
  malformed,
  noVideo,
  readChunks,
  roundToMicroseconds,
} from './container.js';

/** No encoder makes a picture this large; a file that seems to is not H.264. */
const MAX_ACCESS_UNIT_BYTES = 64 * 1024 * 1024;

/**
 * Opens a raw H.264 byte stream (Annex B). Such a file has no clock: frame n is given the time
 * n / `frameRate`, for decoding and for showing alike. The order in which B-frames are shown is not
 * derived, so a stream with B-frames should come in a container (ffmpeg -i IN -c copy OUT.mkv).
 */
export async function openH264(path: string, frameRate: number): Promise<Container> {
  const config = await scan(path);
  const frameMs = 1000 / frameRate;
  return {
    format: 'h264',
    tracks: [
      {
        trackId: 1,
        trackType: TRACK_TYPE.VIDEO,
        codecId: 'V_MPEG4/ISO/AVC',
        trackName: 'video',
        codecPrivateData: config.codecPrivateData,
      },
    ],
    nalAdaptationFlags: NAL_ADAPTATION.ANNEXB_NALS | NAL_ADAPTATION.ANNEXB_CPD_NALS,
    frameCount: config.count,
    durationMs: roundToMicroseconds(config.count * frameMs),
    timeShiftMs: 0,
    frames: (signal) => readFrames(path, frameMs, signal),
  };
}

interface Config {
  readonly count: number;
  readonly codecPrivateData: Uint8Array;
}

/** One pass over the file: counts its pictures and finds the first parameter sets. */
async function scan(path: string): Promise<Config> {
  let count = 0;
  let keys = 0;
  let sps: Uint8Array | undefined;
  let pps: Uint8Array | undefined;
  for await (const unit of accessUnits(path, undefined)) {
    count += 1;
    if (unit.key) keys += 1;
    sps ??= unit.sps;
    pps ??= unit.pps;
  }
  if (count === 0) throw noVideo(path, 'start codes, but no H.264 picture');
  if (sps === undefined || pps === undefined) {
    throw new KvsError({
      status:
        sps === undefined
          ? 'STATUS_MKV_MISSING_SPS_FROM_H264_CPD'
          : 'STATUS_MKV_MISSING_PPS_FROM_H264_CPD',
      message: `${path} has ${count} pictures but no ${sps === undefined ? 'SPS' : 'PPS'}, so nothing can decode it; let the encoder repeat its headers`,
    });
  }
  if (keys === 0) {
    throw malformed(
      path,
      `none of its ${count} pictures is an IDR picture, so no fragment can begin`,
    );
  }
  return { count, codecPrivateData: withStartCodes([sps, pps]) };
}

async function* readFrames(
  path: string,
  frameMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Frame, void, undefined> {
  let number = 0;
  for await (const unit of accessUnits(path, signal)) {
    const time = roundToMicroseconds(number * frameMs);
    number += 1;
    yield {
      frameData: unit.bytes,
      flags: unit.key ? FRAME_FLAG.KEY_FRAME : FRAME_FLAG.NONE,
      presentationTs: time,
      decodingTs: time,
      duration: roundToMicroseconds(frameMs),
      trackId: 1,
    };
  }
}

async function* accessUnits(
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<AccessUnit, void, undefined> {
  const splitter = new AccessUnitSplitter();
  for await (const chunk of readChunks(path, signal)) {
    yield* splitter.push(chunk);
    if (splitter.pendingBytes > MAX_ACCESS_UNIT_BYTES) {
      throw malformed(
        path,
        `a picture of more than ${MAX_ACCESS_UNIT_BYTES} bytes; it is not H.264`,
      );
    }
  }
  yield* splitter.end();
}

function withStartCodes(units: readonly Uint8Array[]): Uint8Array {
  const total = units.reduce((sum, unit) => sum + 4 + unit.length, 0);
  const out = new Uint8Array(total);
  let at = 0;
  for (const unit of units) {
    out.set([0, 0, 0, 1], at);
    out.set(unit, at + 4);
    at += 4 + unit.length;
  }
  return out;
}
