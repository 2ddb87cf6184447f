import { captureRejectionSymbol } from 'node:events';
import { Writable, type Readable } from 'node:stream';
import type { KvsError } from '../../base/errors.js';
import type { Frame } from '../../base/media.js';
import type { StreamHealth } from '../reporting/health.js';
import type { StreamNote } from '../reporting/notes.js';

type NoteEvents = {
  readonly [N in StreamNote as N['name']]: readonly [report: N['report']];
};

/** Events of a `KinesisVideoStream` and what comes with each. */
export interface StreamEvents extends NoteEvents {
  /** `health.condition` has changed. */
  readonly health: readonly [health: StreamHealth];
  /** A written frame, or one that `resume` sends, was refused. */
  readonly frameRefused: readonly [error: KvsError, frame: Frame];
  /** What makes the stream's frames has failed (`MediaSourceSink.onError`). */
  readonly mediaSourceFailed: readonly [error: unknown];
  /** There is room again after `putFrame` or `write` answered false. */
  readonly drain: readonly [];
  /** `end` is done: everything is acknowledged. */
  readonly finish: readonly [];
  /** The stream is freed. */
  readonly close: readonly [];
  /** The stream is at its end because of this. */
  readonly error: readonly [error: Error];
  readonly pipe: readonly [source: Readable];
  readonly unpipe: readonly [source: Readable];
  /** An EventEmitter's own: a listener was added or taken away. */
  readonly newListener: readonly [event: string | symbol, listener: (...values: never) => unknown];
  readonly removeListener: StreamEvents['newListener'];
}

/** A listener of a stream; what it answers is not waited for. */
export type StreamListener<E extends keyof StreamEvents> = (...values: StreamEvents[E]) => unknown;

type Written = (error: Error | null | undefined) => void;

// An option of every EventEmitter, which the types of Writable leave out.
const REJECTIONS = { captureRejections: true } as const;

/** A Writable of frames whose events have types: a misspelt event does not compile. */
export abstract class FrameWritable extends Writable {
  /**
   * `guarded` runs what throws what an async listener of `event` rejected with: it harms the stream no
   * more than a callback does. @internal
   */
  protected constructor(guarded: (event: string, run: () => never) => void) {
    super({ objectMode: true, decodeStrings: false, ...REJECTIONS });
    Object.defineProperty(this, captureRejectionSymbol, {
      value: (error: unknown, event: string) => {
        guarded(event, () => {
          throw error;
        });
      },
    });
  }

  // Nobody can call the first two: they stand for what `pipeline` asks of a Writable, to take bytes.
  override write(bytes: never, written?: Written): boolean;
  override write(bytes: never, encoding?: BufferEncoding, written?: Written): boolean;
  /** Takes a copy of a frame, which waits for room; `false` asks to wait for `'drain'`. */
  override write(frame: Frame, written?: Written): boolean;
  override write(frame: Frame, encoding: BufferEncoding | undefined, written?: Written): boolean;
  override write(frame: Frame, encoding?: BufferEncoding | Written, written?: Written): boolean {
    if (typeof encoding === 'function') return super.write(frame, encoding);
    return super.write(frame, encoding ?? 'utf8', written);
  }

  override on<E extends keyof StreamEvents>(event: E, listener: StreamListener<E>): this {
    return super.on(event, listener);
  }

  override once<E extends keyof StreamEvents>(event: E, listener: StreamListener<E>): this {
    return super.once(event, listener);
  }

  override off<E extends keyof StreamEvents>(event: E, listener: StreamListener<E>): this {
    return super.off(event, listener);
  }

  override addListener<E extends keyof StreamEvents>(event: E, listener: StreamListener<E>): this {
    return super.addListener(event, listener);
  }

  override removeListener<E extends keyof StreamEvents>(
    event: E,
    listener: StreamListener<E>,
  ): this {
    return super.removeListener(event, listener);
  }

  override prependListener<E extends keyof StreamEvents>(
    event: E,
    listener: StreamListener<E>,
  ): this {
    return super.prependListener(event, listener);
  }

  override prependOnceListener<E extends keyof StreamEvents>(
    event: E,
    listener: StreamListener<E>,
  ): this {
    return super.prependOnceListener(event, listener);
  }
}
