/** Classes of a flush's time, ms. @internal */
export const FLUSH_BUCKETS: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000,
];

/** What the parts of a service count of themselves, since it began. @internal */
export class Tally {
  /** Fragments that a reader asked for and that were found damaged. */
  damaged = 0;
  /** Streams that were looked at for media to free. */
  sweeps = 0;
  /** Those of them that failed. */
  sweepFailures = 0;
  /** The service ends. */
  closing = false;
  readonly #flushes = FLUSH_BUCKETS.map(() => 0);
  #flushed = 0;
  #flushMs = 0;

  /** A group of fragments became durable, or could not, in so many ms. */
  flushed(ms: number): void {
    this.#flushed += 1;
    this.#flushMs += ms;
    const at = FLUSH_BUCKETS.findIndex((bound) => ms <= bound);
    if (at >= 0) this.#flushes[at] = (this.#flushes[at] ?? 0) + 1;
  }

  get flushes(): {
    readonly count: number;
    readonly ms: number;
    readonly buckets: readonly number[];
  } {
    return { count: this.#flushed, ms: this.#flushMs, buckets: this.#flushes };
  }
}
