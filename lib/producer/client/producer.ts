import { isError, messageOf } from '../../base/values.js';
import { KvsError, statusFromCode } from '../../base/errors.js';
import { VERSION } from '../../base/user-agent.js';
import type { ClientMetrics } from '../../generated/metrics.js';
import { loadBinding, type NativeStream } from '../../native/index.js';
import type { DefaultCallbackProvider, StreamCallbackProvider } from '../../providers/index.js';
import type { HttpAgents } from '../../transport/index.js';
import type { Log } from '../reporting/logger.js';
import { checkDefinition, type CheckedDefinition } from '../definition/definition-check.js';
import { deliver } from '../reporting/deliver.js';
import { ProducerHost } from '../session/host.js';
import { StreamLink } from '../session/link.js';
import { checkOptions, type CheckedOptions } from './options-check.js';
import type { ProducerOptions } from './options.js';
import type { Pace } from '../session/pacer.js';
import type { StreamDefinition } from '../definition/stream-definition.js';
import { KinesisVideoStream } from '../stream/stream.js';
import { registerMeter, type MeterProvider, type StreamFigures } from '../reporting/telemetry.js';
import { checkWait, type WaitOptions } from '../session/wait.js';

const CLOSE_MS = 10_000;

/**
 * Uploads streams of frames into Amazon Kinesis Video Streams. Holds the storage that its streams
 * share, their credentials and their connections.
 */
export class KinesisVideoProducer {
  readonly #host: ProducerHost;
  readonly #storageSize: number;
  readonly #streamCallbacks: readonly StreamCallbackProvider[];
  readonly #pace: Pace;
  readonly #own: DefaultCallbackProvider | undefined;
  readonly #agents: HttpAgents;
  readonly #streams = new Set<KinesisVideoStream>();
  readonly #unmeter: () => void;
  #closing: Promise<void> | undefined;
  #lastMetrics: ClientMetrics | undefined;

  private constructor(options: CheckedOptions) {
    const { clock, log, provider, device, native, clientCallbacks } = options;
    const { NativeClient } = loadBinding();
    const client = withStatus(
      'the producer cannot be created',
      () => new NativeClient(native, clock.mono(), clock.wall()),
    );
    this.#host = new ProducerHost({ client, clock, log, provider, device, clientCallbacks });
    this.#storageSize = native.storageSize;
    this.#streamCallbacks = options.streamCallbacks;
    this.#pace = options.pace;
    this.#own = options.own;
    this.#agents = options.agents;
    this.#unmeter = this.#meter(options.meterProvider);
  }

  /**
   * Makes a producer; resolves without network or credentials. Rejects with `KvsError` when an
   * option breaks its rule.
   */
  static async create(options: ProducerOptions = {}): Promise<KinesisVideoProducer> {
    const checked = checkOptions(options);
    // What cannot be loaded the first call tells.
    await checked.own?.prepare().catch(() => undefined);
    return new KinesisVideoProducer(checked);
  }

