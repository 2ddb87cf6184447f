import { KvsError } from '../../base/errors.js';
import type { ClientMetrics } from '../../generated/metrics.js';
import type { MediaSource, MediaSourceSink } from './media-source.js';
import type { ProducerOptions } from './options.js';
import { KinesisVideoProducer } from './producer.js';
import type { KinesisVideoStream } from '../stream/stream.js';
import { checkWait, waitWithin, type WaitOptions } from '../session/wait.js';

const CLOSE_MS = 10_000;

/**
 * Runs media sources, each into a stream of its own (guide: KinesisVideoClient): register, start,
 * stop. Where stopping has a time limit, a source may use up half of it and its stream the rest.
 */
export class KinesisVideoClient {
  readonly #producer: KinesisVideoProducer;
  readonly #streams = new Map<MediaSource, KinesisVideoStream>();
  /** Sources that are being registered, and for which stream. */
  readonly #coming = new Map<MediaSource, string>();
  /** Streams that are to be started together with their sources. */
  readonly #halted = new Set<KinesisVideoStream>();

  private constructor(producer: KinesisVideoProducer) {
    this.#producer = producer;
  }

  /** Makes a client; see `KinesisVideoProducer.create`. */
  static async create(options: ProducerOptions = {}): Promise<KinesisVideoClient> {
    return new KinesisVideoClient(await KinesisVideoProducer.create(options));
  }

  /** Sources that are registered. */
  get mediaSources(): readonly MediaSource[] {
    return [...this.#streams.keys()];
  }

  /**
   * Gives a source its stream, named `streamName`, and initializes it. Rejects with `KvsError` when
   * the source is registered already or its definition is refused, and with what `initialize` throws.
   */
  async registerMediaSource(streamName: string, source: MediaSource): Promise<KinesisVideoStream> {
    if (this.#streams.has(source) || this.#coming.has(source)) {
      const name = this.#streams.get(source)?.name ?? this.#coming.get(source);
      throw new KvsError({
        status: 'STATUS_INVALID_OPERATION',
        message:
          `registerMediaSource '${streamName}': the source is registered already, for stream ` +
          `'${name ?? ''}'; unregister it first`,
      });
    }
    this.#coming.set(source, streamName);
    try {
      return await this.#register(streamName, source);
    } finally {
      this.#coming.delete(source);
    }
  }

  async #register(streamName: string, source: MediaSource): Promise<KinesisVideoStream> {
    const definition = { ...(await source.getStreamDefinition()), streamName };
    const stream = await this.#producer.createStream(definition);
    try {
      await source.initialize(sinkOf(stream));
    } catch (error) {
      stream.destroy();
      throw error;
    }
    this.#streams.set(source, stream);
    return stream;
  }

  /** Starts every source that is stopped. */
  async startAllMediaSources(): Promise<void> {
    await Promise.all(
      [...this.#streams].map(async ([source, stream]) => {
        if (this.#halted.delete(stream)) stream.start();
        if (source.isStopped()) await source.start();
      }),
    );
  }

  /**
   * Stops every source, then every stream, and resolves when what they made is acknowledged. They can
   * be started again; what a stream could not deliver by then it sends before what is new.
   * Rejects, after all have ended, with the first error: what a source threw, or the `KvsError` of a
   * stream or of a source that took too long.
   */
  async stopAllMediaSources(options: WaitOptions = {}): Promise<void> {
    checkWait('stopAllMediaSources', options);
    const ends = await Promise.allSettled(
      [...this.#streams].map(async ([source, stream]) => {
        this.#halted.add(stream);
        await stopBoth(source, stream, options);
      }),
    );
    throwFirst(ends);
  }

  /** Stops one source and its stream, and forgets both. */
  async unregisterMediaSource(source: MediaSource, options: WaitOptions = {}): Promise<void> {
    checkWait('unregisterMediaSource', options);
    const stream = this.#streams.get(source);
    if (stream === undefined) return;
    this.#streams.delete(source);
    try {
      await stopBoth(source, stream, options);
    } finally {
      this.#halted.delete(stream);
      stream.destroy();
    }
  }

  /** Figures of the producer beneath. */
  getMetrics(): ClientMetrics {
    return this.#producer.getMetrics();
  }

  /** `close()`, within 10 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Stops everything, within 10 s unless `timeoutMs` says otherwise, and frees it. Rejects, after
   * everything is freed, with the first error.
   */
  async close(options: WaitOptions = {}): Promise<void> {
    checkWait('close', options);
    const { timeoutMs = CLOSE_MS, signal } = options;
    const wait = { timeoutMs, signal };
    const ends = await Promise.allSettled(
      [...this.#streams].map(async ([source, stream]) => stopBoth(source, stream, wait)),
    );
    this.#streams.clear();
    this.#halted.clear();
    // What could be delivered is, and what could not has had its time.
    const [closed] = await Promise.allSettled([this.#producer.close({ timeoutMs: 0 })]);
    throwFirst([...ends, closed]);
  }
}

/** Stops a source, and its stream whether or not that went well. */
async function stopBoth(
  source: MediaSource,
  stream: KinesisVideoStream,
  options: WaitOptions,
): Promise<void> {
  const { timeoutMs = Infinity } = options;
  const began = performance.now();
  const late = (): KvsError =>
    new KvsError({
      status: 'STATUS_OPERATION_TIMED_OUT',
      message:
        `the media source of stream '${stream.name}' did not stop within ${timeoutMs / 2} ms; ` +
        'its stream is stopped all the same',
      retryable: true,
    });
  const half = { ...options, timeoutMs: timeoutMs / 2 };
  const stopping = waitWithin<void>(half, late, (resolve, reject) => {
    const stopped = async (): Promise<void> => source.stop();
    stopped().then(resolve, reject);
    return () => undefined;
  });
  const [ofSource] = await Promise.allSettled([stopping]);
  if (stream.destroyed) {
    throwFirst([ofSource]);
    return;
  }
  const left = Math.max(0, timeoutMs - (performance.now() - began));
  const [ofStream] = await Promise.allSettled([stream.stop({ ...options, timeoutMs: left })]);
  throwFirst([ofSource, ofStream]);
}

function throwFirst(ends: readonly PromiseSettledResult<unknown>[]): void {
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function sinkOf(stream: KinesisVideoStream): MediaSourceSink {
  return {
    stream,
    onFrame: (frame) => stream.putFrame(frame),
    onCodecPrivateData: (codecPrivateData, trackId) => {
      stream.start(codecPrivateData, trackId);
    },
    onError: (error) => {
      stream.sourceFailed(error);
    },
    onFragmentMetadata: (name, value, persistent) => {
      stream.putFragmentMetadata(name, value, persistent);
    },
  };
}
