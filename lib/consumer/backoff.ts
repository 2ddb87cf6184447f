import { setTimeout as sleep } from 'node:timers/promises';

/** How long to wait between attempts that bring nothing. */
export interface Backoff {
  /** First wait, ms; default 200. */
  readonly firstMs?: number;
  /** Longest wait, ms; default 10,000. */
  readonly longestMs?: number;
}

const FIRST_MS = 200;
const LONGEST_MS = 10_000;

/** Doubling waits with jitter, from the beginning again after each success. @internal */
export class Waits {
  readonly #first: number;
  readonly #longest: number;
  #failures = 0;

  constructor(options: Backoff) {
    this.#first = options.firstMs ?? FIRST_MS;
    this.#longest = options.longestMs ?? LONGEST_MS;
  }

  /** Attempts in a row that brought nothing. */
  get failures(): number {
    return this.#failures;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Waits half to the whole of the current delay; rejects with the signal's reason. */
  async next(signal: AbortSignal | undefined): Promise<void> {
    const delay = Math.min(this.#longest, this.#first * 2 ** this.#failures);
    this.#failures += 1;
    const jittered = delay * (0.5 + Math.random() / 2);
    try {
      await sleep(jittered, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }
}
