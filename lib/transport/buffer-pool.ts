/**
 * Buffers of one size that go round: taken to be filled, given back when the socket no longer
 * holds them. Not more than `idle` rest in the pool; it makes as many as are in use at once.
 */
export class BufferPool {
  readonly #size: number;
  readonly #idle: number;
  readonly #free: Uint8Array[] = [];

  /** `size` in bytes. */
  constructor(size: number, idle: number) {
    this.#size = size;
    this.#idle = idle;
  }

  /** A buffer that belongs to the caller until it is given back; its content is old. */
  take(): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#size);
  }

  /** Takes back a buffer of this pool; the caller uses it no more. */
  give(buffer: Uint8Array): void {
    if (this.#free.length < this.#idle) this.#free.push(buffer);
  }
}
