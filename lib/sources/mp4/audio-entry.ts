import { TRACK_TYPE, type TrackInfo } from '../../base/media.js';
import { Fields, findBox } from './box.js';
import { decoderConfig } from './descriptors.js';
import type { SampleEntry } from './movie.js';
import { originalFormat } from './video-entry.js';

/** What a sample description says of sound, or why it is not taken. */
export type AudioEntry =
  | {
      readonly kind: 'audio';
      readonly info: TrackInfo;
      /** Bytes of one sample of all channels, where each is stored by itself (PCM, G.711); else 0. */
      readonly sampleBytes: number;
    }
  | { readonly kind: 'skipped'; readonly codec: string; readonly reason: string };

interface Sound {
  readonly channels: number;
  readonly bits: number;
  readonly rate: number;
  readonly boxes: Uint8Array;
}

/** Reads an audio sample entry (ISO/IEC 14496-12, 12.2.3; QuickTime's versions 1 and 2). */
export function readAudioEntry(entry: SampleEntry): AudioEntry {
  const sound = soundOf(entry.body);
  const raw = RAW[entry.type];
  if (raw !== undefined) return rawEntry(raw, sound);
  switch (entry.type) {
    case 'mp4a':
      return mp4aEntry(sound);
    case '.mp3':
      return audio('A_MPEG/L3', sound);
    case 'Opus':
      return opusEntry(sound);
    case 'ac-3':
      return audio('A_AC3', sound);
    case 'ec-3':
      return audio('A_EAC3', sound);
    case 'fLaC':
      return flacEntry(sound);
    case 'lpcm':
      return lpcmEntry(sound, entry.body);
    case 'enca':
      return skipped(
        `encrypted ${originalFormat(sound.boxes)}`,
        'it is encrypted; give the clear film',
      );
    default:
      return skipped(entry.type, 'Kinesis Video Streams has no name for this codec');
  }
}

function skipped(codec: string, reason: string): AudioEntry {
  return { kind: 'skipped', codec, reason };
}

function soundOf(body: Uint8Array): Sound {
  const fields = new Fields(body, 8);
  const version = fields.u16();
  fields.skip(6);
  const channels = fields.u16();
  const bits = fields.u16();
  fields.skip(4);
  const rate = fields.u32() / 65_536;
  if (version === 2) return soundV2(body);
  return { channels, bits, rate, boxes: body.subarray(version === 1 ? 44 : 28) };
}

function soundV2(body: Uint8Array): Sound {
  const fields = new Fields(body, 28);
  const end = fields.u32(); // of the fields, counted from the box's begin
  const rate =
    body.length >= 40 ? new DataView(body.buffer, body.byteOffset + 32).getFloat64(0) : 0;
  fields.skip(8);
  const channels = fields.u32();
  fields.skip(4);
  const bits = fields.u32();
  return { channels, bits, rate, boxes: body.subarray(Math.max(64, end - 8)) };
}

function audio(codecId: string, sound: Sound, more: Partial<TrackInfo> = {}): AudioEntry {
  const { channels, rate: samplingFrequency } = sound;
  const info = {
    trackId: 2,
    trackType: TRACK_TYPE.AUDIO,
    codecId,
    trackName: 'audio',
    ...(samplingFrequency > 0 && { samplingFrequency }),
    ...(channels > 0 && { channels }),
    ...more,
  };
  return { kind: 'audio', info, sampleBytes: 0 };
}

/** Object types of MPEG-4 systems (ISO/IEC 14496-1, table 5) under one name, `mp4a`. */
function mp4aEntry(sound: Sound): AudioEntry {
  const esds = findBox(sound.boxes, 'esds') ?? findBox(sound.boxes, 'wave', 'esds');
  const { objectType, config } = decoderConfig(esds ?? new Uint8Array(0));
  if (objectType === 0x69 || objectType === 0x6b) return audio('A_MPEG/L3', sound);
  if (objectType === 0xa5) return audio('A_AC3', sound);
  if (objectType === 0xa6) return audio('A_EAC3', sound);
  const aac = objectType === 0x40 || (objectType >= 0x66 && objectType <= 0x68);
  if (!aac) return skipped(`mp4a.${objectType.toString(16)}`, 'this object type is not known');
  if (config === undefined || config.length < 2) {
    return skipped('mp4a', 'its sample description has no AudioSpecificConfig');
  }
  const channels = channelsOf(config);
  return audio('A_AAC', sound, {
    codecPrivateData: config.slice(),
    ...(channels !== undefined && { channels }),
  });
}

