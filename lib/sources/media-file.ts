import { KvsError } from '../base/errors.js';
import type { Frame, TrackInfo } from '../base/media.js';
import {
  type Container,
  type FoundTrack,
  type FramesOptions,
  type MediaFormat,
  openForReading,
  readBytes,
  roundToMicroseconds,
} from './container.js';
import { openMatroska } from './matroska.js';
import { openMp4 } from './mp4-file.js';
import { openOther } from './other-file.js';
import { openRawVideo } from './raw-video-file.js';

/** How a media file is opened. */
export interface MediaFileOptions {
  /**
   * Frames a second of a raw H.264 or H.265 file, which has no clock. Above 0, at most 1000; left out,
   * what its parameter sets state, or else 25.
   */
  readonly frameRate?: number;
  /** `false` sends what the edit lists of an MP4 file cut off, too; `true` by default. */
  readonly keepEdits?: boolean;
  /**
   * What becomes of an MP4 file that is cut off: `refuse` (the default) or `read`, which gives every
   * frame that is whole.
   */
  readonly truncated?: 'read' | 'refuse';
}

/** A media file that is ready to be streamed. It holds no open file; every pass opens its own. */
export interface MediaFile {
  readonly path: string;
  readonly format: MediaFormat;
  /** The first video track and the first audio track that can be sent, `trackId` 1 and 2; or one of them. */
  readonly tracks: readonly TrackInfo[];
  /** Every track of the file, and why it is not taken where it is not. */
  readonly found: readonly FoundTrack[];
  /** What a person should know of this file, a sentence each. */
  readonly warnings: readonly string[];
  /** What the frames need to become Matroska frames; for `createStream`. */
  readonly nalAdaptationFlags: number;
  /** Media type for `createStream`, for example `video/h264,audio/aac`. */
  readonly contentType: string;
  /** Frames of all tracks together. */
  readonly frameCount: number;
  /** From the first frame shown to the end of the last one, ms. */
  readonly durationMs: number;
  /**
   * Already added to every time of the file, ms, so that none is below zero and one that begins in the
   * middle of a time line counts from zero: a file with B-frames commonly decodes its first frame before
   * time 0, recordings begin at the time of day. The frames of all tracks keep their distances.
   */
  readonly timeShiftMs: number;
  /** The file's own time of the first frame shown, ms. */
  readonly startMs: number;
  /**
   * The frames in decoding order, times in ms exact to 1 µs. May be called any number of times;
   * each call is a pass of its own. Every frame owns its bytes.
   */
  frames(options?: FramesOptions): AsyncGenerator<Frame, void, undefined>;
}

/**
 * Opens an MP4/MOV (also fragmented), Matroska/WebM, MPEG-TS, raw H.264 or H.265, ADTS, WAV, Ogg, MP3 or
 * FLAC file; the content decides which,
 * not the name. Reads the file's tables (Matroska, raw video: the whole file once), so that a
 * truncated or damaged file is refused here and not in the middle of an upload.
 *
 * @throws KvsError STATUS_OPEN_FILE_FAILED, STATUS_READ_FILE_FAILED, STATUS_UNEXPECTED_EOF
 * (truncated), STATUS_FORMAT_ERROR (unknown or damaged), STATUS_NOT_FOUND (nothing that can be sent),
 * STATUS_INVALID_ARG (frame rate).
 */
export async function openMediaFile(
  path: string,
  options: MediaFileOptions = {},
): Promise<MediaFile> {
  const { frameRate } = options;
  if (frameRate !== undefined && !(frameRate > 0 && frameRate <= 1000)) {
    throw new KvsError({
      status: 'STATUS_INVALID_ARG',
      message: `frameRate is ${frameRate}; give a number above 0 and at most 1000`,
    });
  }
  const container = await openContainer(path, options);
  return {
    path,
    format: container.format,
    tracks: container.tracks,
    found: container.found,
    warnings: container.warnings,
    nalAdaptationFlags: container.nalAdaptationFlags,
    contentType: container.tracks.map(mediaType).join(','),
    frameCount: container.frameCount,
    durationMs: container.durationMs,
    timeShiftMs: container.timeShiftMs,
    startMs: container.startMs,
    frames: (passOptions) => shifted(container, passOptions),
  };
}

