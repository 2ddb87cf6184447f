import type { StreamMetrics } from '../../generated/metrics.js';

/** What a stream may hold, and how full it is. @internal */
export interface RoomView {
  metrics(): StreamMetrics;
  /** Bytes that are this stream's share of the storage. */
  share(): number;
  /** Media that the stream keeps at most, ms. */
  readonly bufferDuration: number;
}

// Parts of the share and of the window. Between the two marks the answer stays as it was, so that
// a waiting writer is not woken for each fragment's ack.
const HIGH = 0.8;
const LOW = 0.65;
// Between two looks at the figures: at most so many frames, and a quarter of the room left.
const FRAMES_A_LOOK = 64;

/**
 * Whether a stream is above its high-water mark. Looks at the core's figures seldom: frames cost it
 * one subtraction. @internal
 */
export class Room {
  readonly #view: RoomView;
  readonly #onRoom: () => void;
  #above = false;
  #frames = 0;
  #bytes = 0;
  #mediaEnd = -Infinity;

  /** `onRoom` is called when the stream falls below the mark. */
  constructor(view: RoomView, onRoom: () => void) {
    this.#view = view;
    this.#onRoom = onRoom;
  }

  /** A frame was put. Answers whether there is room for more. */
  took(bytes: number, time: number): boolean {
    if (this.#above) return false;
    this.#frames -= 1;
    this.#bytes -= bytes;
    if (this.#frames > 0 && this.#bytes > 0 && time < this.#mediaEnd) return true;
    this.#look(HIGH, time);
    return !this.#above;
  }

  /** A frame found no room. */
  full(): void {
    this.#above = true;
  }

  /** Something may have been freed. */
  freed(): void {
    if (!this.#above) return;
    this.#look(LOW, -Infinity);
    if (!this.#above) this.#onRoom();
  }

  #look(part: number, time: number): void {
    const { overallViewSize, overallViewDuration, bufferedFragments } = this.#view.metrics();
    const bytes = this.#view.share() * part - overallViewSize;
    const media = this.#view.bufferDuration * part - overallViewDuration;
    // An open fragment is freed by going on only: with nothing else to free, waiting were for ever.
    this.#above = (bytes <= 0 || media <= 0) && bufferedFragments > 1;
    this.#frames = FRAMES_A_LOOK;
    this.#bytes = bytes / 4;
    this.#mediaEnd = time + media / 4;
  }
}
