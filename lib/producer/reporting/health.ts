import { KvsError } from '../../base/errors.js';
import type { StreamMetrics } from '../../generated/metrics.js';
import type { StatusName } from '../../generated/status.js';
import type { StreamStateName } from '../../providers/index.js';
import { streamStateName, type ClientNote, type StreamNote } from './notes.js';

/**
 * How a stream is, in a word. `idle`: nothing waits. `connecting`: media wait for a session.
 * `streaming`: all goes well. `behind`: more than half of what the stream may keep waits to be sent.
 * `failing`: the last thing that happened is an error; it is tried on, until something is stored or the
 * stream is ready with nothing to send. `stopped`: it is closed.
 */
export type HealthCondition =
  'idle' | 'connecting' | 'streaming' | 'behind' | 'failing' | 'stopped';

/** How a stream is; see `KinesisVideoStream.health`. */
export interface StreamHealth {
  readonly condition: HealthCondition;
  readonly state: StreamStateName;
  /** Media that are kept until the service acknowledges them, ms and bytes. */
  readonly backlogMs: number;
  readonly backlogBytes: number;
  /** The part of it that was not sent yet, ms and bytes. */
  readonly unsentMs: number;
  readonly unsentBytes: number;
  /** Since the last fragment was freed by its ack, or since the stream was created, ms. */
  readonly sincePersistedMs: number;
  /** PutMedia sessions so far. */
  readonly sessions: number;
  /** What went wrong last, and when (ms since 1970); kept after it has been got over. */
  readonly lastError: KvsError | undefined;
  readonly lastErrorAt: number | undefined;
  /** Written frames, and kept ones of a pause, that were refused. */
  readonly refusedFrames: number;
}

/** Something that went wrong and is tried again. @internal */
export interface Trouble {
  readonly status: StatusName;
  readonly message: string;
  readonly cause?: unknown;
}

/** A note of failures, which the core only counts, with the words of the last one. @internal */
export function worded<N extends ClientNote | StreamNote>(note: N, last: Trouble | undefined): N {
  if (last === undefined) return note;
  if (note.name !== 'streamErrorReport' && note.name !== 'clientErrorReport') return note;
  if (note.report.status !== last.status) return note;
  const { message, cause } = last;
  return { ...note, report: { ...note.report, message, cause } };
}

/** Follows what happens to one stream and says when its condition changes. @internal */
export class HealthWatch {
  readonly #bufferDuration: number;
  readonly #share: () => number;
  readonly #metrics: () => StreamMetrics;
  readonly #wall: () => number;
  readonly #changed: (health: StreamHealth) => void;
  #condition: HealthCondition = 'idle';
  #failing = false;
  #stopped = false;
  #lastError: KvsError | undefined;
  #lastErrorAt: number | undefined;
  #refusedFrames = 0;

  constructor(parts: {
    readonly bufferDuration: number;
    /** Bytes of storage that are the stream's share. */
    readonly share: () => number;
    readonly metrics: () => StreamMetrics;
    readonly wall: () => number;
    readonly changed: (health: StreamHealth) => void;
  }) {
    this.#bufferDuration = parts.bufferDuration;
    this.#share = parts.share;
    this.#metrics = parts.metrics;
    this.#wall = parts.wall;
    this.#changed = parts.changed;
  }

  now(): StreamHealth {
    const metrics = this.#metrics();
    return {
      condition: this.#conditionOf(metrics),
      // The machine goes on for a moment after the last ack: to its user the stream is stopped by then.
      state: this.#stopped ? 'STOPPED' : streamStateName(metrics.state),
      backlogMs: metrics.overallViewDuration,
      backlogBytes: metrics.overallViewSize,
      unsentMs: metrics.currentViewDuration,
      unsentBytes: metrics.currentViewSize,
      sincePersistedMs: metrics.sincePersisted,
      sessions: metrics.totalSessions,
      lastError: this.#lastError,
      lastErrorAt: this.#lastErrorAt,
      refusedFrames: this.#refusedFrames,
    };
  }

  /** The last of a stream that ends now. */
  end(): StreamHealth {
    return { ...this.now(), condition: 'stopped', state: 'STOPPED' };
  }

  note(note: StreamNote): void {
    switch (note.name) {
      case 'streamErrorReport': {
        const { status, result, attempts, timecode, message: words, cause } = note.report;
        const about = timecode === 0 ? '' : ` for the fragment at ${timecode} ms`;
        const what = words ?? `result ${result}${about}`;
        this.trouble({ status, message: `${what}, ${attempts} times in a row`, cause });
        return;
      }
      case 'fragmentAckReceived':
        if (note.report.type !== 'ERROR') this.#failing = false;
        break;
      case 'streamClosed':
        this.#stopped = true;
        break;
      case 'streamStateChanged':
        if (note.report.to !== 'STOPPED') this.#stopped = false;
        break;
      default:
        break;
    }
    this.look();
  }

  trouble(trouble: Trouble): void {
    this.#failing = true;
    this.#lastErrorAt = this.#wall();
    this.#lastError = new KvsError({ ...trouble, retryable: true });
    this.look();
  }

  /** A frame was refused: the stream goes on as before. */
  refused(error: unknown): void {
    this.#refusedFrames += 1;
    this.#lastErrorAt = this.#wall();
    if (error instanceof KvsError) this.#lastError = error;
  }

  /** Says so if the condition has changed. */
  look(): void {
    const metrics = this.#metrics();
    if (isReady(metrics)) this.#failing = false;
    const condition = this.#conditionOf(metrics);
    if (condition === this.#condition) return;
    this.#condition = condition;
    this.#changed(this.now());
  }

  #conditionOf(metrics: StreamMetrics): HealthCondition {
    if (this.#stopped) return 'stopped';
    if (this.#failing) return 'failing';
    if (metrics.bufferedFrames === 0) return 'idle';
    if (metrics.currentViewDuration > this.#bufferDuration / 2) return 'behind';
    if (metrics.currentViewSize > this.#share() / 2) return 'behind';
    return streamStateName(metrics.state) === 'STREAMING' ? 'streaming' : 'connecting';
  }
}

/** Whether the stream could send, if there were anything. */
function isReady({ bufferedFrames, state }: StreamMetrics): boolean {
  const name = streamStateName(state);
  return bufferedFrames === 0 && (name === 'READY' || name === 'STREAMING');
}
