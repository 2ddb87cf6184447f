import { KvsError } from '../base/errors.js';
import type { MkvTrack } from '../parser/index.js';

/* ISO 14496-12 boxes: size, type, content; all numbers big-endian. */

const UNITY_MATRIX = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000] as const;
const FIXED_ONE = 0x10000;
const VIDEO = 1;
const AUDIO = 2;

/** A box of these parts. @internal */
export function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([u32(size), ascii(type), ...parts]);
}

/** A box with version and flags. @internal */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return box(type, u32(version * 0x1000000 + flags), ...parts);
}

/** Numbers of 32 bits; negative ones as two's complement. @internal */
export function u32(...values: readonly number[]): Uint8Array {
  return u32List(values);
}

/** The same for lists of any length: a call has room for some ten thousand arguments only. @internal */
export function u32List(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeInt32BE(value | 0, i * 4));
  return bytes;
}

/** Numbers of 16 bits. @internal */
export function u16(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => bytes.writeUInt16BE(value & 0xffff, i * 2));
  return bytes;
}

/** Numbers of 64 bits. @internal */
export function u64(...values: readonly number[]): Uint8Array {
  return u64List(values);
}

/** @internal */
export function u64List(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, i) => bytes.writeBigInt64BE(BigInt(value), i * 8));
  return bytes;
}

/** @internal */
export function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** The movie's header; times in `timescale` units a second. @internal */
export function movieHeader(timescale: number, duration: number, nextTrack: number): Uint8Array {
  const times = [u64(0, 0), u32(timescale), u64(duration)];
  const rest = [u32(FIXED_ONE), u16(0x100, 0), u32(0, 0), u32(...UNITY_MATRIX)];
  return fullBox('mvhd', 1, 0, ...times, ...rest, u32(0, 0, 0, 0, 0, 0, nextTrack));
}

/** @internal */
export function trackHeader(track: MkvTrack, id: number, duration: number): Uint8Array {
  const enabledInMovie = 3;
  const volume = track.type === AUDIO ? 0x100 : 0;
  return fullBox(
    'tkhd',
    1,
    enabledInMovie,
    u64(0, 0),
    u32(id, 0),
    u64(duration),
    u32(0, 0),
    u16(0, 0, volume, 0),
    u32(...UNITY_MATRIX),
    u32((track.pixelWidth ?? 0) * FIXED_ONE, (track.pixelHeight ?? 0) * FIXED_ONE),
  );
}

/** Media header, handler and the header that belongs to the kind of media. @internal */
export function mediaHeaders(
  track: MkvTrack,
  timescale: number,
  duration: number,
): { readonly before: Uint8Array[]; readonly inMinf: Uint8Array[] } {
  const undetermined = 0x55c4;
  const mdhd = fullBox(
    'mdhd',
    1,
    0,
    u64(0, 0),
    u32(timescale),
    u64(duration),
    u16(undetermined, 0),
  );
  const [handler, header] =
    track.type === VIDEO
      ? ['vide', fullBox('vmhd', 0, 1, u16(0, 0, 0, 0))]
      : ['soun', fullBox('smhd', 0, 0, u16(0, 0))];
  const hdlr = fullBox('hdlr', 0, 0, u32(0), ascii(handler), u32(0, 0, 0), ascii('\0'));
  const here = fullBox('url ', 0, 1);
  const dinf = box('dinf', fullBox('dref', 0, 0, u32(1), here));
  return { before: [mdhd, hdlr], inMinf: [header, dinf] };
}

/**
 * How a decoder is set up, from Matroska's codec private data. Throws `KvsError` for a codec that
 * players of MP4 do not know.
 * @internal
 */
export function sampleEntry(track: MkvTrack): Uint8Array {
  const config = track.codecPrivate ?? new Uint8Array();
  switch (track.codecId) {
    case 'V_MPEG4/ISO/AVC':
      return visualEntry('avc1', track, box('avcC', config));
    case 'V_MPEGH/ISO/HEVC':
      return visualEntry('hvc1', track, box('hvcC', config));
    case 'A_AAC':
      return audioEntry('mp4a', track, esds(config));
    case 'A_OPUS':
      return audioEntry('Opus', track, opusConfig(config));
    default:
      throw new KvsError({
        status: 'STATUS_NOT_IMPLEMENTED',
        message: `MP4 file: track ${track.number} has codec ${track.codecId}; MP4 is written with H.264, H.265, AAC and Opus, save the clip as mkv`,
      });
  }
}

function visualEntry(type: string, track: MkvTrack, config: Uint8Array): Uint8Array {
  const dpi72 = 0x480000;
  return box(
    type,
    u16(0, 0, 0, 1),
    u32(0, 0, 0, 0),
    u16(track.pixelWidth ?? 0, track.pixelHeight ?? 0),
    u32(dpi72, dpi72, 0),
    u16(1),
    new Uint8Array(32),
    u16(24, 0xffff),
    config,
  );
}

function audioEntry(type: string, track: MkvTrack, config: Uint8Array): Uint8Array {
  const rate = Math.min(0xffff, Math.round(track.samplingFrequency ?? 0));
  const head = [u16(0, 0, 0, 1), u32(0, 0), u16(track.channels ?? 1, 16, 0, 0)];
  return box(type, ...head, u32(rate * FIXED_ONE), config);
}

/** Elementary stream descriptor (ISO 14496-1) around an AudioSpecificConfig. */
function esds(config: Uint8Array): Uint8Array {
  const descriptor = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => {
    const body = Buffer.concat(parts);
    return Buffer.concat([Uint8Array.of(tag, 0x80, 0x80, 0x80, body.length), body]);
  };
  const aac = 0x40;
  const audioStream = 0x15;
  const decoder = descriptor(
    4,
    Uint8Array.of(aac, audioStream, 0, 0, 0),
    u32(0, 0),
    descriptor(5, config),
  );
  const es = descriptor(3, Uint8Array.of(0, 0, 0), decoder, descriptor(6, Uint8Array.of(2)));
  return fullBox('esds', 0, 0, es);
}

/** OpusHead (little-endian) to dOps (big-endian), without the magic. */
function opusConfig(head: Uint8Array): Uint8Array {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 19) {
    throw new KvsError({
      status: 'STATUS_FORMAT_ERROR',
      message: `MP4 file: the Opus track's codec private data has ${head.length} bytes, at least 19 are needed`,
    });
  }
  return box(
    'dOps',
    Uint8Array.of(0, head[9] ?? 1),
    u16(view.getUint16(10, true)),
    u32(view.getUint32(12, true)),
    u16(view.getUint16(16, true)),
    head.subarray(18),
  );
}
