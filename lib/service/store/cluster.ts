import { crc32 } from 'node:zlib';
import { SEAL_BYTES, type Sealer } from '../aead.js';
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
  }

  /** Bytes of the Cluster so far, before sealing. */
  get bytes(): number {
    return this.#bytes;
  }

  /** By how much so many bytes more will make the file longer, with the seals that are due for them. */
  growth(bytes: number): number {
    if (this.key === undefined) return bytes;
    const pieces = Math.ceil((this.#bytes + bytes) / PIECE_BYTES);
    return bytes + Math.max(0, pieces - this.#pieces) * SEAL_BYTES;
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
    // A sealed Cluster has a seal even without a byte.
    if (this.key !== undefined && this.#pieces === 0) this.#beginPiece();
    this.#endPiece();
    return this.#sums;
  }

  /** Nothing more will be written of the Cluster. */
  giveUp(): void {
    this.file.due = 0;
  }

  #beginPiece(): void {
    this.#endPiece();
    if (this.key === undefined) this.#sums.push(0);
    else {
      this.#sealer = this.key.sealer(this.#pieces);
      this.file.due = SEAL_BYTES;
    }
    this.#pieces += 1;
    this.#filled = 0;
  }

  #endPiece(): void {
    if (this.#sealer !== undefined) this.file.append(this.#sealer.end());
    this.#sealer = undefined;
    this.file.due = 0;
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
