import { isBytes, textOf } from '../../base/values.js';
import { FRAME_FLAG, TRACK_TYPE, flagsOf, type Frame } from '../../base/media.js';
import type { NativeTrackInfo } from '../../native/index.js';

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
 * with a frame that can be begun at. Never less than `keepMs` once so much has come, but never more
 * bytes than given. @internal
 */
export class PreRoll {
  readonly #mostBytes: number;
  readonly #track: NativeTrackInfo | undefined;
  #keepMs: number;
  #groups: Group[] = [];
  #bytes = 0;
  #misses = false;

  constructor(keepMs: number, mostBytes: number, tracks: readonly NativeTrackInfo[]) {
    this.#keepMs = keepMs;
    this.#mostBytes = mostBytes;
    this.#track = tracks.find((track) => track.trackType === TRACK_TYPE.VIDEO) ?? tracks[0];
  }

  /** Keeps so much from now on. */
  keep(keepMs: number): void {
    this.#keepMs = keepMs;
  }

  /**
   * Whether frames are missing between those that were kept, or that came before, and those that
   * come: they cannot be shown before one that can be begun at.
   */
  get misses(): boolean {
    return this.#misses;
  }

  /** Throws `TypeError` for what is no frame; other faults show when the frame is put. */
  add(frame: Frame): void {
    checkFrame(frame);
    if (this.#keepMs > 0 && this.begins(frame)) {
      this.#groups.push({ begin: frame.presentationTs, frames: [], bytes: 0 });
      this.#misses = false;
    }
    const group = this.#misses ? undefined : this.#groups.at(-1);
    if (group === undefined) {
      this.#misses = true;
      return;
    }
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

  /** Whether a fragment can begin with the frame, as the core has it: any but one of video can. */
  begins(frame: Frame): boolean {
    checkFrame(frame);
    if ((frame.trackId ?? 1) !== (this.#track?.trackId ?? 1)) return false;
    if (this.#track !== undefined && this.#track.trackType !== TRACK_TYPE.VIDEO) return true;
    return (flagsOf(frame) & FRAME_FLAG.KEY_FRAME) !== 0;
  }

  #trim(newest: number): void {
    for (;;) {
      const [oldest, second] = this.#groups;
      if (oldest === undefined) return;
      const enough = second !== undefined && newest - second.begin >= this.#keepMs;
      if (!enough && this.#bytes <= this.#mostBytes) return;
      this.#groups.shift();
      this.#bytes -= oldest.bytes;
      // The only group is longer than may be kept: nothing is, until the next one begins.
      if (second === undefined) this.#misses = true;
    }
  }
}

function checkFrame(frame: Frame): void {
  if (!isBytes(frame.frameData)) throw new TypeError('frameData is no Uint8Array');
  if (!Number.isFinite(frame.presentationTs)) {
    throw new TypeError(`presentationTs is ${textOf(frame.presentationTs)}`);
  }
}
