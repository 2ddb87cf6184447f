import type { Clock } from '../../base/clock.js';
import type { NativeEvent } from '../../generated/events.js';
import type { NativeClient } from '../../native/index.js';
import type {
  CallbackProvider,
  ClientCallbackProvider,
  DeviceInfo,
} from '../../providers/index.js';
import { deliver } from '../reporting/deliver.js';
import type { Log } from '../reporting/logger.js';
import { clientNote, streamNote, type ClientNote, type StreamNote } from '../reporting/notes.js';
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

  constructor(parts: HostParts) {
    const { client, clock, log, provider, device } = parts;
    const onEvent = (event: NativeEvent): void => {
      this.#dispatch(event);
    };
    this.core = new Core({ client, clock, log, onEvent });
    this.#clientCallbacks = parts.clientCallbacks;
    const links = (): readonly StreamLink[] => this.links;
    this.#runner = new ServiceRunner({ core: this.core, provider, device, links });
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

  /** Frees a stream and all it holds. Unless it is done, its connection is broken. */
  remove(link: StreamLink): void {
    if (link.freed) return;
    link.freed = true;
    this.#links.delete(link.native.id);
    if (link.done) link.session?.finish();
    else link.session?.abort();
    link.native.free();
    this.core.schedule();
  }

  /** Drops all that a stream holds, before it is removed, and answers what it would have been told. */
  dropAll(link: StreamLink): readonly StreamNote[] {
    if (link.done) return [];
    const { clock } = this.core;
    this.core.flagged(link.native.reset(clock.mono(), clock.wall()));
    return this.core.waitingFor(link).filter(isDrop).map(streamNote);
  }

  close(): void {
    for (const link of this.links) this.remove(link);
    this.#runner.close();
    this.core.close();
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

  #tell(note: ClientNote): void {
    this.core.log.note(undefined, note);
    this.core.diagnostics.note(undefined, note);
    for (const callbacks of this.#clientCallbacks) {
      deliver(this.core.log, note.name, () => callClient(callbacks, note));
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
