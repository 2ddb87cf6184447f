import { KvsError } from '../../base/errors.js';
import type { Frame } from '../../base/media.js';
import type { StreamMetrics } from '../../generated/metrics.js';
import type { NativeStream } from '../../native/index.js';
import type {
  StreamCallbackProvider,
  StreamHandle,
  StreamStateName,
} from '../../providers/index.js';
import { callCore, type CoreCall } from './core-call.js';
import { deliver } from '../reporting/deliver.js';
import { FrameGate } from './frame-gate.js';
import { FrameWritable } from './frame-writable.js';
import {
  eventArguments,
  type FragmentEvent,
  type FragmentEventOptions,
} from './events-of-fragment.js';
import { ReadyWait } from './ready-wait.js';
import { StreamReporter } from './reporter.js';
import { stopIsLate } from './refusal.js';
import { WrittenFrames } from './written.js';
import type { Gap } from '../reporting/gaps.js';
import type { StreamHealth } from '../reporting/health.js';
import type { ProducerHost } from '../session/host.js';
import type { StreamLink } from '../session/link.js';
import type { StreamNote } from '../reporting/notes.js';
import type { PauseOptions } from './pre-roll.js';
import { checkWait, type WaitOptions } from '../session/wait.js';

/** What a stream shares with its producer. @internal */
export interface StreamParts {
  readonly host: ProducerHost;
  readonly link: StreamLink;
  /** Told each note, in this order, after the stream itself. */
  readonly callbacks: readonly StreamCallbackProvider[];
  /** Bytes of storage that are this stream's share. */
  readonly share: () => number;
}

/** What `close` of a producer takes at most, unless told otherwise. */
const CLOSE_MS = 10_000;

/**
 * A stream that is uploaded to. Made by `KinesisVideoProducer.createStream`; takes frames at once,
 * with or without a network.
 *
 * It is a Node `Writable` of frames, too: a written frame waits for room, and one that is refused
 * is an event `frameRefused` (the `KvsError`, the frame), not an error of the stream. `end()`
 * finishes when the last fragment is acknowledged. Each note of `StreamCallbackProvider` is also an
 * event of that name.
 */
export class KinesisVideoStream extends FrameWritable implements StreamHandle {
  /** Name of the stream in the service. */
  readonly name: string;
  readonly #host: ProducerHost;
  readonly #link: StreamLink;
  readonly #native: NativeStream;
  readonly #gate: FrameGate;
  readonly #reporter: StreamReporter;
  readonly #ready: ReadyWait;
  #lastHealth: StreamHealth | undefined;
  #lastMetrics: StreamMetrics | undefined;
  #drainWanted = false;
  readonly #written: WrittenFrames;

