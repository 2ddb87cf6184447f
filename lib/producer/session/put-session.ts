import { asError, describeError } from '../../base/values.js';
import { TAKE_ABORTED, TAKE_DATA, TAKE_END, takenBytes, takenOutcome } from '../../native/index.js';
import type { CallbackProvider } from '../../providers/index.js';
import {
  CALL_RESULT,
  type BodyState,
  type PutMediaIo,
  type PutMediaSession,
} from '../../transport/index.js';
import { checkSession } from '../../transport/check-session.js';
import type { PutStreamEvent } from '../../generated/events.js';
import { deliver } from '../reporting/deliver.js';
import type { Core } from './core.js';
import type { LiveSession, StreamLink } from './link.js';

/** What a transport gets beyond its `connectTimeout` before it is given up. */
const OPEN_GRACE_MS = 1000;

/** One PutMedia session: carries bytes between the core and the transport. @internal */
export class PutSession implements PutMediaIo, LiveSession {
  readonly number: number;
  readonly #core: Core;
  readonly #link: StreamLink;
  readonly #call: number;
  #handle: PutMediaSession | undefined;
  readonly #began: number;
  #opened = false;
  #over = false;
  #outcome = TAKE_DATA;
  #timer: NodeJS.Timeout | undefined;

  constructor(core: Core, link: StreamLink, event: PutStreamEvent) {
    this.number = event.session;
    this.#core = core;
    this.#link = link;
    this.#call = event.call;
    this.#began = core.clock.mono();
  }

