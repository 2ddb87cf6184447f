import { KvsError } from '../base/errors.js';
import { vintWidth } from './ebml.js';

/** How the frames of a block are packed. */
export type MkvLacing = 'none' | 'xiph' | 'fixed' | 'ebml';

/** The content of a SimpleBlock or Block. */
export interface MkvBlock {
  readonly trackNumber: number;
  /** Time relative to the cluster, in ticks of the segment's TimestampScale; signed 16 bit. */
  readonly timecode: number;
  /** SimpleBlock only; a Block is a key frame when its group has no ReferenceBlock. */
  readonly keyFrame: boolean;
  readonly invisible: boolean;
  /** SimpleBlock only. */
  readonly discardable: boolean;
  readonly lacing: MkvLacing;
  /** Views of the block's data, one a frame. */
  readonly frames: readonly Uint8Array[];
}

const LACINGS = ['none', 'xiph', 'fixed', 'ebml'] as const;

/**
 * Takes a block apart without copying; `frames` are views of `data`.
 * Throws `STATUS_MKV_INVALID_FRAME_DATA` when header or lacing do not fit the data; the message
 * names `offset`, where the block stands in the input, when it is given.
 */
export function parseBlock(data: Uint8Array, offset?: number): MkvBlock {
  try {
    return splitBlock(data);
  } catch (error) {
    if (offset === undefined || !(error instanceof KvsError)) throw error;
    const message = `Matroska input at byte ${offset}: a block cannot be read`;
    throw new KvsError({ status: error.status, message, cause: error });
  }
}

function splitBlock(data: Uint8Array): MkvBlock {
  const width = vintWidth(data[0] ?? 0);
  if (width > 8 || data.length < width + 3) {
    throw badBlock(`${data.length} bytes are too few for its header`);
  }
  let trackNumber = (data[0] ?? 0) & (0xff >> width);
  for (let i = 1; i < width; i += 1) trackNumber = trackNumber * 256 + (data[i] ?? 0);
  const timecode = (((data[width] ?? 0) << 24) >> 16) | (data[width + 1] ?? 0);
  const flags = data[width + 2] ?? 0;
  const lacing = LACINGS[(flags >> 1) & 3] ?? 'none';
  const body = width + 3;
  return {
    trackNumber,
    timecode,
    keyFrame: (flags & 0x80) !== 0,
    invisible: (flags & 0x08) !== 0,
    discardable: (flags & 0x01) !== 0,
    lacing,
    frames: lacing === 'none' ? [data.subarray(body)] : splitLace(data, body, lacing),
  };
}

/** Lace: number of frames less one, the sizes of all but the last, the frames. */
function splitLace(
  data: Uint8Array,
  start: number,
  lacing: 'xiph' | 'fixed' | 'ebml',
): readonly Uint8Array[] {
  const last = data[start];
  if (last === undefined) throw badBlock('it ends before its number of laced frames');
  const lace = new LaceReader(data, start + 1);
  if (lacing === 'xiph') lace.readXiph(last);
  if (lacing === 'ebml') lace.readEbml(last);
  if (lacing === 'fixed') lace.readFixed(last);
  const frames: Uint8Array[] = [];
  let at = lace.position;
  for (const size of lace.sizes) {
    if (size > data.length - at) throw badBlock('its laced frames are longer than the block');
    frames.push(data.subarray(at, at + size));
    at += size;
  }
  frames.push(data.subarray(at));
  return frames;
}

/** Reads the sizes of all laced frames but the last. */
class LaceReader {
  readonly sizes: number[] = [];
  position: number;
  readonly #data: Uint8Array;

  constructor(data: Uint8Array, position: number) {
    this.#data = data;
    this.position = position;
  }

  readXiph(count: number): void {
    for (let i = 0; i < count; i += 1) {
      let size = 0;
      let byte = 255;
      while (byte === 255) {
        byte = this.#byte();
        size += byte;
      }
      this.sizes.push(size);
    }
  }

  readFixed(count: number): void {
    const rest = this.#data.length - this.position;
    if (rest % (count + 1) !== 0) {
      throw badBlock(`${rest} bytes cannot be ${count + 1} laced frames of one size`);
    }
    for (let i = 0; i < count; i += 1) this.sizes.push(rest / (count + 1));
  }

  /** The first size as it is, each further one as a signed difference. */
  readEbml(count: number): void {
    let size = 0;
    for (let i = 0; i < count; i += 1) {
      const { value, width } = this.#vint();
      size = i === 0 ? value : size + value - (2 ** (7 * width - 1) - 1);
      if (size < 0) throw badBlock('a laced frame has a negative size');
      this.sizes.push(size);
    }
  }

  #vint(): { readonly value: number; readonly width: number } {
    const first = this.#byte();
    const width = vintWidth(first);
    if (width > 7) throw badBlock('a lace size has more than 7 bytes');
    let value = first & (0xff >> width);
    for (let i = 1; i < width; i += 1) value = value * 256 + this.#byte();
    return { value, width };
  }

  #byte(): number {
    const byte = this.#data[this.position];
    if (byte === undefined) throw badBlock('it ends inside its lace sizes');
    this.position += 1;
    return byte;
  }
}

function badBlock(why: string): KvsError {
  return new KvsError({ status: 'STATUS_MKV_INVALID_FRAME_DATA', message: `parseBlock: ${why}` });
}
