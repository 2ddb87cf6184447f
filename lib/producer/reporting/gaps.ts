import type { StatusName } from '../../generated/status.js';
import type { StreamNote } from './notes.js';

/** A span of media that was put and will not be in the service. */
export interface Gap {
  /** Presentation times of its begin and end, ms. */
  readonly from: number;
  readonly to: number;
  readonly frames: number;
  readonly bytes: number;
  readonly reason: StatusName;
}

const MOST_GAPS = 1000;

/** Every span of media that a stream dropped; the newest 1,000. @internal */
export class GapLedger {
  readonly #gaps: Gap[] = [];

  get all(): readonly Gap[] {
    return [...this.#gaps];
  }

  note(note: StreamNote): void {
    if (note.name === 'droppedFragmentReport') {
      const { timecode, end, frames, bytes, reason } = note.report;
      this.#add({ from: timecode, to: end, frames, bytes, reason });
    } else if (note.name === 'droppedFrameReport') {
      const { timecode, bytes, reason } = note.report;
      this.#add({ from: timecode, to: timecode, frames: 1, bytes, reason });
    }
  }

  /** Spans that follow on each other for one reason are one gap. */
  #add(gap: Gap): void {
    const last = this.#gaps.at(-1);
    if (last !== undefined && last.reason === gap.reason && follows(last, gap)) {
      this.#gaps[this.#gaps.length - 1] = {
        from: last.from,
        to: Math.max(last.to, gap.to),
        frames: last.frames + gap.frames,
        bytes: last.bytes + gap.bytes,
        reason: gap.reason,
      };
      return;
    }
    this.#gaps.push(gap);
    if (this.#gaps.length > MOST_GAPS) this.#gaps.shift();
  }
}

/** Whether `next` begins about where `last` ends: within a frame's length of 250 ms. */
function follows(last: Gap, next: Gap): boolean {
  return next.from >= last.from && next.from - last.to <= 250;
}
