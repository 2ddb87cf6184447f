interface Chunk {
  readonly offset: number;
  bytes: Uint8Array;
}

/** Chunks below this size are copied into a block of many, bytes. */
const SMALL = 1024;
const BLOCK = 16 * 1024;

/**
 * The last bytes of a body, by their place in it; lets raw bytes be cut without copying. Small chunks
 * are joined: a client that sends single bytes would have an object held and looked at for each.
 */
export class RawQueue {
  #chunks: Chunk[] = [];
  #total = 0;
  /** Where small chunks are joined; what is behind `#used` is free. */
  #block: Uint8Array = new Uint8Array(0);
  #used = 0;
  /** The last chunk, if it ends where the block is free. */
  #open: Chunk | undefined;

  /** Bytes of the body so far. */
  get total(): number {
    return this.#total;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length < SMALL) this.#join(bytes);
    else {
      this.#open = undefined;
      this.#chunks.push({ offset: this.#total, bytes });
    }
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
    if (kept === 0) return;
    if (kept < 0) this.#open = undefined;
    this.#chunks = kept < 0 ? [] : this.#chunks.slice(kept);
  }

  #join(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#used + bytes.length > this.#block.length) {
      // Never written again: views of it may be held.
      this.#block = new Uint8Array(BLOCK);
      this.#used = 0;
      this.#open = undefined;
    }
    const from = this.#used;
    this.#block.set(bytes, from);
    this.#used += bytes.length;
    const open = this.#open;
    if (open === undefined) {
      this.#open = { offset: this.#total, bytes: this.#block.subarray(from, this.#used) };
      this.#chunks.push(this.#open);
    } else {
      open.bytes = this.#block.subarray(from - open.bytes.length, this.#used);
    }
  }
}
