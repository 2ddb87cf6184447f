const FIRST_CAPACITY = 1024;

/** Bytes put together from many small writes. @internal */
export class Gatherer {
  #buffer: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds a copy of `bytes`. */
  readonly write = (bytes: Uint8Array): void => {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const bigger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      bigger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = bigger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
  };

  /** All bytes since the last call, as a copy of their own. */
  take(): Uint8Array {
    const all = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    return all;
  }

  clear(): void {
    this.#length = 0;
  }
}

/** Whether two byte strings are the same. @internal */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
