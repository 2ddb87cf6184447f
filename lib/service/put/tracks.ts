import { AckError } from '../errors.js';

interface Track {
  /** Nanoseconds of a frame, 0 when not known. */
  defaultDuration: number;
  /** Of the open fragment, in ticks relative to the cluster. */
  blocks: number;
  first: number;
  last: number;
}

/** What a session header said of its tracks, and which blocks each has in the open fragment. */
export class TrackTable {
  readonly #tracks = new Map<number, Track>();
  /** Times of the open fragment over all tracks, ticks relative to the cluster. */
  #first = Infinity;
  #last = -Infinity;
  #blockDuration = 0;
  #frames = 0;

  /** Blocks of the open fragment. */
  get frames(): number {
    return this.#frames;
  }

  get count(): number {
    return this.#tracks.size;
  }

  add(number: number, defaultDuration: number): void {
    if (this.#tracks.has(number)) {
      throw new AckError(4006, `two tracks have number ${String(number)}`);
    }
    this.#tracks.set(number, { defaultDuration, blocks: 0, first: 0, last: 0 });
  }

  /** Forgets the blocks of the last fragment. */
  beginFragment(): void {
    this.#first = Infinity;
    this.#last = -Infinity;
    this.#blockDuration = 0;
    this.#frames = 0;
    for (const track of this.#tracks.values()) track.blocks = 0;
  }

  /** Counts a block; gives the span of the fragment so far, ticks. */
  addBlock(number: number, time: number): number {
    const track = this.#tracks.get(number);
    if (track === undefined) {
      throw new AckError(4010, `a block has track ${String(number)}, which Tracks does not name`);
    }
    if (track.blocks === 0 || time < track.first) track.first = time;
    if (track.blocks === 0 || time > track.last) track.last = time;
    track.blocks += 1;
    this.#frames += 1;
    if (time < this.#first) this.#first = time;
    if (time > this.#last) this.#last = time;
    return this.#last - this.#first;
  }

  setBlockDuration(ticks: number): void {
    this.#blockDuration = ticks;
  }

  /** Number of a track that has no block in the open fragment. */
  silent(): number | undefined {
    for (const [number, track] of this.#tracks) if (track.blocks === 0) return number;
    return undefined;
  }

  /** How long the fragment plays, ms: to the end of its last frame as far as that is known. */
  duration(scale: number): number {
    let longest = 0;
    for (const track of this.#tracks.values()) {
      if (track.blocks === 0) continue;
      const span = track.last - track.first;
      const known = track.defaultDuration / scale || this.#blockDuration;
      const frame = track.blocks > 1 && span > 0 ? span / (track.blocks - 1) : known;
      longest = Math.max(longest, ((span + frame) * scale) / 1_000_000);
    }
    // What a block says of itself may be more than can be written down.
    return Math.min(Math.round(longest), Number.MAX_SAFE_INTEGER);
  }
}
