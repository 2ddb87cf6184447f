import type { Clock } from '../base/clock.js';

/** Holds a flow to a rate: says how long to wait so that it keeps to it. @internal */
export class Pacer {
  readonly #rate: number;
  readonly #clock: Clock;
  /** When what was spent so far is used up. */
  #paidUntil = -Infinity;

  /** `rate`: units a second; Infinity for no limit. */
  constructor(rate: number, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Spends units; gives the ms to wait before the next ones, one second's worth ahead being free. */
  spend(units: number): number {
    if (this.#rate === Infinity) return 0;
    const now = this.#clock.mono();
    this.#paidUntil = Math.max(this.#paidUntil, now - 1000) + (units * 1000) / this.#rate;
    return Math.max(0, this.#paidUntil - now);
  }
}
