interface Chunk {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The last bytes of a body, by their place in it; lets raw bytes be cut without copying. */
export class RawQueue {
  #chunks: Chunk[] = [];
  #total = 0;

  /** Bytes of the body so far. */
  get total(): number {
    return this.#total;
  }

  push(bytes: Uint8Array): void {
    this.#chunks.push({ offset: this.#total, bytes });
    this.#total += bytes.length;
  }

  /** Calls `take` with views of the bytes from `from` to `to`, in order. */
  cut(from: number, to: number, take: (part: Uint8Array) => void): void {
    for (const { offset, bytes } of this.#chunks) {
      const start = Math.max(0, from - offset);
      const end = Math.min(bytes.length, to - offset);
      if (start < end) take(bytes.subarray(start, end));
    }
  }

  /** Forgets the bytes before `upTo`. */
  release(upTo: number): void {
    const kept = this.#chunks.findIndex(({ offset, bytes }) => offset + bytes.length > upTo);
    this.#chunks = kept === -1 ? [] : this.#chunks.slice(kept);
  }
}
