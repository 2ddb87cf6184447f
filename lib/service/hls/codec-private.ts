/* What a decoder must be told before the first frame, as Matroska keeps it with a track. */

const AVC = 'V_MPEG4/ISO/AVC';
const HEVC = 'V_MPEGH/ISO/HEVC';
const AAC = 'A_AAC';

const H264_SPS = 7;
const H264_PPS = 8;
const H265_SPS = 33;
const H265_PPS = 34;

/** Whether HLS can carry a track of this codec as the stream's first one. @internal */
export function isHlsVideo(codecId: string): boolean {
  return codecId === AVC || codecId === HEVC;
}

/** Whether HLS can carry a track of this codec beside the video. @internal */
export function isHlsAudio(codecId: string): boolean {
  return codecId === AAC || codecId.startsWith(`${AAC}/`);
}

/** Whether codec private data has the form that an MP4 file needs. @internal */
export function isValidCodecPrivate(codecId: string, data: Uint8Array): boolean {
  switch (codecId) {
    case AVC:
      return isAvcConfiguration(data);
    case HEVC:
      return isHevcConfiguration(data);
    default:
      return isAudioConfiguration(data);
  }
}

/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15), with parameter sets of both kinds. */
function isAvcConfiguration(data: Uint8Array): boolean {
  if (data[0] !== 1) return false;
  const sps = readUnits(data, 6, (data[5] ?? 0) & 0x1f);
  if (sps === undefined || !sps.types.includes(H264_SPS)) return false;
  const pps = readUnits(data, sps.end + 1, data[sps.end] ?? 0);
  return pps !== undefined && pps.types.includes(H264_PPS);
}

interface Units {
  readonly types: readonly number[];
  /** Where the next byte behind them stands. */
  readonly end: number;
}

/** Reads H.264 parameter sets, each behind its length; undefined where they do not fit. */
function readUnits(data: Uint8Array, from: number, count: number): Units | undefined {
  const types: number[] = [];
  let at = from;
  for (let index = 0; index < count; index += 1) {
    const length = uint16(data, at);
    if (length === 0 || at + 2 + length > data.length) return undefined;
    types.push((data[at + 2] ?? 0) & 0x1f);
    at += 2 + length;
  }
  return { types, end: at };
}

/** HEVCDecoderConfigurationRecord (ISO/IEC 14496-15), with the parameter sets of a picture. */
function isHevcConfiguration(data: Uint8Array): boolean {
  if (data[0] !== 1) return false;
  const types = new Set<number>();
  let at = 23;
  for (let array = data[22] ?? 0; array > 0; array -= 1) {
    const units = uint16(data, at + 1);
    if (units > 0) types.add((data[at] ?? 0) & 0x3f);
    at += 3;
    for (let unit = 0; unit < units; unit += 1) {
      const length = uint16(data, at);
      if (length === 0 || at + 2 + length > data.length) return false;
      at += 2 + length;
    }
  }
  return types.has(H265_SPS) && types.has(H265_PPS);
}

/** AudioSpecificConfig (ISO/IEC 14496-3): a known object type and sampling frequency. */
function isAudioConfiguration(data: Uint8Array): boolean {
  if (data.length < 2) return false;
  const bits = uint16(data, 0);
  const objectType = bits >> 11;
  const frequency = (bits >> 7) & 0x0f;
  return objectType !== 0 && frequency !== 13 && frequency !== 14;
}

function uint16(data: Uint8Array, at: number): number {
  return ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0);
}
