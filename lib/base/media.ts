/** Bits of `Frame.flags`, the guide's FRAME_FLAG_* values (guide: frame header elements). */
export const FRAME_FLAG: Readonly<
  Record<'NONE' | 'KEY_FRAME' | 'DISCARDABLE_FRAME' | 'INVISIBLE_FRAME' | 'END_OF_FRAGMENT', number>
> = {
  NONE: 0,
  KEY_FRAME: 1,
  DISCARDABLE_FRAME: 2,
  INVISIBLE_FRAME: 4,
  END_OF_FRAGMENT: 8,
};

/** One encoded frame (access unit) of one track. Times are milliseconds, exact to 1 µs. */
export interface Frame {
  /**
   * The encoded bytes; copied during `putFrame`, never kept. None, with END_OF_FRAGMENT: the fragment
   * ends with the frame before.
   */
  readonly frameData: Uint8Array;
  /** Sum of `FRAME_FLAG` bits; 0 by default. */
  readonly flags?: number;
  /** Whether decoding may begin with it: the same as KEY_FRAME in `flags`. */
  readonly key?: boolean;
  /** When the frame is shown, ms. In absolute mode since 1970 UTC. */
  readonly presentationTs: number;
  /** When the frame is decoded, ms; the presentation time by default. Grows per track. */
  readonly decodingTs?: number;
  /** How long it is shown, ms; 0 when not known. */
  readonly duration?: number;
  /** `TrackInfo.trackId`; 1 by default. */
  readonly trackId?: number;
}

/** All flags of a frame, `key` among them. Throws `TypeError` where `key` is no boolean. @internal */
export function flagsOf({ flags = 0, key }: Pick<Frame, 'flags' | 'key'>): number {
  if (key === undefined || key === false) return flags;
  if (key === true) return flags | FRAME_FLAG.KEY_FRAME;
  throw new TypeError(`key is ${String(key)}; give true or false`);
}

/** Matroska track types that KVS carries. */
export const TRACK_TYPE: Readonly<Record<'VIDEO' | 'AUDIO' | 'DATA', number>> = {
  VIDEO: 1,
  AUDIO: 2,
  DATA: 33,
};

/** Bits of `nalAdaptationFlags` (guide: NAL adaptation flags). */
export const NAL_ADAPTATION: Readonly<
  Record<'NONE' | 'ANNEXB_NALS' | 'AVCC_NALS' | 'ANNEXB_CPD_NALS', number>
> = {
  NONE: 0,
  ANNEXB_NALS: 8,
  AVCC_NALS: 16,
  ANNEXB_CPD_NALS: 32,
};

/** What a track carries; becomes one Matroska TrackEntry. */
export interface TrackInfo {
  /** 1 and up, unique within the stream; default 1. */
  readonly trackId?: number;
  /** `TRACK_TYPE`; default VIDEO. */
  readonly trackType?: number;
  /** Matroska codec id, at most 32 characters; default `V_MPEG4/ISO/AVC`. */
  readonly codecId?: string;
  /** At most 32 characters; default `kinesis_video`. */
  readonly trackName?: string;
  /** Decoder configuration (SPS/PPS as Annex-B or avcC, AudioSpecificConfig, …), at most 1 MiB. */
  readonly codecPrivateData?: Uint8Array;
  /** Pixels; found from the codec private data when left out. */
  readonly pixelWidth?: number;
  /** Pixels; found from the codec private data when left out. */
  readonly pixelHeight?: number;
  /** Hz; audio only. */
  readonly samplingFrequency?: number;
  /** Audio only. */
  readonly channels?: number;
  /** Bits a sample; audio only. */
  readonly bitDepth?: number;
}
