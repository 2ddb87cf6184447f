import { FRAME_FLAG, TRACK_TYPE, type Frame } from '../base/media.js';
import type { NativeTrackInfo } from '../native/index.js';

/** How a stream is paused. */
export interface PauseOptions {
  /** Media that are kept while the stream is paused and sent when it resumes, ms; 0 by default. */
  readonly preRollMs?: number;
}

/** Frames from a key frame up to the next. */
interface Group {
  readonly begin: number;
  readonly frames: Frame[];
  bytes: number;
}

/**
 * The newest media of a paused stream: copies of whole groups of frames, so that what is kept begins
 * with a key frame. Never less than `keepMs` once so much has come, and never more bytes than given.
 * @internal
 */
export class PreRoll {
  readonly #keepMs: number;
  readonly #mostBytes: number;
  readonly #track: number;
  #groups: Group[] = [];
  #bytes = 0;

  constructor(keepMs: number, mostBytes: number, tracks: readonly NativeTrackInfo[]) {
    this.#keepMs = keepMs;
    this.#mostBytes = mostBytes;
    const video = tracks.find((track) => track.trackType === TRACK_TYPE.VIDEO);
    this.#track = (video ?? tracks[0])?.trackId ?? 1;
  }

  /** Throws `TypeError` for what is no frame; other faults show when the frame is put. */
  add(frame: Frame): void {
    if (!(frame.frameData instanceof Uint8Array)) throw new TypeError('frameData is no Uint8Array');
    if (!Number.isFinite(frame.presentationTs)) {
      throw new TypeError(`presentationTs is ${String(frame.presentationTs)}`);
    }
    if (this.#keepMs === 0) return;
    if (this.#begins(frame)) {
      this.#groups.push({ begin: frame.presentationTs, frames: [], bytes: 0 });
    }
    const group = this.#groups.at(-1);
    if (group === undefined) return;
    group.frames.push({ ...frame, frameData: Uint8Array.from(frame.frameData) });
    group.bytes += frame.frameData.length;
    this.#bytes += frame.frameData.length;
    this.#trim(frame.presentationTs);
  }

  /** Hands out what is kept, in order, and keeps nothing any more. */
  take(): Frame[] {
    const frames = this.#groups.flatMap((group) => group.frames);
    this.#groups = [];
    this.#bytes = 0;
    return frames;
  }

  #begins(frame: Frame): boolean {
    const key = ((frame.flags ?? 0) & FRAME_FLAG.KEY_FRAME) !== 0;
    return key && (frame.trackId ?? 1) === this.#track;
  }

  #trim(newest: number): void {
    for (;;) {
      const [oldest, second] = this.#groups;
      if (oldest === undefined || second === undefined) return;
      const enough = newest - second.begin >= this.#keepMs;
      if (!enough && this.#bytes <= this.#mostBytes) return;
      this.#groups.shift();
      this.#bytes -= oldest.bytes;
    }
  }
}
