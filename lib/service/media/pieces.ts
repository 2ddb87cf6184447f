import { crc32 } from 'node:zlib';
import { SEAL_BYTES, type Sealer } from '../aead.js';
import { PIECE_BYTES } from '../store/types.js';
import type { FragmentKey } from './seal.js';

const NONE: Readonly<Uint8Array> = new Uint8Array();

/** How many pieces a Cluster is stored in. A sealed one has one at least: a seal to check. @internal */
export function pieceCount(clusterBytes: number, isSealed: boolean): number {
  return Math.max(isSealed ? 1 : 0, Math.ceil(clusterBytes / PIECE_BYTES));
}

/** Bytes of a checksum that stands behind a part. @internal */
export const SUM_BYTES = 4;

/** What tells whether a piece is what was stored: its seal, or its CRC-32, behind it or apart. @internal */
export type PieceCheck = 'seal' | 'sum behind' | 'sum apart';

/** Bytes that stand behind each piece. @internal */
export function checkBytes(check: PieceCheck): number {
  if (check === 'seal') return SEAL_BYTES;
  return check === 'sum behind' ? SUM_BYTES : 0;
}

/** A part and, behind it, its CRC-32. @internal */
export function withSum(bytes: Readonly<Uint8Array>, sum: number = crc32(bytes)): Uint8Array {
  const all = Buffer.alloc(bytes.length + SUM_BYTES);
  all.set(bytes);
  all.writeUInt32BE(sum, bytes.length);
  return all;
}

/** What `withSum` was given; undefined where the checksum is another one. @internal */
export function withoutSum(stored: Uint8Array): Uint8Array | undefined {
  const at = stored.length - SUM_BYTES;
  if (at < 0) return undefined;
  const all = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  const bytes = all.subarray(0, at);
  return crc32(bytes) === all.readUInt32BE(at) ? bytes : undefined;
}

/** Cuts the Cluster of one fragment into pieces, each with a seal or a checksum. @internal */
export class PieceCutter {
  readonly #check: PieceCheck;
  readonly #key: FragmentKey | undefined;
  readonly #take: (bytes: Uint8Array) => void;
  readonly #sums: number[] = [];
  /** Pieces that were begun. */
  #pieces = 0;
  #bytes = 0;
  /** Bytes of the last piece so far. */
  #filled = PIECE_BYTES;
  #sealer: Sealer | undefined;
  #isOpen = false;

  /** `take` is given the bytes as they are to be stored; without a key, as they are. */
  constructor(key: FragmentKey | undefined, layout: 3 | 4, take: (bytes: Uint8Array) => void) {
    this.#key = key;
    const unsealed = layout === 4 ? 'sum behind' : 'sum apart';
    this.#check = key === undefined ? unsealed : 'seal';
    this.#take = take;
  }

  /** Bytes of the Cluster so far, before sealing. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that will certainly follow: what stands behind a piece that has begun. */
  get due(): number {
    return this.#isOpen ? checkBytes(this.#check) : 0;
  }

  /** By how much so many bytes more will make what is stored longer, with the seals due for them. */
  growth(bytes: number): number {
    const pieces = Math.ceil((this.#bytes + bytes) / PIECE_BYTES);
    return bytes + Math.max(0, pieces - this.#pieces) * checkBytes(this.#check);
  }

  append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      if (this.#filled === PIECE_BYTES) this.#beginPiece();
      const to = Math.min(bytes.length, from + PIECE_BYTES - this.#filled);
      const part = bytes.subarray(from, to);
      this.#filled += part.length;
      this.#bytes += part.length;
      this.#store(part);
      from = to;
    }
  }

  /** Ends the Cluster; gives the CRC-32 of each piece where they are kept apart. */
  end(): readonly number[] {
    // A sealed Cluster has a seal even without a byte.
    if (this.#key !== undefined && this.#pieces === 0) this.#beginPiece();
    this.#endPiece();
    return this.#check === 'sum apart' ? this.#sums : [];
  }

  #beginPiece(): void {
    this.#endPiece();
    if (this.#key === undefined) this.#sums.push(0);
    else this.#sealer = this.#key.sealer(this.#pieces);
    this.#pieces += 1;
    this.#filled = 0;
    this.#isOpen = true;
  }

  #endPiece(): void {
    if (this.#sealer !== undefined) this.#take(this.#sealer.end());
    else if (this.#isOpen && this.#check === 'sum behind') {
      this.#take(withSum(NONE, this.#sums.pop()));
    }
    this.#sealer = undefined;
    this.#isOpen = false;
  }

  #store(part: Uint8Array): void {
    if (this.#sealer !== undefined) {
      this.#take(this.#sealer.update(part));
      return;
    }
    this.#sums.push(crc32(part, this.#sums.pop() ?? 0));
    this.#take(part);
  }
}