  /** Asks the provider for the connection, when the stream's pace allows a call. */
  open(provider: CallbackProvider, event: PutStreamEvent): void {
    if (this.#over) return;
    const wait = this.#link.pacer.callWait(this.#core.clock.mono());
    if (wait === 0) {
      this.#connect(provider, event);
      return;
    }
    this.#timer = setTimeout(() => {
      this.open(provider, event);
    }, wait);
  }

  #connect(provider: CallbackProvider, event: PutStreamEvent): void {
    const { name, endpoint } = this.#link;
    const token = this.#link.token.value;
    if (endpoint === undefined || token === undefined) {
      this.onEnd(CALL_RESULT.AUTH_FAILURE, new Error('no endpoint or no token is known'));
      return;
    }
    this.#openWithin(event.timeout);
    try {
      this.#handle = checkSession(
        provider.putStream(
          {
            streamName: name,
            endpoint,
            credentials: token,
            start: event.start,
            absolute: event.absolute,
            acks: event.acks,
            connectTimeout: event.timeout,
          },
          this,
        ),
        'putStream',
      );
    } catch (error) {
      this.onEnd(CALL_RESULT.UNKNOWN, asError(error));
    }
  }

  wake(): void {
    deliver(this.#core.log, 'PutMediaSession.wake', () => {
      this.#handle?.wake();
    });
  }

  more(): void {
    if (this.#handle?.more === undefined) return;
    deliver(this.#core.log, 'PutMediaSession.more', () => {
      this.#handle?.more?.();
    });
  }

  abort(): void {
    if (this.#over) return;
    this.#leave();
    this.#abortHandle();
  }

  finish(): void {
    if (!this.#opened) this.abort();
    this.#outcome = TAKE_END;
    this.wake();
  }

  read(into: Uint8Array): number {
    if (this.#over || this.#link.life.freed) return 0;
    const { clock } = this.#core;
    const { pacer } = this.#link;
    const wait = pacer.wait(clock.mono());
    if (wait > 0) {
      this.#wakeIn(wait);
      return 0;
    }
    const most = pacer.most();
    const piece = most < into.length ? into.subarray(0, most) : into;
    const taken = this.#link.native.take(this.number, piece, clock.mono(), clock.wall());
    this.#core.flagged(taken);
    this.#outcome = takenOutcome(taken);
    // Without acks, what was taken is what is freed.
    if (!this.#link.definition.info.fragmentAcks) this.#link.onProgress();
    const length = takenBytes(taken);
    if (length === 0) return 0;
    pacer.sent(into.subarray(0, length));
    // There is more, which the pace has held back and not its absence.
    if (length === most) this.#wakeIn(pacer.wait(clock.mono()));
    return length;
  }

  ended(): BodyState {
    if (this.#over || this.#outcome === TAKE_ABORTED) return 'abort';
    return this.#outcome === TAKE_END ? 'end' : 'open';
  }

  onOpen(): void {
    if (this.#over) return;
    clearTimeout(this.#timer);
    this.#opened = true;
    this.#expectFragments();
    this.#tell(CALL_RESULT.OK, undefined);
    const { name } = this.#link;
    this.#core.log.write('info', `session ${name}`, `${this.#who()} is connected`);
    this.#core.answerStream(this.#link, this.#call, { result: CALL_RESULT.OK });
  }

  onAck(bytes: Uint8Array): void {
    if (this.#over || this.#link.life.freed) return;
    const { clock } = this.#core;
    const { native } = this.#link;
    this.#core.flagged(native.parseAck(this.number, bytes, clock.mono(), clock.wall()));
    this.#link.onProgress();
  }

  onEnd(given: number, cause?: Error): void {
    if (this.#over) return;
    // A transport of the user's own may give anything.
    const result = Number.isInteger(given) && given > 0 ? given : CALL_RESULT.UNKNOWN;
    this.#leave();
    this.#link.token.refused(result);
    this.#log(result, cause);
    if (this.#link.life.freed) return;
    if (!this.#opened) {
      this.#tell(result, cause);
      // A refusal cannot be good: what never opened did not end in order.
      const failed = result === CALL_RESULT.OK ? CALL_RESULT.UNKNOWN : result;
      this.#core.answerStream(this.#link, this.#call, { result: failed });
      return;
    }
    const { clock } = this.#core;
    const { native } = this.#link;
    this.#core.flagged(native.sessionEnded(this.number, result, clock.mono(), clock.wall()));
  }

  /** A transport keeps to `connectTimeout` itself; one that does not must not hold the stream up. */
  #openWithin(timeout: number): void {
    this.#timer = setTimeout(() => {
      const cause = new Error(`the transport has not connected within ${timeout} ms`);
      this.onEnd(CALL_RESULT.NETWORK_CONNECTION_TIMEOUT, cause);
      this.#abortHandle();
    }, timeout + OPEN_GRACE_MS);
  }

  /** The pace is one of fragments, too, and a piece has as many as it holds. */
  #expectFragments(): void {
    const { clock } = this.#core;
    if (this.#link.life.freed) return;
    const { overallViewSize, bufferedFragments } = this.#link.native.metrics(
      clock.mono(),
      clock.wall(),
    );
    this.#link.pacer.expect(overallViewSize / Math.max(bufferedFragments, 1));
  }

  #abortHandle(): void {
    deliver(this.#core.log, 'PutMediaSession.abort', () => {
      this.#handle?.abort();
    });
  }

  #wakeIn(wait: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.wake();
    }, wait);
  }

  #leave(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#link.session === this) this.#link.session = undefined;
  }

  #log(result: number, cause: Error | undefined): void {
    const { name } = this.#link;
    if (cause === undefined) {
      this.#core.log.write('info', `session-end ${name}`, `${this.#who()} ended with ${result}`);
      return;
    }
    const text = `${this.#who()} ended with ${result}: ${describeError(cause)}`;
    this.#core.log.write('warn', `session-lost ${name}`, text);
    this.#link.onTrouble({ status: 'STATUS_PUT_STREAM_CALL_FAILED', message: text, cause });
  }

  #tell(result: number, error: unknown): void {
    const durationMs = this.#core.clock.mono() - this.#began;
    const stream = this.#link.name;
    this.#core.diagnostics.call({ stream, call: 'putStream', result, durationMs, error });
  }

  #who(): string {
    return `session ${this.number} of stream '${this.#link.name}'`;
  }
}
