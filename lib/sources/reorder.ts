/** Most pictures that H.264 and H.265 let a decoder hold back for reordering. */
const MAX_REORDER = 16;

/**
 * Gives decoding times to frames that come in decoding order with presentation times only, as in
 * Matroska: the n-th frame decodes at the n-th smallest presentation time, less `delayMs`. So they
 * grow as the presentation times do, and with the right delay none comes after its own showing.
 */
export class DecodingClock<T> {
  readonly #delayMs: number;
  /** Sorted presentation times of the frames that wait. */
  readonly #times: number[] = [];
  readonly #waiting: { readonly pts: number; readonly item: T }[] = [];

  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** Adds the next frame in decoding order; gives the one whose decoding time is settled by it. */
  push(pts: number, item: T): Stamped<T> | undefined {
    let at = this.#times.length;
    while (at > 0 && (this.#times[at - 1] ?? 0) > pts) at -= 1;
    this.#times.splice(at, 0, pts);
    this.#waiting.push({ pts, item });
    return this.#waiting.length > MAX_REORDER ? this.take() : undefined;
  }

  /** Gives the oldest frame that waits; call until `undefined` after the last `push`. */
  take(): Stamped<T> | undefined {
    const oldest = this.#waiting.shift();
    const time = this.#times.shift();
    if (oldest === undefined || time === undefined) return undefined;
    return { ...oldest, dts: time - this.#delayMs };
  }
}

/** A frame with both its times, ms. */
export interface Stamped<T> {
  readonly pts: number;
  readonly dts: number;
  readonly item: T;
}
