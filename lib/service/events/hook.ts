import type { Clock } from '../../base/clock.js';
import type { ServiceLog } from '../options.js';

/** Hands one event over. Rejects where it did not arrive, and when the signal aborts. @internal */
export type Deliver = (json: string, signal: AbortSignal) => Promise<void>;

/** Events that may wait; the oldest give way. */
const MOST_WAITING = 1000;
/** How long one delivery may take, ms. */
const MOST_TIME = 10_000;
/** How often failures are told, ms. */
const TELL_EVERY = 60_000;

/**
 * Delivers events to the operator's own hook, one after the other and each once. Nobody waits for it:
 * what it cannot take is dropped, and told a line a minute. @internal
 */
export class EventHook {
  readonly #deliver: Deliver;
  readonly #clock: Clock;
  readonly #log: ServiceLog;
  readonly #waiting: string[] = [];
  readonly #closing = new AbortController();
  #working: Promise<void> | undefined;
  #lost = 0;
  #why: unknown;
  #toldAt = -Infinity;

  constructor(deliver: Deliver, clock: Clock, log: ServiceLog) {
    this.#deliver = deliver;
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes an event to be delivered; never waits. */
  add(event: object): void {
    if (this.#closing.signal.aborted) return;
    this.#waiting.push(JSON.stringify(event));
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting.shift();
      this.#lose(new Error(`more than ${String(MOST_WAITING)} events wait`));
    }
    this.#working ??= this.#work();
  }

  /** Tells of what was lost and has not been told. */
  sweep(): void {
    if (this.#lost === 0 || this.#clock.mono() - this.#toldAt < TELL_EVERY) return;
    this.#toldAt = this.#clock.mono();
    const events = this.#lost === 1 ? 'an event was' : `${String(this.#lost)} events were`;
    this.#log('warn', `onEvent: ${events} not delivered`, { error: this.#why });
    this.#lost = 0;
  }

  /** Delivers what waits, for so many ms at most. */
  async close(ms: number): Promise<void> {
    const limit = setTimeout(() => {
      this.#closing.abort(new Error('the service closes'));
    }, ms);
    await this.#working;
    clearTimeout(limit);
    this.#closing.abort();
    this.#toldAt = -Infinity;
    this.sweep();
  }

  async #work(): Promise<void> {
    for (let json = this.#waiting.shift(); json !== undefined; json = this.#waiting.shift()) {
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(MOST_TIME)]);
      try {
        signal.throwIfAborted();
        await this.#deliver(json, signal);
      } catch (error) {
        this.#lose(error);
      }
    }
    this.#working = undefined;
  }

  #lose(error: unknown): void {
    this.#lost += 1;
    this.#why = error;
    this.sweep();
  }
}
