import type { Limits } from '../limits.js';

/** How long the older of two connections may finish its fragment, ms. */
const GRACE = 10_000;
/** A silent producer gets an Idle ack this often, ms. */
const IDLE_ACK = 5000;

const MAX_TIMER = 2 ** 31 - 1;

/** What happens to a session as time passes. @internal */
export interface TimerActions {
  /** Nothing came for a while. */
  idle(): void;
  /** Nothing came for so long that the session ends. */
  silent(): void;
  /** The connection has lasted as long as it may. */
  expired(): void;
}

/** The timers of one PutMedia session: silence, and age. @internal */
export class SessionTimers {
  readonly #actions: TimerActions;
  readonly #idleClose: number;
  readonly #idle: NodeJS.Timeout;
  #age: NodeJS.Timeout | undefined;
  #silence = 0;

  constructor(limits: Pick<Limits, 'idleClose' | 'connectionDuration'>, actions: TimerActions) {
    this.#actions = actions;
    this.#idleClose = limits.idleClose;
    this.#idle = setInterval(
      () => {
        this.#tick();
      },
      Math.min(IDLE_ACK, limits.idleClose),
    );
    if (limits.connectionDuration !== Infinity) this.#expireIn(limits.connectionDuration);
  }

  /** Data has come. */
  touch(): void {
    this.#silence = 0;
    // `refresh` would cost a call for every chunk; the tick counts in whole intervals instead.
  }

  expireSoon(): void {
    this.#expireIn(GRACE);
  }

  stop(): void {
    clearInterval(this.#idle);
    clearTimeout(this.#age);
  }

  #expireIn(ms: number): void {
    clearTimeout(this.#age);
    // Node's timers end at once where they are given more.
    const part = Math.min(ms, MAX_TIMER);
    this.#age = setTimeout(() => {
      if (ms > part) this.#expireIn(ms - part);
      else this.#actions.expired();
    }, part);
  }

  #tick(): void {
    this.#silence += Math.min(IDLE_ACK, this.#idleClose);
    // The first interval may have been partly busy, so that silence is counted from the next.
    if (this.#silence > this.#idleClose) this.#actions.silent();
    else if (this.#silence > IDLE_ACK) this.#actions.idle();
  }
}
