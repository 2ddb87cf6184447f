import { Collector } from '../../parser/input.js';
import { AckError } from '../errors.js';
import type { RawQueue } from './raw.js';

/** Largest session header: three tracks with 1 MiB of codec private data each fit. */
const MAX_HEADER = 4 * 1024 * 1024;
const DEFAULT_SCALE = 1_000_000;

/** Segment with an unknown size of 8 bytes, as stands in GetMedia's answers. */
const OPEN_SEGMENT: Readonly<Uint8Array> = Uint8Array.of(
  0x18,
  0x53,
  0x80,
  0x67,
  0x01,
  0xff,
  0xff,
  0xff,
  0xff,
  0xff,
  0xff,
  0xff,
);

/**
 * Gathers the session header: the producer's bytes from the EBML header to the first Cluster.
 * Tags behind Tracks are metadata of fragments and left out; a Segment's size is taken out,
 * since each stored fragment will be a Segment of its own.
 */
export class HeaderGatherer {
  readonly #raw: RawQueue;
  /** `none`: no document has begun; `gather`: before its first Cluster; `done`: behind it. */
  #state: 'none' | 'gather' | 'done' = 'none';
  /** Joined as they come: a client that sends single bytes would have an object held for each. */
  #parts = new Collector();
  /** Where the next byte of the header stands; undefined while bytes are left out. */
  #from: number | undefined;
  #header: Uint8Array = new Uint8Array();
  #hasSegment = false;
  #hasTracks = false;
  #scale = DEFAULT_SCALE;
  #track: { number: number; defaultDuration: number } = { number: 0, defaultDuration: 0 };

  constructor(raw: RawQueue) {
    this.#raw = raw;
  }

  get state(): 'none' | 'gather' | 'done' {
    return this.#state;
  }

  /** Nanoseconds of a tick. */
  get scale(): number {
    return this.#scale;
  }

  /** Whether Tags at this place are part of the header. */
  get holdsTags(): boolean {
    return this.#state === 'gather' && !this.#hasTracks;
  }

  beginDocument(offset: number): void {
    this.#state = 'gather';
    this.#parts = new Collector();
    this.#from = offset;
    this.#hasSegment = false;
    this.#hasTracks = false;
    this.#scale = DEFAULT_SCALE;
  }

  beginSegment(offset: number, headerLength: number, sized: boolean): void {
    if (this.#state !== 'gather' || this.#hasSegment) {
      throw new AckError(4006, 'a Segment without an EBML header of its own');
    }
    this.#hasSegment = true;
    if (!sized) return;
    this.gatherTo(offset);
    this.#add(OPEN_SEGMENT);
    this.#from = offset + headerLength;
  }

  beginTracks(): void {
    if (this.#state !== 'gather' || this.#hasTracks) {
      throw new AckError(4006, 'Tracks may stand once, before the first Cluster');
    }
    this.#hasTracks = true;
  }

  beginTrack(): void {
    this.#track = { number: 0, defaultDuration: 0 };
  }

  setTrackNumber(number: number): void {
    this.#track.number = number;
  }

  setDefaultDuration(nanoseconds: number): void {
    this.#track.defaultDuration = nanoseconds;
  }

  endTrack(): { readonly number: number; readonly defaultDuration: number } {
    if (this.#track.number < 1) throw new AckError(4006, 'a track has no TrackNumber above 0');
    return this.#track;
  }

  setScale(nanoseconds: number): void {
    if (nanoseconds < 1) throw new AckError(4006, 'TimestampScale is 0');
    this.#scale = nanoseconds;
  }

  /** Leaves out what follows, from `offset` on. */
  pause(offset: number): void {
    if (this.#state !== 'gather') return;
    this.gatherTo(offset);
    this.#from = undefined;
  }

  resume(offset: number): void {
    if (this.#state === 'gather') this.#from = offset;
  }

  /** Takes the bytes up to `offset`, by copy: chunks of the body are not kept for a header. */
  gatherTo(offset: number): void {
    if (this.#state !== 'gather' || this.#from === undefined || offset <= this.#from) return;
    this.#raw.cut(this.#from, offset, (part) => {
      this.#add(part);
    });
    this.#from = offset;
  }

  /** The header, complete at the Cluster that begins at `offset`. The same array each time. */
  finish(offset: number): Uint8Array {
    if (this.#state === 'none') {
      throw new AckError(4006, 'a Cluster before any EBML header and Tracks');
    }
    if (this.#state === 'gather') {
      this.gatherTo(offset);
      this.#header = Buffer.from(this.#parts.view());
      this.#parts = new Collector();
      this.#state = 'done';
    }
    return this.#header;
  }

  #add(part: Readonly<Uint8Array>): void {
    if (this.#parts.length + part.length > MAX_HEADER) {
      throw new AckError(4006, `more than ${String(MAX_HEADER)} bytes before the first Cluster`);
    }
    this.#parts.add(part, MAX_HEADER);
  }
}