  /**
   * Makes a stream that takes frames at once; the service is asked for it, or to create it,
   * meanwhile. Resolves without network or credentials. Rejects with `KvsError` when the definition
   * breaks a rule, the name is in use in this producer, or there are too many streams.
   */
  async createStream(
    definition: StreamDefinition<KinesisVideoStream> = {},
  ): Promise<KinesisVideoStream> {
    if (this.#closing !== undefined) {
      throw new KvsError({
        status: 'STATUS_INVALID_OPERATION',
        message: 'createStream: the producer is closed; create another',
      });
    }
    const checked = checkDefinition(definition);
    const bytes = Math.min(this.#pace.bytes, checked.maxBandwidth);
    const link = new StreamLink(checked, this.#createNative(checked), { ...this.#pace, bytes });
    const own = checked.callbacks === undefined ? [] : [checked.callbacks];
    const stream = new KinesisVideoStream({
      host: this.#host,
      link,
      callbacks: [...this.#streamCallbacks, ...own],
      share: () => this.#storageSize / Math.max(1, this.#host.streamCount),
    });
    this.#host.add(link);
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    this.#warnOfStorage();
    this.#warnOfSockets();
    warnOfWindow(link.definition, this.#host.core.log);
    return stream;
  }

  /** The stream of that name that this producer has open, or undefined. */
  getStream(streamName: string): KinesisVideoStream | undefined {
    return [...this.#streams].find((stream) => stream.name === streamName && !stream.destroyed);
  }

  /** Figures of the producer (guide: ClientMetrics); of one that is closed, the last. */
  getMetrics(): ClientMetrics {
    if (this.#lastMetrics !== undefined) return this.#lastMetrics;
    const { client, clock } = this.#host.core;
    return client.metrics(clock.mono(), clock.wall());
  }

  /**
   * Stops every stream that is not stopped, waits until what they hold is acknowledged, 10 s unless
   * `timeoutMs` says otherwise, and frees everything. Options that are refused end nothing. Rejects,
   * after everything is freed, with the `KvsError` of the first stream that could not deliver what it
   * held. Called again, it settles as the first call does.
   */
  async close(options: WaitOptions = {}): Promise<void> {
    checkWait('close', options);
    const { timeoutMs = CLOSE_MS, signal } = options;
    this.#closing ??= this.#close({ timeoutMs, signal });
    return this.#closing;
  }

  /** `close()`, within 10 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(options: WaitOptions): Promise<void> {
    const streams = [...this.#streams].filter((stream) => !stream.destroyed);
    const ends = await Promise.allSettled(streams.map((stream) => stream.stop(options)));
    this.#lastMetrics = this.getMetrics();
    for (const stream of this.#streams) stream.destroy();
    this.#unmeter();
    this.#host.close();
    this.#own?.close();
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #createNative(definition: CheckedDefinition): NativeStream {
    const { client, clock } = this.#host.core;
    return withStatus(`stream '${definition.info.name}' cannot be created`, () =>
      client.createStream(definition.info, clock.mono(), clock.wall()),
    );
  }

  #meter(provider: MeterProvider | undefined): () => void {
    if (provider === undefined) return () => undefined;
    const { clock, log } = this.#host.core;
    const figures = ({ name, native }: StreamLink): StreamFigures => ({
      stream: name,
      metrics: native.metrics(clock.mono(), clock.wall()),
    });
    let unregister = (): void => undefined;
    deliver(log, 'meterProvider', () => {
      unregister = registerMeter(provider, VERSION, () => this.#host.links.map(figures));
    });
    return () => {
      deliver(log, 'meterProvider', unregister);
    };
  }

  /** Each stream holds one connection as long as it streams, and calls need another. */
  #warnOfSockets(): void {
    const streams = this.#host.streamCount;
    const { httpAgent, httpsAgent } = this.#agents;
    for (const [name, agent] of Object.entries({ httpAgent, httpsAgent })) {
      const maxSockets = agent?.maxSockets ?? Infinity;
      if (maxSockets > streams) continue;
      this.#host.core.log.write(
        'warn',
        `maxSockets ${name}`,
        `${name} has maxSockets ${maxSockets}: with ${streams} streams, each of which holds a ` +
          `connection, some wait for others to end; give ${streams + 1} or more`,
      );
    }
  }

  #warnOfStorage(): void {
    let bytes = 0;
    for (const { definition } of this.#host.links) {
      const { avgBandwidthBps, bufferDuration } = definition.info;
      bytes += ((avgBandwidthBps / 8) * bufferDuration) / 1000;
    }
    if (bytes <= this.#storageSize) return;
    this.#host.core.log.write(
      'warn',
      'storage',
      `the streams' avgBandwidthBps and bufferDuration ask for ${Math.ceil(bytes)} bytes and the ` +
        `storage has ${this.#storageSize}: in a long outage frames go before bufferDuration is ` +
        'over; raise deviceInfo.storageInfo.storageSize, or lower one of the two',
    );
  }
}

/** A window that holds less than two of the longest fragments drops one before its ack can come. */
function warnOfWindow(definition: CheckedDefinition, log: Log): void {
  const { name, bufferDuration, maxFragmentDuration } = definition.info;
  const least = 2 * maxFragmentDuration + 1000;
  if (bufferDuration >= least) return;
  log.write(
    'warn',
    `window ${name}`,
    `stream '${name}': bufferDuration is ${bufferDuration} ms, and two fragments of ` +
      `maxFragmentDuration with their acks need ${least}; raise the one or lower the other`,
  );
}

const REMEDIES: Readonly<Record<string, string>> = {
  STATUS_DUPLICATE_STREAM_NAME: 'this producer has a stream of that name; close it first',
  STATUS_MAX_STREAM_COUNT: 'the producer has deviceInfo.streamCount streams already; raise it',
  STATUS_STORE_OUT_OF_MEMORY: 'the storage has no room for it; raise storageSize',
  STATUS_NOT_ENOUGH_MEMORY: 'the system gave no memory of storageSize',
};

/** Runs a call of the core that throws its status, and spells it. */
function withStatus<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const code = isError(cause) && 'code' in cause ? cause.code : undefined;
    if (typeof code !== 'number') {
      const why = messageOf(cause);
      throw new KvsError({ status: 'STATUS_INVALID_ARG', message: `${what}: ${why}`, cause });
    }
    const status = statusFromCode(code);
    const why = REMEDIES[status] ?? 'the core refuses it';
    throw new KvsError({ status, message: `${what}: ${why}`, cause });
  }
}
