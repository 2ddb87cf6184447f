import { crc32 } from 'node:zlib';
import type { Sealer } from '../aead.js';
import type { FragmentKey } from './seal.js';
import type { SegmentFile } from './segment.js';
import { PIECE_BYTES } from './types.js';

/** Appends the Cluster of one fragment to a file: in pieces, each with a seal or a checksum. @internal */
export class ClusterAppender {
  readonly file: SegmentFile;
  /** Where the Cluster begins. */
  readonly offset: number;
  /** Undefined: the Cluster is stored as it is. */
  readonly key: FragmentKey | undefined;
  readonly #sums: number[] = [];
  /** Pieces that were begun. */
  #pieces = 0;
  #bytes = 0;
  /** Bytes of the last piece so far. */
  #filled = PIECE_BYTES;
  #sealer: Sealer | undefined;

  constructor(file: SegmentFile, key: FragmentKey | undefined) {
    this.file = file;
    this.offset = file.end;
    this.key = key;
    // A sealed Cluster has a seal even without a byte.
    if (key !== undefined) this.#beginPiece();
  }

  /** Bytes of the Cluster so far, before sealing. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds bytes of the Cluster; keeps a view of them where they are not sealed. */
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
    this.#endPiece();
    return this.#sums;
  }

  #beginPiece(): void {
    this.#endPiece();
    if (this.key === undefined) this.#sums.push(0);
    else this.#sealer = this.key.sealer(this.#pieces);
    this.#pieces += 1;
    this.#filled = 0;
  }

  #endPiece(): void {
    if (this.#sealer !== undefined) this.file.append(this.#sealer.end());
    this.#sealer = undefined;
  }

  #store(part: Uint8Array): void {
    if (this.#sealer !== undefined) {
      this.file.append(this.#sealer.update(part));
      return;
    }
    this.#sums.push(crc32(part, this.#sums.pop() ?? 0));
    this.file.append(part);
  }
}
