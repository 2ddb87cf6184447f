import { crc32 } from 'node:zlib';
import { SEAL_BYTES, type Sealer } from '../aead.js';
import { PIECE_BYTES } from '../store/types.js';
import type { FragmentKey } from './seal.js';

/** How many pieces a Cluster is stored in. A sealed one has one at least: a seal to check. @internal */
export function pieceCount(clusterBytes: number, isSealed: boolean): number {
  return Math.max(isSealed ? 1 : 0, Math.ceil(clusterBytes / PIECE_BYTES));
}

/** Cuts the Cluster of one fragment into pieces, each with a seal or a checksum. @internal */
export class PieceCutter {
  readonly #key: FragmentKey | undefined;
  readonly #take: (bytes: Uint8Array) => void;
  readonly #sums: number[] = [];
  /** Pieces that were begun. */
  #pieces = 0;
  #bytes = 0;
  /** Bytes of the last piece so far. */
  #filled = PIECE_BYTES;
  #sealer: Sealer | undefined;

  /** `take` is given the bytes as they are to be stored; without a key, as they are. */
  constructor(key: FragmentKey | undefined, take: (bytes: Uint8Array) => void) {
    this.#key = key;
    this.#take = take;
  }

  /** Bytes of the Cluster so far, before sealing. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that will certainly follow: the seal of a piece that has begun. */
  get due(): number {
    return this.#sealer === undefined ? 0 : SEAL_BYTES;
  }

  /** By how much so many bytes more will make what is stored longer, with the seals due for them. */
  growth(bytes: number): number {
    if (this.#key === undefined) return bytes;
    const pieces = Math.ceil((this.#bytes + bytes) / PIECE_BYTES);
    return bytes + Math.max(0, pieces - this.#pieces) * SEAL_BYTES;
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

  /** Ends the Cluster; gives the CRC-32 of each piece where they have no seals. */
  end(): readonly number[] {
    // A sealed Cluster has a seal even without a byte.
    if (this.#key !== undefined && this.#pieces === 0) this.#beginPiece();
    this.#endPiece();
    return this.#sums;
  }

  #beginPiece(): void {
    this.#endPiece();
    if (this.#key === undefined) this.#sums.push(0);
    else this.#sealer = this.#key.sealer(this.#pieces);
    this.#pieces += 1;
    this.#filled = 0;
  }

  #endPiece(): void {
    if (this.#sealer !== undefined) this.#take(this.#sealer.end());
    this.#sealer = undefined;
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
