import { isBytes } from '../base/values.js';
import { KvsError } from '../base/errors.js';
import {
  FrameReader,
  type FragmentMetadata,
  type MediaEvent,
  type MediaFrame,
} from '../parser/index.js';
import { Waits, type Backoff } from './backoff.js';
import { Connection, sendOptions, type StreamConnection } from './connection.js';
import { callFailed } from './failures.js';
import { payloadStream } from './payload.js';
import { Resume, selectorOf, type MediaStart } from './resume.js';

/** A frame or the end of a fragment, out of GetMedia. */
export type StreamEvent = Exclude<MediaEvent, { readonly kind: 'error' }>;

/** Told when a connection of GetMedia has ended and the next one is going to be opened. */
export interface ReconnectNotice {
  /** Connections in a row that brought nothing; 0 after one that did. */
  readonly failures: number;
  /** Why the last one ended; undefined when the service ended it in order. */
  readonly error: KvsError | undefined;
  /** Where the next one begins. */
  readonly start: MediaStart;
}

/** Settings of a `GetMediaReader`. */
export interface GetMediaReaderOptions extends StreamConnection {
  /** Default: `{ kind: 'earliest' }`. */
  readonly start?: MediaStart;
  /** Ends the reading at once, with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * `always` (default): a connection that ends is followed by the next one, for ever; `never`:
   * the reading ends with the connection.
   */
  readonly reconnect?: 'always' | 'never';
  /** Connections in a row that may bring nothing before the last error is thrown; default Infinity. */
  readonly maxFailures?: number;
  readonly backoff?: Backoff;
  readonly onReconnect?: (notice: ReconnectNotice) => void;
}

/**
 * Reads a stream's media with GetMedia, over as many connections as it takes: when one ends (the
 * service ends each after 45 minutes) the next goes on behind it, no frame twice, none left out.
 * The socket is read only as fast as the frames are taken.
 *
 *     for await (const frame of new GetMediaReader({ streamName, region }).frames()) { … }
 */
export class GetMediaReader {
  readonly #options: GetMediaReaderOptions;
  readonly #connection: Connection;
  readonly #resume: Resume;
  readonly #waits: Waits;
  #started = false;

  /** Throws `KvsError` STATUS_INVALID_ARG without a stream; nothing is called yet. */
  constructor(options: GetMediaReaderOptions) {
    this.#options = options;
    this.#connection = new Connection(options);
    this.#resume = new Resume(options.start ?? { kind: 'earliest' });
    this.#waits = new Waits(options.backoff ?? {});
  }

  /** Token of the last fragment that was given whole: keep it to go on later from there. */
  get continuationToken(): string | undefined {
    return this.#resume.continuationToken;
  }

  /**
   * The frames, in stream order. Ends only by an error, an abort, or leaving the loop, unless
   * `reconnect` is `never`. Throws `KvsError` when the service refuses the call, ends the media
   * with an error that does not pass, or sends what is not Matroska.
   */
  async *frames(
    onFragmentEnd?: (fragment: FragmentMetadata) => void,
  ): AsyncGenerator<MediaFrame, void, undefined> {
    for await (const event of this.events()) {
      if (event.kind === 'frame') yield event;
      else onFragmentEnd?.(event.fragment);
    }
  }

  /** As `frames`, with the end of each fragment. A reader reads once. */
  async *events(): AsyncGenerator<StreamEvent, void, undefined> {
    if (this.#started) {
      throw new KvsError({
        status: 'STATUS_INVALID_OPERATION',
        message: 'GetMediaReader: it reads already; make another one to read again',
      });
    }
    this.#started = true;
    const { signal } = this.#options;
    for (;;) {
      signal?.throwIfAborted();
      const error = yield* this.#oneConnection();
      if (this.#options.reconnect === 'never') {
        if (error !== undefined) throw error;
        return;
      }
      await this.#beforeNext(error);
    }
  }

  /** One GetMedia to its end; gives the error that another attempt may overcome. */
  async *#oneConnection(): AsyncGenerator<StreamEvent, KvsError | undefined, undefined> {
    const { signal } = this.#options;
    try {
      const { sdk, client } = await this.#connection.media(signal);
      try {
        const StartSelector = selectorOf(this.#resume.start());
        const command = new sdk.GetMediaCommand({ ...this.#connection.key, StartSelector });
        const answer = await client.send(command, sendOptions(signal));
        yield* this.#readBody(payloadStream(answer.Payload, 'GetMedia'));
        return undefined;
      } finally {
        client.destroy();
      }
    } catch (error) {
      const failure = callFailed('GetMedia', this.#connection.name, error, signal);
      if (failure instanceof KvsError && failure.retryable) return failure;
      throw failure;
    }
  }

  async *#readBody(
    body: AsyncIterable<unknown> & { destroy(): unknown },
  ): AsyncGenerator<StreamEvent, void, undefined> {
    const reader = new FrameReader();
    const { signal } = this.#options;
    const stop = (): void => void body.destroy();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      for await (const chunk of body) {
        if (!isBytes(chunk)) continue;
        reader.push(chunk);
        yield* this.#drain(reader);
        signal?.throwIfAborted();
      }
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener('abort', stop);
      body.destroy();
    }
  }

  *#drain(reader: FrameReader): Generator<StreamEvent, void, undefined> {
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      if (event.kind === 'error') throw event.error;
      if (!this.#resume.accept(event)) continue;
      this.#waits.succeeded();
      yield event;
    }
  }

  async #beforeNext(error: KvsError | undefined): Promise<void> {
    const { signal, onReconnect, maxFailures = Number.POSITIVE_INFINITY } = this.#options;
    const { failures } = this.#waits;
    if (error !== undefined) this.#connection.forget('GET_MEDIA');
    if (error !== undefined && failures >= maxFailures) throw error;
    onReconnect?.({ failures, error, start: this.#resume.start() });
    await this.#waits.next(signal);
  }
}
