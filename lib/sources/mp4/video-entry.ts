import { TRACK_TYPE, type TrackInfo } from '../../base/media.js';
import { Fields, findBox } from './box.js';
import type { SampleEntry } from './movie.js';

/** Behind the fields that every visual sample entry has (ISO/IEC 14496-12, 12.1.3). */
const BOXES_AT = 78;

/** What a sample description says of pictures, or why they are not taken. */
export type VideoEntry =
  | {
      readonly kind: 'video';
      readonly info: TrackInfo;
      /** Bytes of the length before each NAL unit; 0 where frames have none. */
      readonly nalLength: number;
      /** Parameter sets stand in the samples and may change there (`avc3`, `hev1`). */
      readonly setsInSamples: boolean;
    }
  | { readonly kind: 'skipped'; readonly codec: string; readonly reason: string };

/** Reads a visual sample entry. */
export function readVideoEntry(entry: SampleEntry): VideoEntry {
  const boxes = entry.body.subarray(BOXES_AT);
  switch (entry.type) {
    case 'avc1':
    case 'avc3':
      return nalEntry(entry, findBox(boxes, 'avcC'), 'V_MPEG4/ISO/AVC', 4);
    case 'hvc1':
    case 'hev1':
      return nalEntry(entry, findBox(boxes, 'hvcC'), 'V_MPEGH/ISO/HEVC', 21);
    case 'av01':
      return plainEntry(entry, 'V_AV1', findBox(boxes, 'av1C'));
    case 'vp08':
      return plainEntry(entry, 'V_VP8');
    case 'vp09':
      return plainEntry(entry, 'V_VP9');
    case 'jpeg':
    case 'mjpa':
      return plainEntry(entry, 'V_MJPEG');
    case 'encv':
      return skipped(`encrypted ${originalFormat(boxes)}`, 'it is encrypted; give the clear film');
    default:
      return skipped(entry.type, 'Kinesis Video Streams has no name for this codec');
  }
}

function skipped(codec: string, reason: string): VideoEntry {
  return { kind: 'skipped', codec, reason };
}

/** What was encrypted: `frma` within `sinf`. */
export function originalFormat(boxes: Uint8Array): string {
  const name = findBox(boxes, 'sinf', 'frma') ?? new Uint8Array(0);
  return String.fromCharCode(...name.subarray(0, 4));
}

function nalEntry(
  entry: SampleEntry,
  config: Uint8Array | undefined,
  codecId: string,
  lengthAt: number,
): VideoEntry {
  if (config === undefined || config.length <= lengthAt) {
    return skipped(entry.type, 'its sample description has no decoder configuration');
  }
  const nalLength = ((config[lengthAt] ?? 3) & 3) + 1;
  const setsInSamples = entry.type === 'avc3' || entry.type === 'hev1';
  const info = { ...sized(entry, codecId), codecPrivateData: config.slice() };
  return { kind: 'video', info, nalLength, setsInSamples };
}

function plainEntry(entry: SampleEntry, codecId: string, config?: Uint8Array): VideoEntry {
  const info = {
    ...sized(entry, codecId),
    ...(config !== undefined && { codecPrivateData: config.slice() }),
  };
  return { kind: 'video', info, nalLength: 0, setsInSamples: false };
}

function sized(entry: SampleEntry, codecId: string): TrackInfo {
  const fields = new Fields(entry.body, 24);
  const [pixelWidth, pixelHeight] = [fields.u16(), fields.u16()];
  return {
    trackId: 1,
    trackType: TRACK_TYPE.VIDEO,
    codecId,
    trackName: 'video',
    ...(pixelWidth > 0 && pixelHeight > 0 && { pixelWidth, pixelHeight }),
  };
}
