import { KvsError } from '../base/errors.js';
import { isError } from '../base/values.js';

/** Aborts its signal when nothing was reported for a time, or when the caller's signal aborts. */
export class StallGuard {
  readonly signal: AbortSignal;
  readonly #own: AbortController = new AbortController();
  readonly #what: string;
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** `what` completes the sentence "nothing happened for N s while …". */
  constructor(what: string, limitMs: number, outer: AbortSignal | undefined) {
    this.#what = what;
    this.#limitMs = limitMs;
    this.signal = outer ? AbortSignal.any([outer, this.#own.signal]) : this.#own.signal;
    this.progress();
  }

  /** Something happened: the time runs anew. */
  progress(): void {
    if (this.signal.aborted) return;
    if (this.#timer !== undefined) {
      this.#timer.refresh();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#own.abort(
        new KvsError({
          status: 'STATUS_OPERATION_TIMED_OUT',
          message: `nothing happened for ${this.#limitMs / 1000} s while ${this.#what}`,
        }),
      );
    }, this.#limitMs);
  }

  /** Waits for `work`, but no longer than the signal allows. */
  async waitFor<T>(work: Promise<T>): Promise<T> {
    let giveUp: (() => void) | undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      giveUp = (): void => reject(asError(this.signal.reason));
      if (this.signal.aborted) giveUp();
      else this.signal.addEventListener('abort', giveUp, { once: true });
    });
    try {
      return await Promise.race([work, aborted]);
    } finally {
      if (giveUp) this.signal.removeEventListener('abort', giveUp);
    }
  }

  /** Stops the clock; what still listens to the signal is let go. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#own.abort();
  }
}

function asError(reason: unknown): Error {
  return isError(reason) ? reason : new Error(String(reason));
}
