import type { Clock } from '../../base/clock.js';
import type { KvsError } from '../../base/errors.js';
import type { NativeEvent } from '../../generated/events.js';
import type { NativeClient } from '../../native/index.js';
import type {
  CallbackProvider,
  ClientCallbackProvider,
  DeviceInfo,
} from '../../providers/index.js';
import { worded, type Trouble } from '../reporting/health.js';
import { deliver } from '../reporting/deliver.js';
import type { Log } from '../reporting/logger.js';
import {
  clientNote,
  streamClosed,
  streamNote,
  type ClientNote,
  type StreamNote,
} from '../reporting/notes.js';
import { Core } from './core.js';
import type { StreamLink } from './link.js';
import { ServiceRunner } from './service-runner.js';

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

/** The streams of one producer: what the core tells goes to the one that it is about. @internal */
export class ProducerHost {
  readonly core: Core;
  readonly #clientCallbacks: readonly ClientCallbackProvider[];
  readonly #runner: ServiceRunner;
  readonly #links = new Map<number, StreamLink>();
  /** The producer's last failure that is tried on, in words. */
  #trouble: Trouble | undefined;
  /** The stream that is just being started again. */
  #deaf: StreamLink | undefined;

  constructor(parts: HostParts) {
    const { client, clock, log, provider, device } = parts;
    const onEvent = (event: NativeEvent): void => {
      this.#dispatch(event);
    };
    const onTaken = (event: NativeEvent): void => {
      this.#taken(event);
    };
    this.core = new Core({ client, clock, log, onEvent, onTaken });
    this.#clientCallbacks = parts.clientCallbacks;
    const onTrouble = (link: StreamLink | undefined, trouble: Trouble): void => {
      // What goes wrong for the producer goes wrong for each stream.
      if (link === undefined) this.#trouble = trouble;
      for (const one of link === undefined ? this.links : [link]) one.onTrouble(trouble);
    };
    this.#runner = new ServiceRunner({ core: this.core, provider, device, onTrouble });
  }

  get streamCount(): number {
    return this.#links.size;
  }

  get links(): readonly StreamLink[] {
    return [...this.#links.values()];
  }

  add(link: StreamLink): void {
    this.#links.set(link.native.id, link);
    this.core.schedule();
  }

  /**
   * Runs a call that makes a stream take frames again. What the core has told by then is of what ends;
   * who still waits for its end gets `error`. Throws what the call throws; the stream is as it was then.
   */
  begin(link: StreamLink, error: KvsError, call: () => void): void {
    this.core.take();
    call();
    // What ends by the call itself, nobody has asked for.
    this.#deaf = link;
    this.core.take();
    this.#deaf = undefined;
    link.life.begin(error);
  }

  /**
   * Frees a stream. Unless all that it held is acknowledged, what it holds is dropped and its connection
   * is broken; `last` may look at it then. Answers what it would have been told of losses; who waits for
   * its end gets `error`.
   */
  remove(link: StreamLink, error: KvsError, last: () => void): readonly StreamNote[] {
    const { life, native } = link;
    if (life.freed) return [];
    const { clock } = this.core;
    this.core.take();
    const { done } = life;
    if (!done) native.reset(clock.mono(), clock.wall());
    const losses = this.core.waitingFor(link).filter(isDrop).map(streamNote);
    last();
    life.free(error);
    this.#links.delete(native.id);
    if (done) link.session?.finish();
    else link.session?.abort();
    native.free();
    this.core.schedule();
    return losses;
  }

  close(): void {
    this.#runner.close();
    this.core.close();
  }

  #taken(event: NativeEvent): void {
    if (event.type !== 'streamClosed') return;
    const link = this.#links.get(event.stream);
    if (link !== this.#deaf) link?.life.closed(streamClosed(event));
  }

  #dispatch(event: NativeEvent): void {
    if (event.stream === 0) this.#dispatchClient(event);
    else {
      const link = this.#links.get(event.stream);
      if (link !== undefined && !link.life.freed) this.#dispatchStream(link, event);
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
        this.core.log.write(
          'error',
          'event',
          `an event of a stream came without one: ${event.type}`,
        );
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
        this.core.log.write(
          'error',
          'event',
          `an event of the client came with a stream: ${event.type}`,
        );
        return;
      default:
        link.onNote(streamNote(event));
    }
  }

  #heard(): boolean {
    const asks = (callbacks: ClientCallbackProvider): boolean =>
      callbacks.clientErrorReport !== undefined;
    return this.#clientCallbacks.some(asks) || this.links.some((link) => link.heard());
  }

  #tell(given: ClientNote): void {
    const note = worded(given, this.#trouble);
    this.core.log.note(undefined, note);
    this.core.diagnostics.note(undefined, note);
    for (const callbacks of this.#clientCallbacks) {
      deliver(this.core.log, note.name, () => callClient(callbacks, note));
    }
    if (note.name === 'clientErrorReport' && !this.#heard()) {
      this.core.log.unheard(note.report.message ?? note.report.status);
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
