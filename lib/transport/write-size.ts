/** Bytes taken at once for as long as nothing is known of the link. @internal */
export const FEW: number = 128 * 1024;
/** Bytes a millisecond from which a link counts as fast: 16 MB/s. */
const FAST = 16_000;

/**
 * How many bytes one write takes. Large writes cost less for each byte, and small ones leave what a
 * slow link cannot carry yet in the producer's storage, where it is counted and can be given up. @internal
 */
export class WriteSize {
  readonly #most: number;
  #now: number;

  /** `most` in bytes. */
  constructor(most: number) {
    this.#most = most;
    this.#now = Math.min(most, FEW);
  }

  /** Bytes after which more are to be expected at once. */
  get plenty(): number {
    return Math.min(this.#most, FEW);
  }

  /** Bytes that the next write takes at most. */
  get now(): number {
    return this.#now;
  }

  /** There was less than `plenty` to take: no backlog waits, and the next write takes few. */
  little(): void {
    this.#now = this.plenty;
  }

  /** A full write of `now` bytes was with the socket for `ms`. */
  took(ms: number): void {
    this.#now = this.#now >= FAST * ms ? this.#most : this.plenty;
  }
}
