import type { CrcVerifier } from './crc.js';

const FIRST_CAPACITY = 64 * 1024;

/**
 * The pushed chunks that are not used up, as one row of bytes. Nothing is copied but what lies
 * across chunks, and that once.
 * @internal
 */
export class InputQueue {
  /** The chunk in use; bytes before `position` are used up. */
  chunk: Uint8Array = new Uint8Array(0);
  position = 0;
  /** Offset in the whole input of `chunk[position]`. */
  offset = 0;
  /** Sees all bytes in the moment that they are used up. */
  crc: CrcVerifier | undefined;
  #waiting: Uint8Array[] = [];
  #next = 0;

  /**
   * Keeps a view of `bytes` until they are used up; a plain one, since parts of it are lent and a
   * Node Buffer's `slice()` would not copy.
   */
  adopt(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#waiting.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  /** Bytes left in the chunk in use, after going on to the next chunk when it is used up. */
  available(): number {
    if (this.position < this.chunk.length) return this.chunk.length - this.position;
    const next = this.#waiting[this.#next];
    this.position = 0;
    if (next === undefined) {
      if (this.chunk.length > 0) this.chunk = new Uint8Array(0);
      return 0;
    }
    this.chunk = next;
    this.#next += 1;
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    } else if (this.#next >= 1024) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return next.length;
  }

  /** Uses up `count` bytes of the chunk in use. */
  advance(count: number): void {
    this.crc?.update(this.chunk, this.position, this.position + count);
    this.position += count;
    this.offset += count;
  }

  /** A view of the next `count` bytes, which the chunk in use must have; they are used up. */
  take(count: number): Uint8Array {
    const from = this.position;
    this.advance(count);
    return this.chunk.subarray(from, from + count);
  }
}

/**
 * Puts together an element that lies across chunks. Its buffer grows with the bytes that have
 * come, never with the size that a header claims, and is used again for the next element.
 * @internal
 */
export class Collector {
  #buffer: Uint8Array = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Begins an element of `size` bytes. */
  begin(size: number): void {
    this.#length = 0;
    this.#grow(Math.min(size, FIRST_CAPACITY), size);
  }

  /** Adds bytes to an element of `size` bytes. */
  add(bytes: Uint8Array, size: number): void {
    this.#grow(this.#length + bytes.length, size);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The bytes so far; they stand until the next `begin`. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #grow(needed: number, limit: number): void {
    if (this.#buffer.length >= needed) return;
    const capacity = Math.max(needed, Math.min(limit, this.#buffer.length * 2), 4096);
    const bigger = new Uint8Array(capacity);
    bigger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = bigger;
  }
}
