import { crc32 } from 'node:zlib';
import type { Sealer } from '../aead.js';
import type { FragmentKey } from './seal.js';
import type { SegmentFile } from './segment.js';
import { PIECE_BYTES } from './types.js';

/** Appends the Cluster of one fragment to a file: in pieces, each sealed and with a checksum. @internal */
export class ClusterAppender {
  readonly file: SegmentFile;
  /** Where the Cluster begins. */
  readonly offset: number;
  /** Undefined: the Cluster is stored as it is. */
  readonly key: FragmentKey | undefined;
  readonly #sums: number[] = [];
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
      this.#store(this.#sealer === undefined ? part : this.#sealer.update(part));
      from = to;
    }
  }

  /** Ends the Cluster; gives the CRC-32 of each piece as it is stored. */
  end(): readonly number[] {
    this.#endPiece();
    return this.#sums;
  }

  #beginPiece(): void {
    this.#endPiece();
    this.#sealer = this.key?.sealer(this.#sums.length);
    this.#sums.push(0);
    this.#filled = 0;
  }

  #endPiece(): void {
    if (this.#sealer !== undefined) this.#store(this.#sealer.end());
    this.#sealer = undefined;
  }

  #store(bytes: Uint8Array): void {
    this.#sums.push(crc32(bytes, this.#sums.pop() ?? 0));
    this.file.append(bytes);
  }
}