  /** @internal */
  constructor(parts: StreamParts) {
    const { host, link } = parts;
    super((event, run) => {
      deliver(host.core.log, `'${event}'`, run);
    });
    this.name = link.name;
    this.#ready = new ReadyWait(link.name);
    this.#host = host;
    this.#link = link;
    this.#native = link.native;
    const onRoom = this.#onRoom.bind(this);
    this.#gate = new FrameGate({ core: host.core, link, share: parts.share, onRoom });
    this.#reporter = new StreamReporter({
      core: host.core,
      link,
      stream: this,
      callbacks: parts.callbacks,
      share: parts.share,
      metrics: () => this.getMetrics(),
    });
    this.#written = new WrittenFrames({
      stream: this.name,
      gate: this.#gate,
      reporter: this.#reporter,
      roomComes: () => this.getMetrics().bufferedFragments > 1,
      onHeldTaken: () => {
        if (!link.life.running) this.#stopCore();
      },
    });
    this.#listen();
  }

  #listen(): void {
    const link = this.#link;
    // Who waits for room in a stream that takes nothing more is not to wait for ever.
    this.on('newListener', (event) => {
      if (event === 'drain' && !link.life.running) setImmediate(() => this.#emit('drain'));
    });
    this.once('close', () => {
      this.#emit('drain');
    });
    link.onNote = (note) => {
      this.#onNote(note);
    };
    link.onProgress = () => {
      this.#gate.freed();
    };
  }

  /** State of the stream's machine. */
  get state(): StreamStateName {
    return this.health.state;
  }

  /**
   * How the stream is, now, or was when it ended. The event `health` comes with one of these whenever
   * `condition` has changed.
   */
  get health(): StreamHealth {
    return this.#lastHealth ?? this.#reporter.health.now();
  }

  /**
   * Every span of media that was dropped, from, to and why; the newest 1,000. What a stream held
   * when it was destroyed, or its producer closed, is among them.
   */
  get gaps(): readonly Gap[] {
    return this.#reporter.gaps.all;
  }

  /**
   * Resolves when the stream can be streamed to: it exists, and its endpoint and credentials are known;
   * at once, where that is so. Frames are taken before, too. Rejects with `KvsError` when the stream is
   * closed first (STATUS_INVALID_OPERATION) or after `timeoutMs`, and with the signal's reason.
   */
  ready(options: WaitOptions = {}): Promise<void> {
    return this.#ready.wait(options);
  }

  /**
   * Takes a copy of one frame and returns at once; nothing is waited for. Answers false when the
   * stream is above its high-water mark: the frame is taken, but wait for `'drain'` before the
   * next if you can. Frames before the first key frame are passed over and reported once.
   * Throws `KvsError` when the frame is refused: the stream is as it was.
   */
  putFrame(frame: Frame): boolean {
    const free = this.#gate.put(frame);
    if (!free) this.#drainWanted = true;
    return free;
  }

  /**
   * Sets the codec private data of a track from its next key frame on. A stopped stream takes
   * frames again, from a key frame on; what it holds still, because `stop` ran out of time, is sent
   * before them. Throws `KvsError` when the data are refused.
   */
  start(codecPrivateData?: Uint8Array, trackId = 1): void {
    this.#alive('start');
    this.#host.core.take();
    if (!this.#link.life.running) this.#goOn();
    if (codecPrivateData === undefined) return;
    this.#call(
      'start',
      () => `codec private data of track ${trackId}, ${codecPrivateData.length} bytes`,
      () => this.#native.formatChanged(trackId, codecPrivateData, ...this.#now()),
    );
  }

  /**
   * Takes no more frames, takes what was written and waits for room still, sends what is buffered, and
   * resolves when the service has acknowledged the last fragment. Rejects with `KvsError`:
   * STATUS_OPERATION_TIMED_OUT when that takes longer than `timeoutMs`, and says what is not delivered
   * (it is still being sent: stop again to wait on); the service's, where `restartOnError: false` has
   * made it final. Options that are refused stop nothing. `start` takes frames again.
   */
  async stop(options: WaitOptions = {}): Promise<void> {
    const { life } = this.#link;
    checkWait('stop', options);
    this.#alive('stop');
    this.#host.core.take();
    if (life.stop()) {
      while (this.writableCorked > 0) this.uncork();
      this.#written.hold(this.writableLength);
      if (this.#written.held === 0) this.#stopCore();
      // Whoever waits for room to put more is told what is so by its next frame.
      if (this.#drainWanted) this.#drain();
    }
    const report = await life.wait(options, () =>
      stopIsLate(this.name, options.timeoutMs, this.#written.held, this.getMetrics()),
    );
    if (report.status === 'STATUS_SUCCESS') return;
    throw new KvsError({
      status: report.status,
      message:
        `stream '${this.name}' stopped, but ${report.dropped} frames could not be delivered; ` +
        'stream.gaps says which, and why',
    });
  }

  #stopCore(): void {
    this.#host.core.flagged(this.#native.stop(...this.#now()));
    this.#link.session?.wake();
  }

  /**
   * Drops everything that is buffered, which is reported, breaks the connection and begins anew. A
   * stopped stream takes frames again.
   */
  reset(): void {
    this.#alive('reset');
    this.#ready.again();
    this.#begin('reset', 'reset', () => this.#native.reset(...this.#now()));
    this.#gate.freed();
  }

  /**
   * Ends the connection at the next fragment and opens another, which asks for a new endpoint if it must;
   * with `hard`, breaks it at once. Nothing is lost: what was not acknowledged is sent again.
   */
  resetConnection({ hard = false }: { readonly hard?: boolean } = {}): void {
    this.#alive('resetConnection');
    this.#call('resetConnection', 'the connection', () =>
      this.#native.resetConnection(hard, ...this.#now()),
    );
  }

  /** Takes frames again after `stop`. */
  #goOn(): void {
    // As long as written frames are taken, the core was not told to stop.
    const run = (): number => (this.#written.held > 0 ? 0 : this.#native.start(...this.#now()));
    this.#begin('start', 'started again', run);
  }

  /** Frames come again; who waits for the end of `stop` is told that `how`. */
  #begin(name: string, how: string, run: () => number): void {
    const error = this.#interrupted(how);
    this.#host.begin(this.#link, error, () => {
      this.#call(name, 'the stream', run);
    });
    this.#written.release();
  }

  #interrupted(how: string, cause?: unknown): KvsError {
    return new KvsError({
      status: 'STATUS_INVALID_OPERATION',
      message: `stream '${this.name}' was ${how} while it was being stopped`,
      cause,
    });
  }

  /** Stops, and then destroys, within 10 s. Rejects as `stop` does, when the stream is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.destroyed) return;
    try {
      await this.stop({ timeoutMs: CLOSE_MS });
    } finally {
      this.destroy();
    }
  }

  /** Whether `pause` is in force. */
  get paused(): boolean {
    return this.#gate.paused;
  }

  /**
   * Sends nothing of the frames that come from now on; what came before is sent, and the session
   * ends when it has been idle. The newest `preRollMs` are kept for `resume`, from a key frame on and
   * at most half of the stream's share of the storage (beside it, in memory of their own); where that
   * is less than from one key frame to the next, nothing is. Called again, it sets `preRollMs` anew.
   */
  pause(options: PauseOptions = {}): void {
    this.#alive('pause');
    const { preRollMs = 0 } = options;
    if (!(preRollMs >= 0)) {
      throw new KvsError({
        status: 'STATUS_INVALID_ARG',
        message: `pause of stream '${this.name}': preRollMs is ${preRollMs}; give 0 or more`,
      });
    }
    this.#gate.pause(preRollMs);
  }

  /**
   * Sends what `pause` kept, each frame at its own time, and then what comes; where nothing was kept
   * of what came, from the next key frame on. A kept frame that is refused is an event `frameRefused`.
   */
  resume(): void {
    this.#alive('resume');
    for (const frame of this.#gate.resume()) {
      try {
        this.putFrame(frame);
      } catch (error) {
        this.#reporter.refused(error, frame);
      }
    }
  }

  /**
   * Adds a tag to the next fragment, or with `persistent` to every one from there on, until an
   * empty value ends it. At most 10 at once; names up to 128 bytes that do not begin with AWS,
   * values up to 256. One that no fragment took goes out behind the last frame at `stop`, or is told by
   * `streamErrorReport`. Throws `KvsError`.
   */
  putFragmentMetadata(name: string, value: string, persistent = false): void {
    this.#alive('putFragmentMetadata');
    this.#call(
      'putFragmentMetadata',
      () =>
        `'${name}' (${Buffer.byteLength(name)} bytes) with a value of ` +
        `${Buffer.byteLength(value)} bytes`,
      () => this.#native.putMetadata(name, value, persistent, ...this.#now()),
    );
  }

  /** What makes its frames has failed: goes to the log, `health` and `mediaSourceFailed`. @internal */
  sourceFailed(error: unknown): void {
    this.#reporter.sourceFailed(error);
  }

  /**
   * Attaches events to the next fragment: the service makes an image of it, or sends a notification,
   * where the stream is configured so. Throws `KvsError`: before the first frame
   * (STATUS_STREAM_NOT_STARTED), or while such an event waits (STATUS_DUPLICATE_STREAM_EVENT_TYPE).
   */
  putEvent(
    events: FragmentEvent | readonly FragmentEvent[],
    options: FragmentEventOptions = {},
  ): void {
    this.#alive('putEvent');
    const given = eventArguments(events, options);
    this.#call('putEvent', String(events), () => this.#native.putEvent(...given, ...this.#now()));
  }

  /** Figures of the stream (guide: StreamMetrics); of one that is closed, the last. */
  getMetrics(): StreamMetrics {
    return this.#lastMetrics ?? this.#native.metrics(...this.#now());
  }

  /** @internal */
  override _write(frame: Frame, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#written.write(frame, done);
  }

  /** @internal */
  override _final(done: (error?: Error | null) => void): void {
    this.stop().then(() => {
      done(this.#written.noneTaken(this.getMetrics().totalFrames));
    }, done);
  }

  /** @internal */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const gone = this.#interrupted('destroyed', error ?? undefined);
    this.#ready.ended(error);
    if (!this.#link.life.freed) this.#lastHealth = this.#reporter.health.end();
    // What is lost with the stream nobody is told any more, but it is written down.
    const losses = this.#host.remove(this.#link, gone, () => {
      this.#lastMetrics = this.getMetrics();
    });
    for (const note of losses) this.#reporter.gaps.note(note);
    done(error);
    this.#written.end();
  }

  /** A call that the core may refuse; `what` says what it was called with. */
  #call(name: string, what: CoreCall['what'], run: () => number): void {
    callCore(this.#host.core, { name, stream: this.name, what, run });
  }

  #now(): [number, number] {
    return [this.#host.core.clock.mono(), this.#host.core.clock.wall()];
  }

  #alive(call: string): void {
    if (!this.#link.life.freed) return;
    throw new KvsError({
      status: 'STATUS_INVALID_OPERATION',
      message: `${call}: stream '${this.name}' is closed; create it again with createStream()`,
    });
  }

  #onRoom(): void {
    this.#written.goOn();
    if (this.#drainWanted) this.#drain();
  }

  #drain(): void {
    this.#drainWanted = false;
    setImmediate(() => {
      this.#emit('drain');
    });
  }

  #onNote(note: StreamNote): void {
    const { name } = note;
    if (name === 'streamReady') this.#ready.ready();
    if (name === 'droppedFragmentReport' || name === 'droppedFrameReport') this.#gate.freed();
    this.#reporter.note(note);
  }

  #emit(event: string, ...values: readonly unknown[]): void {
    this.#reporter.emit(event, ...values);
  }
}
