import { setTimeout as sleep } from 'node:timers/promises';
import { AckError, type AckErrorId } from '../errors.js';
import { raiseEvents } from '../events/raise.js';
import { discardRest } from '../http/wire.js';
import type { Producer } from '../hub.js';
import { Pacer } from '../pacer.js';
import { AckWriter, type AckSubject } from './acks.js';
import { followBody } from './body-events.js';
import { BodyGate } from './gate.js';
import { MkvIngest, type IngestTarget, type WholeFragment } from './ingest.js';
import { PutMeter } from './meter.js';
import { isTold, type FragmentSink, type ToldError } from './sink.js';
import type { SessionOptions } from './session-options.js';
import { SessionTimers } from './timers.js';

/** Bytes that may wait for the disk while the body is read on. */
const BACKLOG = 4 * 1024 * 1024;

interface OpenFragment {
  readonly number: bigint;
  readonly serverTime: number;
  timecode: number | undefined;
}

/** One PutMedia connection: reads the body, stores fragments, writes acks. @internal */
export class PutSession implements IngestTarget, Producer {
  readonly #options: SessionOptions;
  readonly #acks: AckWriter;
  readonly #gate: BodyGate;
  readonly #ingest: MkvIngest;
  readonly #timers: SessionTimers;
  readonly #meter: PutMeter;
  /** The guide's rates make the service read slower; they are never an error. */
  readonly #bytePace: Pacer;
  readonly #fragmentPace: Pacer;
  readonly #retains: boolean;
  #sink: FragmentSink | undefined;
  #fragment: OpenFragment | undefined;
  #lastTimecode = -1;
  readonly #commits = new Set<Promise<void>>();
  /** Why the session ends, to be told when all that is stored was told. */
  #told: { readonly id: AckErrorId; readonly subject: AckSubject } | undefined;
  #superseded = false;
  #ended = false;
  readonly #gone = new AbortController();
  #finished: () => void = () => undefined;
  #left: () => void = () => undefined;
  /** Resolves when nothing more of the body is taken. */
  readonly #done: Promise<void>;
  /** Resolves when what was taken is stored. */
  readonly #stored: Promise<void>;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { limits, clock } = options.context.options;
    this.#meter = new PutMeter(options.context.metrics.of(options.record), clock);
    this.#bytePace = new Pacer(limits.putMediaBytesPerSecond, clock);
    this.#fragmentPace = new Pacer(limits.fragmentRate, clock);
    this.#acks = new AckWriter(options.response, options.acks);
    this.#gate = new BodyGate(options.request, (error) => {
      if (this.#ended) return;
      if (isTold(error)) this.#refuse(error);
      else this.#storeFailed(error, this.#fragment ?? {});
    });
    this.#ingest = new MkvIngest(this, limits);
    this.#retains = options.record.retentionHours > 0;
    this.#done = new Promise((resolve) => {
      this.#finished = resolve;
    });
    this.#stored = new Promise((resolve) => {
      this.#left = resolve;
    });
    this.#timers = new SessionTimers(limits, {
      idle: () => {
        this.#acks.idle();
      },
      silent: () => {
        // While the body is not read, it is not the producer that is silent.
        if (this.#gate.waiting) this.#timers.touch();
        else this.#silent(limits.idleClose);
      },
      expired: () => {
        this.#fail(4003);
      },
    });
  }

  /** Reads the body to its end. Resolves when everything of it is stored or given up. */
  async run(): Promise<void> {
    const { request, response, hub } = this.#options;
    hub.addProducer(this);
    this.#meter.opened();
    const unfollow = followBody(request, response, {
      data: (bytes) => {
        this.#data(bytes);
      },
      // 'end' may come although the body is paused, when its last bytes came together with its end.
      end: () => void this.#gate.open.then(() => this.#bodyEnd()),
      cut: () => {
        this.#end();
      },
    });
    // Deleted since the call was let in: nobody would tell this session any more.
    if (hub.deleted) this.#fail(4507);
    try {
      await this.#done;
    } finally {
      unfollow();
      this.#timers.stop();
      hub.removeProducer(this);
      this.#meter.closed();
    }
    await this.#leave();
  }

  fragmentStart(header: Uint8Array): void {
    const { context, hub, record } = this.#options;
    if (this.#superseded) throw new AckError(4003, 'a newer connection sends to the stream');
    if (context.streams.current(record) === undefined) {
      throw new AckError(4507, `stream ${record.name} was deleted`);
    }
    const sink = this.#openSink();
    sink.checkKey();
    const serverTime = context.options.clock.wall();
    const number = hub.lease.openNumber(serverTime);
    this.#fragment = { number, serverTime, timecode: undefined };
    this.#meter.begin();
    sink.begin(header, number);
  }

  timecode(timecode: number): void {
    const fragment = this.#fragment;
    if (fragment === undefined) return;
    fragment.timecode = timecode;
    if (timecode < this.#lastTimecode) {
      throw new AckError(
        4004,
        `time code ${String(timecode)} is before the last one, ${String(this.#lastTimecode)}`,
      );
    }
    if (!Number.isSafeInteger(this.#options.timeBase + timecode)) {
      throw new AckError(4007, `time code ${String(timecode)} gives no time`);
    }
    this.#lastTimecode = timecode;
    this.#meter.buffering(this.#acks.event('BUFFERING', fragment));
  }

  bytes(part: Uint8Array): void {
    this.#meter.touch();
    this.#openSink().append(part);
  }

  fragmentEnd(whole: WholeFragment): void {
    const fragment = this.#fragment;
    if (fragment?.timecode === undefined) return;
    this.#fragment = undefined;
    this.#pause(this.#fragmentPace.spend(1));
    const times = this.#meter.whole(whole, this.#acks.event('RECEIVED', fragment));
    const { context, hub, record, timeBase } = this.#options;
    const { number, serverTime, timecode } = fragment;
    const producerTime = timeBase + timecode;
    const { duration } = whole;
    const meta = { number, timecode, serverTime, producerTime, duration };
    const commit = this.#openSink()
      .commit(meta, whole, this.#retains ? 'flushed' : 'buffered')
      .then((stored) => {
        hub.lease.readable(stored);
        if (!this.#retains) context.sweeper.buffered(record, stored.clusterBytes);
        this.#meter.stored();
        raiseEvents(context, record, stored, whole.events);
        if (!this.#retains) return;
        this.#meter.persisted(times, this.#acks.event('PERSISTED', { number, timecode }));
      })
      .catch((error: unknown) => {
        hub.lease.closeNumber(number);
        this.#meter.failed();
        this.#storeFailed(error, { number, timecode });
      })
      .finally(() => {
        this.#commits.delete(commit);
      });
    this.#commits.add(commit);
  }

  supersede(): void {
    if (this.#superseded) return;
    this.#superseded = true;
    if (this.#fragment === undefined) this.#fail(4003);
    else this.#timers.expireSoon();
  }

  streamDeleted(): void {
    this.#fail(4008);
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#stored;
  }

  #data(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#timers.touch();
    this.#meter.received(bytes.length);
    this.#guard(() => {
      this.#decoded(this.#options.decoder.push(bytes));
    });
  }

  #decoded(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#options.dump?.write(chunk);
    if (this.#sink === undefined) this.#gate.hold(() => this.#begin(chunk));
    else this.#take(chunk, this.#sink.writer);
  }

  async #begin(first: Uint8Array): Promise<void> {
    this.#sink = await this.#options.openSink();
    if (!this.#ended) this.#take(first, this.#sink.writer);
  }

  #take(chunk: Uint8Array, writer: FragmentSink['writer']): void {
    this.#pause(this.#bytePace.spend(chunk.length));
    this.#guard(() => {
      this.#ingest.push(chunk);
    });
    if (this.#superseded && this.#fragment === undefined) this.#fail(4003);
    if (writer.backlog() > BACKLOG) this.#gate.hold(() => writer.drained());
    if (this.#acks.choked) this.#gate.hold(() => this.#acks.drained(this.#gone.signal));
  }

  #openSink(): FragmentSink {
    if (this.#sink === undefined) throw new Error('no fragment before the first byte');
    return this.#sink;
  }

  #bodyEnd(): void {
    if (this.#ended) return;
    this.#guard(() => {
      this.#options.decoder.end();
      this.#ingest.end();
    });
    this.#end();
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (isTold(error)) {
        this.#refuse(error);
      } else {
        this.#options.context.options.log('error', 'PutMedia failed', {
          error,
          client: this.#options.client,
        });
        this.#fail(5000);
      }
    }
  }

  #pause(ms: number): void {
    const how = { signal: this.#gone.signal, ref: false };
    if (ms > 0) this.#gate.hold(() => sleep(ms, undefined, how));
  }

  #storeFailed(error: unknown, subject: AckSubject): void {
    this.#options.context.options.log('error', 'a fragment could not be stored', {
      stream: this.#options.record.name,
      client: this.#options.client,
      fragment: subject.number?.toString(),
      error,
    });
    // Of several the first: AWS's client goes back to the fragment that is named.
    if (this.#told?.id !== 5001) this.#told = { id: 5001, subject };
    this.#end();
  }

  #silent(ms: number): void {
    const { context, record, client } = this.#options;
    const subject = { stream: record.name, client };
    context.options.log('warn', `PutMedia ended: nothing came for ${String(ms)} ms`, subject);
    this.#end();
  }

  #refuse({ id, message }: ToldError): void {
    this.#options.context.options.log('warn', `PutMedia error ${String(id)}: ${message}`, {
      stream: this.#options.record.name,
      client: this.#options.client,
      fragment: this.#fragment?.number.toString(),
    });
    this.#fail(id);
  }

  /** Ends the session with an Error ack about the open fragment, if there is one. */
  #fail(id: AckErrorId): void {
    if (this.#ended) return;
    this.#told = { id, subject: this.#fragment ?? {} };
    this.#end();
  }

  /** Gives up what is open; what was whole goes on. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#gone.abort();
    const fragment = this.#fragment;
    this.#fragment = undefined;
    this.#sink?.writer.abort();
    if (fragment !== undefined) {
      this.#options.hub.lease.closeNumber(fragment.number);
      this.#meter.failed();
    }
    this.#finished();
  }

  /**
   * Writes the last acks, then ends the answer. The Error ack comes last: clients close when they read
   * it, and would not see that what came before it is stored.
   */
  async #leave(): Promise<void> {
    const { request, response, dump } = this.#options;
    request.on('data', () => undefined);
    request.resume();
    try {
      await this.#gate.open;
      while (this.#commits.size > 0) await Promise.all(this.#commits);
      await this.#sink?.writer.close();
    } catch (error) {
      this.#options.context.options.log('error', 'PutMedia: a file could not be closed', { error });
    } finally {
      this.#left();
    }
    if (this.#told !== undefined) {
      this.#meter.errorAck(this.#acks.error(this.#told.id, this.#told.subject));
    }
    dump?.end();
    response.end();
    await discardRest(request);
  }
}
