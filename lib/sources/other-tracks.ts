import type { EncodedPacket, InputTrack } from 'mediabunny';
import { TRACK_TYPE, type TrackInfo } from '../base/media.js';
import { readAdts } from './adts.js';
import { waveFormat } from './mp4/audio-entry.js';

/** A track of a file that the library reads, and how its packets become frames. */
export interface OtherTrack {
  readonly track: InputTrack;
  readonly codec: string;
  readonly info: TrackInfo | undefined;
  readonly reason: string | undefined;
  /** Packets have ADTS headers, which Matroska has no place for. */
  readonly adts: boolean;
}

/** Matroska's names of what the library calls otherwise. */
const CODECS: Readonly<Record<string, string>> = {
  avc: 'V_MPEG4/ISO/AVC',
  hevc: 'V_MPEGH/ISO/HEVC',
  vp8: 'V_VP8',
  vp9: 'V_VP9',
  av1: 'V_AV1',
  aac: 'A_AAC',
  opus: 'A_OPUS',
  vorbis: 'A_VORBIS',
  flac: 'A_FLAC',
  mp3: 'A_MPEG/L3',
  ac3: 'A_AC3',
  eac3: 'A_EAC3',
  ulaw: 'A_MS/ACM',
  alaw: 'A_MS/ACM',
  'pcm-u8': 'A_PCM/INT/LIT',
  'pcm-s16': 'A_PCM/INT/LIT',
  'pcm-s24': 'A_PCM/INT/LIT',
  'pcm-s32': 'A_PCM/INT/LIT',
  'pcm-f32': 'A_PCM/FLOAT/IEEE',
};
const G711_TAGS: Readonly<Record<string, number>> = { ulaw: 7, alaw: 6 };

/** What can be made of a track; `first` is its first packet with its bytes. */
export async function judgeOther(track: InputTrack, first: EncodedPacket): Promise<OtherTrack> {
  const name = await track.getCodec();
  const codec = name === null ? undefined : CODECS[name];
  const skipped = (reason: string): OtherTrack => ({
    track,
    codec: name ?? String(track.internalCodecId),
    info: undefined,
    reason,
    adts: false,
  });
  if (name === null || codec === undefined) {
    return skipped('Kinesis Video Streams has no name for this codec');
  }
  if (track.isVideoTrack()) {
    const config = await track.getDecoderConfig();
    const description = bytesOf(config?.description);
    const info = {
      trackType: TRACK_TYPE.VIDEO,
      codecId: codec,
      trackName: 'video',
      ...(description !== undefined && { codecPrivateData: description }),
      pixelWidth: await track.getCodedWidth(),
      pixelHeight: await track.getCodedHeight(),
    };
    return { track, codec, info, reason: undefined, adts: false };
  }
  if (!track.isAudioTrack()) return skipped('it is neither video nor audio');
  return judgeSound(track, name, codec, first);
}

async function judgeSound(
  track: InputTrack & {
    getSampleRate(): Promise<number>;
    getNumberOfChannels(): Promise<number>;
    getDecoderConfig(): Promise<{ readonly description?: unknown } | null>;
  },
  name: string,
  codec: string,
  first: EncodedPacket,
): Promise<OtherTrack> {
  const description = bytesOf((await track.getDecoderConfig())?.description);
  const header = codec === 'A_AAC' && description === undefined ? readAdts(first.data) : undefined;
  const rate = await track.getSampleRate();
  const channels = await track.getNumberOfChannels();
  const tag = G711_TAGS[name];
  const bits = /^pcm-\w(\d+)/.exec(name)?.[1];
  const codecPrivateData =
    tag === undefined ? (description ?? header?.config) : waveFormat(tag, { channels, rate });
  const info = {
    trackType: TRACK_TYPE.AUDIO,
    codecId: codec,
    trackName: 'audio',
    samplingFrequency: rate,
    channels,
    ...(codecPrivateData !== undefined && { codecPrivateData }),
    ...(bits !== undefined && { bitDepth: Number(bits) }),
  };
  return { track, codec, info, reason: undefined, adts: header !== undefined };
}

/** The library's type for them is one of browsers. */
function bytesOf(source: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(source)) {
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice();
  }
  return source instanceof ArrayBuffer ? new Uint8Array(source).slice() : undefined;
}
