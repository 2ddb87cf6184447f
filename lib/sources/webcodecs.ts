import { KvsError } from '../base/errors.js';
import { type Frame, TRACK_TYPE, type TrackInfo } from '../base/media.js';

/** Bytes as pages and `postMessage` have them. */
export type BytesLike = ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

/**
 * What an encoder of WebCodecs gives (EncodedVideoChunk, EncodedAudioChunk), or the same fields with its
 * bytes in `data`, as they come out of another process.
 */
export interface EncodedChunk {
  readonly type: 'key' | 'delta';
  /** Microseconds. */
  readonly timestamp: number;
  /** Microseconds, or null where it is not known. */
  readonly duration?: number | null;
  readonly byteLength?: number;
  copyTo?(destination: Uint8Array): void;
  readonly data?: BytesLike;
}

/** What a chunk becomes part of. */
export interface EncodedChunkOptions {
  /**
   * When `timestamp` 0 is, ms since 1970: of a camera's chunks, `Date.now() - first.timestamp / 1000`,
   * taken once, when the first one comes.
   */
  readonly timeOriginMs: number;
  /** 1 by default. */
  readonly trackId?: number;
}

/** Fields of a VideoDecoderConfig or AudioDecoderConfig, which comes with an encoder's first chunk. */
export interface DecoderConfigLike {
  /** For example `avc1.42001f`. */
  readonly codec: string;
  /** The avcC, hvcC or av1C record, or the AudioSpecificConfig. */
  readonly description?: BytesLike;
  readonly codedWidth?: number;
  readonly codedHeight?: number;
  readonly sampleRate?: number;
  readonly numberOfChannels?: number;
}

/** A frame of an encoder's chunk, for `putFrame`. Its bytes are a copy. Throws `KvsError`. */
export function fromEncodedChunk(chunk: EncodedChunk, options: EncodedChunkOptions): Frame {
  const { timeOriginMs, trackId = 1 } = options;
  if (!Number.isFinite(timeOriginMs)) {
    throw refused(`timeOriginMs is ${String(timeOriginMs)}; give milliseconds since 1970`);
  }
  const duration = chunk.duration ?? undefined;
  return {
    frameData: bytesOf(chunk),
    key: chunk.type === 'key',
    presentationTs: timeOriginMs + chunk.timestamp / 1000,
    ...(duration === undefined ? {} : { duration: duration / 1000 }),
    trackId,
  };
}

const CODECS: readonly (readonly [shape: RegExp, codecId: string, trackType: number])[] = [
  [/^avc[13]\./, 'V_MPEG4/ISO/AVC', TRACK_TYPE.VIDEO],
  [/^(hvc1|hev1)\./, 'V_MPEGH/ISO/HEVC', TRACK_TYPE.VIDEO],
  [/^vp8/, 'V_VP8', TRACK_TYPE.VIDEO],
  [/^vp09/, 'V_VP9', TRACK_TYPE.VIDEO],
  [/^av01\./, 'V_AV1', TRACK_TYPE.VIDEO],
  [/^mp4a\.40/, 'A_AAC', TRACK_TYPE.AUDIO],
  [/^opus$/, 'A_OPUS', TRACK_TYPE.AUDIO],
];

/**
 * The track of an encoder's chunks, from the `decoderConfig` beside its first one. With a `description`
 * H.264 and H.265 chunks have lengths in place of start codes: the stream takes them with
 * `nalAdaptationFlags: NAL_ADAPTATION.NONE`. Throws `KvsError` for a codec that is not known.
 */
export function trackFromDecoderConfig(config: DecoderConfigLike, trackId = 1): TrackInfo {
  const known = CODECS.find(([shape]) => shape.test(config.codec));
  if (known === undefined) throw refused(`there is no track for the codec '${config.codec}'`);
  const [, codecId, trackType] = known;
  const { description, codedWidth, codedHeight, sampleRate, numberOfChannels } = config;
  return {
    trackId,
    trackType,
    codecId,
    ...(description === undefined ? {} : { codecPrivateData: copyOf(description) }),
    ...(codedWidth === undefined ? {} : { pixelWidth: codedWidth }),
    ...(codedHeight === undefined ? {} : { pixelHeight: codedHeight }),
    ...(sampleRate === undefined ? {} : { samplingFrequency: sampleRate }),
    ...(numberOfChannels === undefined ? {} : { channels: numberOfChannels }),
  };
}

function bytesOf(chunk: EncodedChunk): Uint8Array {
  if (chunk.data !== undefined) return copyOf(chunk.data);
  if (typeof chunk.copyTo !== 'function' || typeof chunk.byteLength !== 'number') {
    throw refused('it has no bytes: give an EncodedVideoChunk, or its bytes as data');
  }
  const bytes = new Uint8Array(chunk.byteLength);
  chunk.copyTo(bytes);
  return bytes;
}

function copyOf(bytes: BytesLike): Uint8Array {
  if (!ArrayBuffer.isView(bytes)) return new Uint8Array(bytes).slice();
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
}

function refused(message: string): KvsError {
  return new KvsError({
    status: 'STATUS_INVALID_ARG',
    message: `the chunk is refused: ${message}`,
  });
}
