import type { Clock } from '../base/clock.js';
import type { NativeEvent } from '../generated/events.js';
import { packedStatus, type NativeClient } from '../native/index.js';
import type { CallbackProvider, ClientCallbackProvider, DeviceInfo } from '../providers/index.js';
import { deliver } from './deliver.js';
import { Diagnostics } from './diagnostics.js';
import type { StreamLink } from './link.js';
import { describeError, type Log } from './logger.js';
import { clientNote, streamNote, type ClientNote, type StreamNote } from './notes.js';
import { ServiceRunner, type StreamAnswer } from './service-runner.js';

/** What a host is made from. @internal */
export interface HostParts {
  readonly client: NativeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly provider: CallbackProvider;
  readonly device: DeviceInfo;
  /** Told after the provider's own. */
  readonly clientCallbacks: readonly ClientCallbackProvider[];
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs one client of the core: keeps its one timer, hands its events out in a turn of their own,
 * after the call that caused them has returned, and answers its calls. @internal
 */
export class ProducerHost {
  readonly client: NativeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly diagnostics: Diagnostics = new Diagnostics();
  readonly #clientCallbacks: readonly ClientCallbackProvider[];
  readonly #runner: ServiceRunner;
  readonly #links = new Map<number, StreamLink>();
  /** Events of the core that are still to be handed out. */
  #waiting: NativeEvent[] = [];
  #turnAsked = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #closed = false;

  constructor(parts: HostParts) {
    this.client = parts.client;
    this.clock = parts.clock;
    this.log = parts.log;
    this.#clientCallbacks = parts.clientCallbacks;
    this.#runner = new ServiceRunner(this, parts.provider, parts.device);
    this.schedule();
  }

  /** Whether it was closed: the core is gone. */
  get closed(): boolean {
    return this.#closed;
  }

  get streamCount(): number {
    return this.#links.size;
  }

  get links(): readonly StreamLink[] {
    return [...this.#links.values()];
  }

  add(link: StreamLink): void {
    this.#links.set(link.native.id, link);
    this.schedule();
  }

  /** Frees a stream and all it holds. Unless it is done, its connection is broken. */
  remove(link: StreamLink): void {
    if (link.freed) return;
    link.freed = true;
    this.#links.delete(link.native.id);
    if (link.done) link.session?.finish();
    else link.session?.abort();
    link.native.free();
    this.schedule();
  }

  /** Drops all that a stream holds, before it is removed, and answers what it would have been told. */
  dropAll(link: StreamLink): readonly StreamNote[] {
    if (link.done) return [];
    this.flagged(link.native.reset(this.clock.mono(), this.clock.wall()));
    this.#takeEvents();
    const own = this.#waiting.filter((event) => event.stream === link.native.id);
    this.schedule();
    return own.filter(isDrop).map(streamNote);
  }

  #takeEvents(): void {
    const events = this.client.events();
    this.#waiting = this.#waiting.length === 0 ? events : [...this.#waiting, ...events];
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

  answerClient(call: number, result: number, expiration: number): void {
    if (this.#closed) return;
    const { client, clock } = this;
    this.flagged(client.answer(call, result, expiration, clock.mono(), clock.wall()));
  }

  answerStream(link: StreamLink, call: number, answer: StreamAnswer): void {
    if (this.#closed || link.freed) return;
    const { result, streamStatus = 1, retention = 0, expiration = Infinity } = answer;
    const [mono, wall] = [this.clock.mono(), this.clock.wall()];
    this.flagged(link.native.answer(call, result, streamStatus, retention, expiration, mono, wall));
  }

  close(): void {
    for (const link of this.links) this.remove(link);
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#runner.close();
    this.client.close();
  }

  readonly #turn = (): void => {
    this.#turnAsked = false;
    if (this.#closed) return;
    this.#takeEvents();
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      this.#dispatchSafely(event);
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
  #dispatchSafely(event: NativeEvent): void {
    try {
      this.#dispatch(event);
    } catch (error) {
      this.log.write('error', 'dispatch', `${event.type} failed: ${describeError(error)}`);
    }
  }

  #dispatch(event: NativeEvent): void {
    if (event.stream === 0) this.#dispatchClient(event);
    else {
      const link = this.#links.get(event.stream);
      if (link !== undefined && !link.freed) this.#dispatchStream(link, event);
    }
  }

  #dispatchClient(event: NativeEvent): void {
    switch (event.type) {
      case 'getSecurityToken':
      case 'createDevice':
        this.#runner.client(event);
        return;
      case 'clientReady':
      case 'clientErrorReport':
      case 'storageOverflowPressure':
        this.#tell(clientNote(event));
        return;
      default:
        this.log.write('error', 'event', `an event of a stream came without one: ${event.type}`);
    }
  }

  #dispatchStream(link: StreamLink, event: NativeEvent): void {
    switch (event.type) {
      case 'describeStream':
      case 'createStream':
      case 'tagResource':
      case 'getStreamingEndpoint':
      case 'getStreamingToken':
      case 'putStream':
        this.#runner.stream(link, event);
        return;
      case 'abortStream':
        if (link.session?.number === event.session) link.session.abort();
        return;
      case 'streamDataAvailable':
        if (link.session?.number === event.session) link.session.wake();
        link.onNote(streamNote(event));
        return;
      case 'getSecurityToken':
      case 'createDevice':
      case 'clientReady':
      case 'clientErrorReport':
      case 'storageOverflowPressure':
        this.log.write(
          'error',
          'event',
          `an event of the client came with a stream: ${event.type}`,
        );
        return;
      default:
        link.onNote(streamNote(event));
    }
  }

  #tell(note: ClientNote): void {
    this.log.note(undefined, note);
    this.diagnostics.note(undefined, note);
    for (const callbacks of this.#clientCallbacks) {
      deliver(this.log, note.name, () => callClient(callbacks, note));
    }
  }
}

type DropEvent = Extract<
  NativeEvent,
  { readonly type: 'droppedFragmentReport' | 'droppedFrameReport' }
>;

function isDrop(event: NativeEvent): event is DropEvent {
  return event.type === 'droppedFragmentReport' || event.type === 'droppedFrameReport';
}

function callClient(callbacks: ClientCallbackProvider, note: ClientNote): unknown {
  switch (note.name) {
    case 'clientReady':
      return callbacks.clientReady?.(note.report);
    case 'clientErrorReport':
      return callbacks.clientErrorReport?.(note.report);
    case 'storageOverflowPressure':
      return callbacks.storageOverflowPressure?.(note.report);
  }
}
