import {
  noSets,
  type OpenSets,
  type ParameterSets,
  presentSets,
  type Slice,
  type UnitReader,
  type UnitRole,
  type VideoCodec,
} from './codec.js';
import { H264Reader } from './h264-reader.js';
import { H265Reader } from './h265-reader.js';
import { findStartCode } from './start-codes.js';

/** How a byte stream is cut. */
export interface AccessUnitSplitterOptions {
  /** H.264 by default. */
  readonly codec?: VideoCodec;
}

/** One frame: all NAL units of one coded picture, or of the two fields of one, with their start codes. */
export interface AccessUnit extends ParameterSets {
  readonly bytes: Uint8Array;
  /**
   * A decoder can begin here: an IDR picture, an I picture that is a recovery point, or an H.265
   * picture of random access.
   */
  readonly key: boolean;
  /** Pictures of a later sequence are shown behind all of an earlier one. */
  readonly sequence: number;
  /** Within a sequence, pictures are shown in the order of these numbers, which may have gaps. */
  readonly order: number;
}

const FIRST_CAPACITY = 64 * 1024;
/** What is looked at of a slice, so that it is judged alike whether or not it is whole yet. */
const HEADER_BYTES = 256;

/**
 * Cuts an H.264 or H.265 byte stream (Annex B) into frames. Feed it any split with `push`, then `end`
 * once. A frame is given as soon as the bytes show that the next one begins; the cost of a byte is
 * the same whatever the size of the chunks.
 */
export class AccessUnitSplitter {
  readonly #reader: UnitReader;
  #bytes: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  #length = 0;
  /** Begin of the frame that is collected, with its start code; -1 before the first one. */
  #frame = -1;
  /** Begin of its newest unit, behind the start code; -1: none, or judged already. */
  #unit = -1;
  #unitFrom = 0;
  /** Where the next start code is looked for. */
  #scan = 0;
  /** Begin of what stands before the next frame's first slice, once there is any. */
  #lead = -1;
  #slice: Slice | undefined;
  #key = true;
  #sets: OpenSets = noSets();
  #nextSets: OpenSets = noSets();

  constructor(options: AccessUnitSplitterOptions = {}) {
    this.#reader = options.codec === 'h265' ? new H265Reader() : new H264Reader();
  }

  /** Bytes that wait for the end of their frame. */
  get pendingBytes(): number {
    return this.#frame < 0 ? 0 : this.#length - this.#frame;
  }

  /** Frames a second as the newest parameter set states them; `undefined` where none does. */
  get frameRate(): number | undefined {
    return this.#reader.frameRate;
  }

  /** Takes the next bytes and gives the frames that they complete. Keeps no view of `chunk`. */
  push(chunk: Uint8Array): readonly AccessUnit[] {
    this.#append(chunk);
    const done: AccessUnit[] = [];
    for (;;) {
      const code = findStartCode(this.#bytes, this.#scan, this.#length);
      if (code === undefined) break;
      this.#close(code, done);
      this.#unitFrom = code > 0 && this.#bytes[code - 1] === 0 ? code - 1 : code;
      if (this.#frame < 0) this.#frame = this.#unitFrom;
      this.#unit = code + 3;
      this.#scan = code + 3;
    }
    this.#scan = Math.max(this.#scan, this.#length - 2);
    this.#peek(done);
    this.#compact();
    return done;
  }

  /** Gives the last frame. */
  end(): readonly AccessUnit[] {
    const done: AccessUnit[] = [];
    this.#close(this.#length, done);
    if (this.#slice !== undefined) done.push(this.#take(this.#length));
    this.#length = 0;
    this.#frame = -1;
    this.#scan = 0;
    return done;
  }

  #append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = needed;
  }

  /** The unit that is open ends before `end`, where zero bytes belong to the next start code. */
  #close(end: number, done: AccessUnit[]): void {
    if (this.#unit < 0) return;
    let last = end;
    while (last > this.#unit && this.#bytes[last - 1] === 0) last -= 1;
    const unit = this.#bytes.subarray(this.#unit, last);
    this.#unit = -1;
    if (unit.length > 0) this.#judge(unit, done);
  }

  /** A slice is judged by its header, so that a frame need not wait for the end of the next one. */
  #peek(done: AccessUnit[]): void {
    if (this.#unit < 0 || this.#length - this.#unit < HEADER_BYTES) return;
    const unit = this.#bytes.subarray(this.#unit, this.#unit + HEADER_BYTES);
    if (!this.#reader.isSlice(unit)) return;
    this.#unit = -1;
    this.#judge(unit, done);
  }

  #judge(unit: Uint8Array, done: AccessUnit[]): void {
    const slice = this.#reader.isSlice(unit);
    const role = this.#reader.read(slice ? unit.subarray(0, HEADER_BYTES) : unit);
    if (role.kind === 'slice') this.#onSlice(role.slice, done);
    else if (role.kind === 'lead') this.#onLead(role, done);
    this.#learn(unit);
  }

  #onLead(role: UnitRole & { kind: 'lead' }, done: AccessUnit[]): void {
    if (this.#slice === undefined) return;
    if (role.sure) done.push(this.#take(this.#lead < 0 ? this.#unitFrom : this.#lead));
    else if (this.#lead < 0) this.#lead = this.#unitFrom;
  }

  #onSlice(slice: Slice, done: AccessUnit[]): void {
    if (slice.begins && this.#slice !== undefined) {
      done.push(this.#take(this.#lead < 0 ? this.#unitFrom : this.#lead));
    }
    this.#lead = -1;
    this.#slice ??= slice;
    this.#key &&= slice.key;
    for (const name of ['vps', 'sps', 'pps'] as const) this.#sets[name] ??= this.#nextSets[name];
    this.#nextSets = noSets();
  }

  /** The first set of a name in a frame counts. */
  #learn(unit: Uint8Array): void {
    const name = this.#reader.setName(unit);
    if (name !== undefined) this.#nextSets[name] ??= unit.slice();
  }

  /** The frame that ends before `end`; the next one begins there. */
  #take(end: number): AccessUnit {
    const { sequence, order } = this.#slice ?? { sequence: 0, order: 0 };
    const unit = {
      bytes: this.#bytes.slice(Math.max(0, this.#frame), end),
      key: this.#key,
      sequence,
      order,
      ...presentSets(this.#sets),
    };
    this.#frame = end;
    this.#lead = -1;
    this.#slice = undefined;
    this.#key = true;
    this.#sets = noSets();
    return unit;
  }

  /** Forgets what was given, once that is the larger part, so that no byte is moved often. */
  #compact(): void {
    const used = this.#frame < 0 ? Math.max(0, this.#length - 3) : this.#frame;
    if (used < this.#length / 2) return;
    this.#bytes.copyWithin(0, used, this.#length);
    this.#length -= used;
    this.#scan = Math.max(0, this.#scan - used);
    this.#unitFrom -= used;
    if (this.#frame >= 0) this.#frame -= used;
    if (this.#unit >= 0) this.#unit -= used;
    if (this.#lead >= 0) this.#lead -= used;
  }
}
