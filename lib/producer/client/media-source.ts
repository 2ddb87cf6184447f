import type { Frame } from '../../base/media.js';
import type { KinesisVideoStream } from '../stream/stream.js';
import type { StreamDefinition } from '../definition/stream-definition.js';

/** Where a media source puts what it makes (guide: MediaSourceSink). */
export interface MediaSourceSink {
  /** The stream behind it. */
  readonly stream: KinesisVideoStream;
  /** `KinesisVideoStream.putFrame`. */
  onFrame(frame: Frame): boolean;
  /** Codec private data of a track that are known only now; track 1 when none is named. */
  onCodecPrivateData(codecPrivateData: Uint8Array, trackId?: number): void;
  /** What went wrong in the source: goes to the log, the stream's `health` and `mediaSourceFailed`. */
  onError(error: unknown): void;
  /** `KinesisVideoStream.putFragmentMetadata`. */
  onFragmentMetadata(name: string, value: string, persistent?: boolean): void;
}

/**
 * Anything that makes frames: a camera, a microphone, a log (guide: MediaSource). Registered with a
 * `KinesisVideoClient`, which gives it a stream.
 */
export interface MediaSource {
  /** What its stream is to be; asked once, at registration. */
  getStreamDefinition(): StreamDefinition | Promise<StreamDefinition>;
  /** Takes the sink; called once, before `start`. */
  initialize(sink: MediaSourceSink): void | Promise<void>;
  /** Begins to make frames. May be called again after `stop`. */
  start(): void | Promise<void>;
  /** Makes no more frames once it has resolved. */
  stop(): void | Promise<void>;
  /** Whether it makes no frames. */
  isStopped(): boolean;
}

/** Gives frames until they end or `signal` says so. */
export type FrameFeed = (
  sink: MediaSourceSink,
  signal: AbortSignal,
) => AsyncIterable<Frame> | Promise<void>;

/**
 * A media source made from one function: it yields frames, or puts them into the sink itself. Frames
 * that it yields wait for room in the stream.
 */
export class CallbackMediaSource implements MediaSource {
  readonly #definition: StreamDefinition;
  readonly #feed: FrameFeed;
  #sink: MediaSourceSink | undefined;
  #control: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = true;

  constructor(definition: StreamDefinition, feed: FrameFeed) {
    this.#definition = definition;
    this.#feed = feed;
  }

  getStreamDefinition(): StreamDefinition {
    return this.#definition;
  }

  initialize(sink: MediaSourceSink): void {
    this.#sink = sink;
  }

  start(): void {
    const sink = this.#sink;
    if (sink === undefined || !this.#stopped) return;
    this.#stopped = false;
    const control = new AbortController();
    this.#control = control;
    this.#running = this.#run(sink, control.signal).finally(() => {
      this.#stopped = true;
    });
    // Who stops the source gets the error, too.
    this.#running.catch((error: unknown) => {
      sink.onError(error);
    });
  }

  /** Rejects with what the function threw, if it did. */
  async stop(): Promise<void> {
    this.#control?.abort();
    await this.#running;
  }

  isStopped(): boolean {
    return this.#stopped;
  }

  async #run(sink: MediaSourceSink, signal: AbortSignal): Promise<void> {
    const made = this.#feed(sink, signal);
    if (!(Symbol.asyncIterator in made)) return made;
    for await (const frame of made) {
      if (signal.aborted) return;
      if (!sink.onFrame(frame)) await roomIn(sink.stream, signal);
    }
  }
}

function roomIn(stream: KinesisVideoStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    stream.once('drain', done);
    stream.once('close', done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
