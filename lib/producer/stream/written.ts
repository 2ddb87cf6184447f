import { KvsError } from '../../base/errors.js';
import type { Frame } from '../../base/media.js';
import type { FrameGate } from './frame-gate.js';
import { allRefused, isFrame, noFrame } from './refusal.js';
import type { StreamReporter } from './reporter.js';

/** What the written frames of a stream are taken with. @internal */
export interface WrittenParts {
  readonly stream: string;
  readonly gate: FrameGate;
  readonly reporter: StreamReporter;
  /** Whether an acknowledged fragment can make room. */
  readonly roomComes: () => boolean;
  /** The last frame that was written before `stop` is taken. */
  readonly onHeldTaken: () => void;
}

/** The way of frames that are written into a stream: one after the other, each waits for room. @internal */
export class WrittenFrames {
  readonly #parts: WrittenParts;
  /** What goes on with the frame that waits for room, or with the one after it. */
  #waiting: ((gone?: Error) => void) | undefined;
  /** Whether the frame that waits is taken, and only the next one is not asked for yet. */
  #takenWaits = false;
  #held = 0;
  #written = 0;
  #lastRefusal: unknown;

  constructor(parts: WrittenParts) {
    this.#parts = parts;
  }

  /** Frames that were written before `stop` and are still to be taken. */
  get held(): number {
    return this.#held;
  }

  /** Of so many that are in the stream's buffer, those that are not taken are held. */
  hold(buffered: number): void {
    this.#held = Math.max(0, buffered - (this.#takenWaits ? 1 : 0));
  }

  /** None of what is written from here on is held. */
  release(): void {
    this.#held = 0;
  }

  /** Takes a frame, or has it wait. `done` with an error is one of the stream. */
  write(frame: Frame, done: (error?: Error) => void): void {
    const { stream, gate, reporter } = this.#parts;
    if (!isFrame(frame)) {
      done(noFrame(stream, frame));
      return;
    }
    this.#written += 1;
    try {
      const free = gate.put(frame, this.#held > 0);
      this.#next(free, done);
    } catch (error) {
      if (isFull(error) && this.#parts.roomComes()) {
        gate.full();
        this.#waiting = (gone) => {
          if (gone === undefined) this.write(frame, done);
          else done(gone);
        };
        return;
      }
      this.#lastRefusal = error;
      reporter.refused(error, frame);
      done();
    }
    if (this.#held === 0) return;
    this.#held -= 1;
    if (this.#held === 0) this.#parts.onHeldTaken();
  }

  /** The frame is taken, whatever comes; where there is no room the next one waits. */
  #next(free: boolean, done: () => void): void {
    this.#takenWaits = !free;
    if (free) done();
    else {
      this.#waiting = () => {
        this.#takenWaits = false;
        done();
      };
    }
  }

  /** There is room again. */
  goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    // In a turn of its own: this is reached from within a take or an ack.
    if (waiting !== undefined) setImmediate(waiting);
  }

  /** The stream is gone, and so is a frame that waits for room. */
  end(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(
      new KvsError({
        status: 'STATUS_INVALID_OPERATION',
        message: `stream '${this.#parts.stream}' was destroyed before there was room for a written frame`,
      }),
    );
  }

  /** The error of a stream that ends and has sent none of what was written. */
  noneTaken(totalFrames: number): KvsError | undefined {
    if (totalFrames > 0 || this.#written === 0) return undefined;
    return allRefused(this.#parts.stream, this.#lastRefusal);
  }
}

function isFull(error: unknown): boolean {
  return error instanceof KvsError && error.status === 'STATUS_STORE_OUT_OF_MEMORY';
}