async function openContainer(path: string, options: MediaFileOptions): Promise<Container> {
  const { frameRate, keepEdits = true, truncated = 'refuse' } = options;
  const file = await openForReading(path);
  const head = await readBytes(file, path, 0, 4096).finally(() => file.close());
  const format = detectFormat(head);
  switch (format) {
    case 'mp4':
      return openMp4(path, { keepEdits, truncated });
    case 'matroska':
      return openMatroska(path);
    case 'h264':
    case 'h265':
      return openRawVideo(path, format, frameRate);
    case 'ts':
    case 'adts':
    case 'wav':
    case 'ogg':
    case 'mp3':
    case 'flac':
      return openOther(path, format);
    default:
      throw new KvsError({
        status: 'STATUS_FORMAT_ERROR',
        message: `${path} is not MP4, Matroska, MPEG-TS, raw H.264 or H.265, ADTS, WAV, Ogg, MP3 or FLAC (it begins with ${beginning(head)}); convert it with ffmpeg -i IN -c copy OUT.mkv`,
      });
  }
}

/** What the first bytes of a file are, or `undefined`. */
export function detectFormat(head: Uint8Array): MediaFormat | undefined {
  if (head[0] === 0x1a && head[1] === 0x45 && head[2] === 0xdf && head[3] === 0xa3) {
    return 'matroska';
  }
  const box = String.fromCharCode(...head.subarray(4, 8));
  if (/^(ftyp|styp|moov|moof|mdat|free|skip|wide|pnot|sidx)$/.test(box)) return 'mp4';
  const sound = soundFormat(head);
  if (sound !== undefined) return sound;
  const code = head.findIndex((byte) => byte !== 0);
  const unit = head[code + 1];
  if (code < 2 || head[code] !== 1 || unit === undefined) return undefined;
  if (isH265Header(unit, head[code + 2] ?? 0)) return 'h265';
  return isH264Header(unit) ? 'h264' : undefined;
}

const TS_PACKET = 188;
const TS_SYNC = 0x47;

/** Transport streams and files of sound alone. */
function soundFormat(head: Uint8Array): MediaFormat | undefined {
  const name = String.fromCharCode(...head.subarray(0, 4));
  if (name === 'RIFF' && String.fromCharCode(...head.subarray(8, 12)) === 'WAVE') return 'wav';
  if (name === 'OggS') return 'ogg';
  if (name === 'fLaC') return 'flac';
  if (head[0] === TS_SYNC && (head.length <= TS_PACKET || head[TS_PACKET] === TS_SYNC)) return 'ts';
  if (name.startsWith('ID3')) return 'mp3';
  if (head[0] !== 0xff) return undefined;
  const second = head[1] ?? 0;
  if ((second & 0xf6) === 0xf0) return 'adts';
  return (second & 0xe6) === 0xe2 ? 'mp3' : undefined;
}

/** A stream begins with a delimiter, parameter set, SEI or slice; H.265 headers read as none of these. */
function isH264Header(byte: number): boolean {
  const type = byte & 0x1f;
  const importance = byte & 0x60;
  if ((byte & 0x80) !== 0) return false;
  if (type === 5 || type === 7 || type === 8) return importance !== 0;
  if (type === 6 || type === 9) return importance === 0;
  return type === 1;
}

/** Begins with a VPS, SPS, PPS, delimiter or SEI of the base layer; H.264 headers read as none of these. */
function isH265Header(first: number, second: number): boolean {
  const type = (first >> 1) & 0x3f;
  const lead = (type >= 32 && type <= 35) || type === 39;
  return (first & 0x81) === 0 && second === 1 && lead;
}

function beginning(head: Uint8Array): string {
  if (head.length === 0) return 'nothing: it is empty';
  return [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

async function* shifted(
  container: Container,
  options: FramesOptions = {},
): AsyncGenerator<Frame, void, undefined> {
  const offset = options.timeOffsetMs ?? 0;
  for await (const frame of container.frames(options.signal)) {
    if (offset === 0) {
      yield frame;
      continue;
    }
    yield {
      ...frame,
      presentationTs: roundToMicroseconds(frame.presentationTs + offset),
      decodingTs: roundToMicroseconds((frame.decodingTs ?? frame.presentationTs) + offset),
    };
  }
}

/** KVS names the media types of a stream by codec. */
function mediaType(track: TrackInfo): string {
  const types: Readonly<Record<string, string>> = {
    'V_MPEG4/ISO/AVC': 'video/h264',
    'V_MPEGH/ISO/HEVC': 'video/h265',
    V_VP8: 'video/vp8',
    V_VP9: 'video/vp9',
    V_AV1: 'video/av1',
    V_MJPEG: 'video/mjpeg',
    A_AAC: 'audio/aac',
    A_OPUS: 'audio/opus',
    A_VORBIS: 'audio/vorbis',
    A_FLAC: 'audio/flac',
    A_AC3: 'audio/ac3',
    A_EAC3: 'audio/eac3',
    'A_MPEG/L3': 'audio/mpeg',
  };
  const codec = track.codecId ?? '';
  return types[codec] ?? (codec.startsWith('A_') ? 'audio/x-matroska' : 'video/x-matroska');
}
