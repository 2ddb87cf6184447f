// A chunk of HTTP/1.1's chunked coding: its length in hexadecimal, CR LF, the data, CR LF. The
// length is written right before the data, so a chunk and its frame are one write to the socket.
const HEAD = 8;
const TAIL = 2;
const CR = 13;
const LF = 10;
const ZERO = 48;
const BELOW_A = 87;

/** Data on their way into a chunked body, with room for the chunk's own bytes around them. */
export class ChunkBuffer {
  /** Where data go. */
  readonly body: Uint8Array;
  readonly #all: Uint8Array;

  /** `size` of the body in bytes, less than 16 MiB. */
  constructor(size: number) {
    this.#all = Buffer.allocUnsafeSlow(HEAD + size + TAIL);
    this.body = this.#all.subarray(HEAD, HEAD + size);
  }

  /** The chunk of the first `length` bytes of the body: a view, valid while the body is. */
  chunk(length: number): Uint8Array {
    const all = this.#all;
    let at = HEAD - 2;
    all[HEAD - 2] = CR;
    all[HEAD - 1] = LF;
    for (let rest = length; rest > 0; rest >>>= 4) {
      const digit = rest & 15;
      at -= 1;
      all[at] = digit < 10 ? ZERO + digit : BELOW_A + digit;
    }
    all[HEAD + length] = CR;
    all[HEAD + length + 1] = LF;
    return all.subarray(at, HEAD + length + TAIL);
  }
}

/**
 * Buffers of one size that go round: taken to be filled, given back when the socket no longer
 * holds them. Not more than `idle` rest in the pool; it makes as many as are in use at once.
 */
export class BufferPool {
  readonly #size: number;
  readonly #idle: number;
  readonly #free: ChunkBuffer[] = [];

  /** `size` in bytes. */
  constructor(size: number, idle: number) {
    this.#size = size;
    this.#idle = idle;
  }

  /** A buffer that belongs to the caller until it is given back; its content is old. */
  take(): ChunkBuffer {
    return this.#free.pop() ?? new ChunkBuffer(this.#size);
  }

  /** Takes back a buffer of this pool; the caller uses it no more. */
  give(buffer: ChunkBuffer): void {
    if (this.#free.length < this.#idle) this.#free.push(buffer);
  }
}