/** The sample description commonly says 2 whatever is inside; the decoder's configuration is right. */
function channelsOf(config: Uint8Array): number | undefined {
  const word = ((config[0] ?? 0) << 8) | (config[1] ?? 0);
  const objectType = word >> 11;
  const frequencyIndex = (word >> 7) & 15;
  const layout = (word >> 3) & 15;
  // Escaped types and frequencies move the field; layout 0 is described elsewhere, 7 is 7.1.
  if (objectType === 31 || frequencyIndex === 15 || layout === 0 || layout > 7) return undefined;
  return layout === 7 ? 8 : layout;
}

const OPUS_HEAD: readonly number[] = [...'OpusHead'].map((letter) => letter.charCodeAt(0));

/** `dOps` is the head of Ogg with other byte order (Opus in ISOBMFF, 4.3.2). */
function opusEntry(sound: Sound): AudioEntry {
  const body = findBox(sound.boxes, 'dOps');
  if (body === undefined || body.length < 11) {
    return skipped('Opus', 'its sample description has no dOps box');
  }
  const head = new Uint8Array(8 + body.length);
  head.set(OPUS_HEAD);
  head.set(body, 8);
  head[8] = 1;
  const from = new DataView(body.buffer, body.byteOffset, body.length);
  const to = new DataView(head.buffer, 8);
  to.setUint16(2, from.getUint16(2), true);
  to.setUint32(4, from.getUint32(4), true);
  to.setInt16(8, from.getInt16(8), true);
  return audio(
    'A_OPUS',
    { ...sound, channels: body[1] ?? sound.channels },
    {
      codecPrivateData: head,
    },
  );
}

const FLAC: readonly number[] = [...'fLaC'].map((letter) => letter.charCodeAt(0));

/** Matroska wants the head of a FLAC file: its name, then the metadata blocks. */
function flacEntry(sound: Sound): AudioEntry {
  const body = findBox(sound.boxes, 'dfLa');
  if (body === undefined) return skipped('fLaC', 'its sample description has no dfLa box');
  return audio('A_FLAC', sound, { codecPrivateData: Uint8Array.of(...FLAC, ...body.subarray(4)) });
}

interface Raw {
  readonly codecId: string;
  /** Bits of one sample; 0: as the description says. */
  readonly bits: number;
  /** Format tag of a WAVEFORMATEX, where the codec is named by one. */
  readonly waveTag?: number;
}

const RAW: Readonly<Record<string, Raw>> = {
  ulaw: { codecId: 'A_MS/ACM', bits: 8, waveTag: 7 },
  alaw: { codecId: 'A_MS/ACM', bits: 8, waveTag: 6 },
  sowt: { codecId: 'A_PCM/INT/LIT', bits: 0 },
  twos: { codecId: 'A_PCM/INT/BIG', bits: 0 },
  in24: { codecId: 'A_PCM/INT/BIG', bits: 24 },
  in32: { codecId: 'A_PCM/INT/BIG', bits: 32 },
  fl32: { codecId: 'A_PCM/FLOAT/IEEE', bits: 32 },
};

function rawEntry({ codecId, bits, waveTag }: Raw, sound: Sound): AudioEntry {
  const bitDepth = bits || sound.bits;
  const sampleBytes = (sound.channels * bitDepth) / 8;
  if (!(sampleBytes >= 1)) return skipped(codecId, 'its sample description names no channels');
  const made = audio(codecId, sound, {
    bitDepth,
    ...(waveTag !== undefined && { codecPrivateData: waveFormat(waveTag, sound) }),
  });
  return made.kind === 'audio' ? { ...made, sampleBytes } : made;
}

const FLOAT = 1;
const BIG_ENDIAN = 2;

function lpcmEntry(sound: Sound, body: Uint8Array): AudioEntry {
  const flags = new Fields(body, 52).u32();
  if ((flags & FLOAT) !== 0) return rawEntry({ codecId: 'A_PCM/FLOAT/IEEE', bits: 0 }, sound);
  const order = (flags & BIG_ENDIAN) !== 0 ? 'BIG' : 'LIT';
  return rawEntry({ codecId: `A_PCM/INT/${order}`, bits: 0 }, sound);
}

/** WAVEFORMATEX of G.711, 8 bits a sample. */
export function waveFormat(
  tag: number,
  { channels, rate }: { readonly channels: number; readonly rate: number },
): Uint8Array {
  const bytes = new Uint8Array(18);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, tag, true);
  view.setUint16(2, channels, true);
  view.setUint32(4, rate, true);
  view.setUint32(8, rate * channels, true);
  view.setUint16(12, channels, true);
  view.setUint16(14, 8, true);
  return bytes;
}
