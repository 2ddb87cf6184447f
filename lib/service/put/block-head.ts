import { AckError } from '../errors.js';

/** Track number (at most 8 bytes), time (2), flags (1). */
const MAX_HEAD = 11;

/** What stands before the payload of a block. */
export interface BlockStart {
  readonly track: number;
  /** Relative to the Cluster, ticks. */
  readonly time: number;
  readonly flags: number;
  /** Bytes before the payload. */
  readonly length: number;
}

/** Reads the first bytes of a block that arrives in any pieces. */
export class BlockHead {
  readonly #bytes = new Uint8Array(MAX_HEAD);
  #length = 0;
  #done = false;
  #size = 0;

  begin(size: number): void {
    this.#length = 0;
    this.#done = false;
    this.#size = size;
    if (size < 4) throw new AckError(4006, `a block has ${String(size)} bytes; 4 are the least`);
  }

  /** What stands before the payload, once, when they have come. */
  add(bytes: Uint8Array): BlockStart | undefined {
    if (this.#done) return undefined;
    const first = bytes[0];
    if (this.#length === 0 && first !== undefined && first >= 0x80 && bytes.length >= 4) {
      this.#done = true;
      return { track: first & 0x7f, time: int16(bytes, 1), flags: bytes[3] ?? 0, length: 4 };
    }
    for (const byte of bytes.subarray(0, MAX_HEAD - this.#length)) {
      this.#bytes[this.#length] = byte;
      this.#length += 1;
    }
    return this.#read();
  }

  #read(): BlockStart | undefined {
    const width = Math.clz32(this.#bytes[0] ?? 0) - 23;
    if (this.#length === 0) return undefined;
    if (width > 8 || this.#size < width + 3) {
      throw new AckError(4006, 'a block has a bad track number');
    }
    if (this.#length < width + 3) return undefined;
    this.#done = true;
    let track = (this.#bytes[0] ?? 0) & (0xff >> width);
    for (let at = 1; at < width; at += 1) track = track * 256 + (this.#bytes[at] ?? 0);
    const flags = this.#bytes[width + 2] ?? 0;
    return { track, time: int16(this.#bytes, width), flags, length: width + 3 };
  }
}

function int16(bytes: Uint8Array, offset: number): number {
  const value = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
  return value >= 0x8000 ? value - 0x10000 : value;
}
