import { FrameTableWriter, type FrameRow } from '../store/frame-table.js';
import type { BlockStart } from './block-head.js';

/** Flag of a SimpleBlock: its frames are key frames. */
const KEY = 0x80;
const LACING = 0x06;

/** What is known of the frames of a fragment. @internal */
export interface FragmentFrames {
  /** Its frame table; empty where it would be too long. */
  readonly table: Uint8Array;
  /** Whether the first frame of a track is a key frame, by track number. */
  readonly starts: ReadonlyMap<number, boolean>;
  /** A frame of some track has an earlier time than one before it. */
  readonly reordered: boolean;
  readonly laced: boolean;
}

/** Writes down the frames of the open fragment while they come. @internal */
export class FrameGatherer {
  #table = new FrameTableWriter(1_000_000);
  #starts = new Map<number, boolean>();
  /** The newest time of each track. */
  #newest = new Map<number, number>();
  #reordered = false;
  #laced = false;
  /** The block of a group that is open: what stands behind it says more of it. */
  #group:
    { row: FrameRow | undefined; reference: boolean; duration: number | undefined } | undefined;

  /** `scale`: nanoseconds of a tick. */
  beginFragment(scale: number): void {
    this.#table = new FrameTableWriter(scale);
    this.#starts = new Map();
    this.#newest = new Map();
    this.#reordered = false;
    this.#laced = false;
    this.#group = undefined;
  }

  beginGroup(): void {
    this.#group = { row: undefined, reference: false, duration: undefined };
  }

  /** The group's block needs another frame. */
  reference(): void {
    if (this.#group !== undefined) this.#group.reference = true;
  }

  duration(ticks: number): void {
    if (this.#group !== undefined) this.#group.duration = ticks;
  }

  endGroup(): void {
    const group = this.#group;
    this.#group = undefined;
    if (group?.row === undefined) return;
    const { row, reference, duration } = group;
    this.#add({ ...row, key: !reference, ...(duration !== undefined && { duration }) });
  }

  /** A block whose payload of `size` bytes begins at `offset` of the Cluster. */
  block({ track, time, flags }: BlockStart, offset: number, size: number): void {
    const laced = (flags & LACING) !== 0;
    const row = { track, offset, size, time, laced, key: (flags & KEY) !== 0 };
    if (this.#group === undefined) this.#add(row);
    else this.#group.row = row;
  }

  take(): FragmentFrames {
    return {
      table: this.#table.end(),
      starts: this.#starts,
      reordered: this.#reordered,
      laced: this.#laced,
    };
  }

  #add(row: FrameRow): void {
    const { track, time, key } = row;
    if (!this.#starts.has(track)) this.#starts.set(track, key);
    const newest = this.#newest.get(track);
    if (newest !== undefined && time < newest) this.#reordered = true;
    else this.#newest.set(track, time);
    this.#laced ||= row.laced;
    this.#table.add(row);
  }
}
