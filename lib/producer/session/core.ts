import type { Clock } from '../../base/clock.js';
import type { NativeEvent } from '../../generated/events.js';
import { packedStatus, type NativeClient } from '../../native/index.js';
import { Diagnostics } from '../reporting/diagnostics.js';
import { describeError } from '../../base/values.js';
import type { Log } from '../reporting/logger.js';
import type { StreamAnswer } from './service-answers.js';
import type { StreamLink } from './link.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The latest time that the core takes, ms: the year 2248. */
const LATEST_MS = 2 ** 43;

/** A time that the core takes: what is later is never. */
function latest(time: number): number {
  return time > LATEST_MS ? Infinity : time;
}

/** What a core is run with. @internal */
export interface CoreParts {
  readonly client: NativeClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes each event of the core, in a turn of its own. */
  readonly onEvent: (event: NativeEvent) => void;
  /** Sees each event as soon as it is known, and may not run user code. */
  readonly onTaken: (event: NativeEvent) => void;
}

/**
 * Runs one client of the core: keeps its one timer, and hands its events out in a turn of their own,
 * after the call that caused them has returned. @internal
 */
export class Core {
  readonly client: NativeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly diagnostics: Diagnostics = new Diagnostics();
  readonly #onEvent: (event: NativeEvent) => void;
  readonly #onTaken: (event: NativeEvent) => void;
  /** Events of the core that are still to be handed out. */
  #waiting: NativeEvent[] = [];
  #turnAsked = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #closed = false;

  constructor(parts: CoreParts) {
    this.client = parts.client;
    this.clock = parts.clock;
    this.log = parts.log;
    this.#onEvent = parts.onEvent;
    this.#onTaken = parts.onTaken;
    this.schedule();
  }

  /** Whether it was closed: the core is gone. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Asks for a turn: soon, events are handed out and the timer is set. */
  schedule(): void {
    if (this.#turnAsked || this.#closed) return;
    this.#turnAsked = true;
    setImmediate(this.#turn);
  }

  /** Looks at the flags of what a native call answered. */
  flagged(packed: number): void {
    if ((packed & 3) !== 0) this.schedule();
  }

  /** The status in what a native call answered, its flags seen to. */
  status(packed: number): number {
    this.flagged(packed);
    return packedStatus(packed);
  }

  /** Takes what the core has to tell; it is handed out in a turn of its own. */
  take(): void {
    const events = this.client.events();
    if (events.length === 0) return;
    for (const event of events) this.#onTaken(event);
    this.#waiting = this.#waiting.length === 0 ? events : [...this.#waiting, ...events];
    this.schedule();
  }

  /** What a stream is to be told and was not yet. It is told all the same, unless it is freed first. */
  waitingFor(link: StreamLink): readonly NativeEvent[] {
    this.take();
    return this.#waiting.filter((event) => event.stream === link.native.id);
  }

  answerClient(call: number, result: number, expiration: number): void {
    if (this.#closed) return;
    const { client, clock } = this;
    const until = latest(expiration);
    this.flagged(client.answer(call, result, until, clock.mono(), clock.wall()));
  }

  answerStream(link: StreamLink, call: number, answer: StreamAnswer): void {
    if (this.#closed || link.life.freed) return;
    const { result, streamStatus = 1, retention = 0, expiration = Infinity } = answer;
    const [mono, wall] = [this.clock.mono(), this.clock.wall()];
    const until = latest(expiration);
    const kept = Math.min(retention, LATEST_MS);
    this.flagged(link.native.answer(call, result, streamStatus, kept, until, mono, wall));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.client.close();
  }

  readonly #turn = (): void => {
    if (this.#closed) return;
    this.take();
    this.#turnAsked = false;
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      this.#handOut(event);
    }
    this.#setTimer();
  };

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    this.client.step(this.clock.mono(), this.clock.wall());
    this.#turn();
  };

  /** A timer that comes too early costs one step, so it is only ever brought forward. */
  #setTimer(): void {
    if (this.#closed) return;
    const at = this.client.deadline();
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const wait = Math.ceil(at - this.clock.mono());
    this.#timer = setTimeout(this.#onTimer, Math.min(Math.max(wait, 0), LONGEST_TIMER_MS));
  }

  /** One event that goes wrong must not take the others, or the timer, with it. */
  #handOut(event: NativeEvent): void {
    try {
      this.#onEvent(event);
    } catch (error) {
      this.log.write('error', 'dispatch', `${event.type} failed: ${describeError(error)}`);
    }
  }
}
