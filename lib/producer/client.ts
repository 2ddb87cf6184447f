import { KvsError } from '../base/errors.js';
import type { ClientMetrics } from '../generated/metrics.js';
import type { WaitOptions } from './close-wait.js';
import type { MediaSource, MediaSourceSink } from './media-source.js';
import type { ProducerOptions } from './options.js';
import { KinesisVideoProducer } from './producer.js';
import type { KinesisVideoStream } from './stream.js';

/**
 * Runs media sources, each into a stream of its own (guide: KinesisVideoClient): register, start,
 * stop.
 */
export class KinesisVideoClient {
  readonly #producer: KinesisVideoProducer;
  readonly #streams = new Map<MediaSource, KinesisVideoStream>();

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
    if (this.#streams.has(source)) {
      throw new KvsError({
        status: 'STATUS_INVALID_OPERATION',
        message: `registerMediaSource '${streamName}': the source is registered already`,
      });
    }
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
    await Promise.all(this.mediaSources.map(startOne));
  }

  /**
   * Stops every source, then every stream, and resolves when what they made is acknowledged. They
   * can be started again.
   */
  async stopAllMediaSources(options: WaitOptions = {}): Promise<void> {
    await Promise.all(
      [...this.#streams].map(async ([source, stream]) => {
        await source.stop();
        await stream.stop(options);
        stream.start();
      }),
    );
  }

  /** Stops one source and its stream, and forgets both. */
  async unregisterMediaSource(source: MediaSource, options: WaitOptions = {}): Promise<void> {
    const stream = this.#streams.get(source);
    if (stream === undefined) return;
    this.#streams.delete(source);
    try {
      await source.stop();
      await stream.stop(options);
    } finally {
      stream.destroy();
    }
  }

  /** Figures of the producer beneath. */
  getMetrics(): ClientMetrics {
    return this.#producer.getMetrics();
  }

  /** Stops everything and frees it; see `KinesisVideoProducer.close`. */
  async close(options: WaitOptions = {}): Promise<void> {
    const stops = await Promise.allSettled(this.mediaSources.map(async (one) => one.stop()));
    this.#streams.clear();
    await this.#producer.close(options);
    const failed = stops.find((stop) => stop.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

async function startOne(source: MediaSource): Promise<void> {
  if (source.isStopped()) await source.start();
}

function sinkOf(stream: KinesisVideoStream): MediaSourceSink {
  return {
    stream,
    onFrame: (frame) => stream.putFrame(frame),
    onCodecPrivateData: (codecPrivateData, trackId) => {
      stream.start(codecPrivateData, trackId);
    },
    onFragmentMetadata: (name, value, persistent) => {
      stream.putFragmentMetadata(name, value, persistent);
    },
  };
}
