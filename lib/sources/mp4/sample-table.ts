import { Fields, findBox, viewOf } from './box.js';

/** One sample: where it lies and when it plays, in units of its track's time scale. */
export interface Sample {
  readonly offset: number;
  readonly size: number;
  readonly dts: number;
  readonly cts: number;
  readonly duration: number;
  readonly key: boolean;
  /** Which sample description it needs, from 1. */
  readonly entry: number;
}

/** A table of rows of 32-bit numbers behind a full box header and a count, read in its place. */
class Rows {
  readonly count: number;
  readonly #view: DataView;
  readonly #width: number;
  readonly #from: number;

  constructor(body: Uint8Array | undefined, width: number, from = 8) {
    const bytes = body ?? new Uint8Array(0);
    this.#view = viewOf(bytes);
    this.#width = width;
    this.#from = from;
    const room = Math.max(0, Math.floor((bytes.length - from) / (4 * width)));
    this.count = bytes.length < from ? 0 : Math.min(this.#view.getUint32(from - 4), room);
  }

  u32(row: number, column: number): number {
    return this.#view.getUint32(this.#from + 4 * (row * this.#width + column));
  }

  i32(row: number, column: number): number {
    return this.#view.getInt32(this.#from + 4 * (row * this.#width + column));
  }
}

/** Walks a table of runs: each row stands for `count` samples. */
class Run {
  readonly #rows: Rows;
  #row = -1;
  #left = 0;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  /** The row of the next sample; the last one goes on for ever; -1 where there is none. */
  next(): number {
    while (this.#left === 0) {
      if (this.#row + 1 >= this.#rows.count) return this.#rows.count - 1;
      this.#row += 1;
      this.#left = this.#rows.u32(this.#row, 0);
    }
    this.#left -= 1;
    return this.#row;
  }
}

/**
 * The sample tables of a track (ISO/IEC 14496-12, 8.6 and 8.7), read in their place: nothing is kept
 * for a sample, so that a film of a day costs no more than the bytes of its tables.
 */
export class SampleTable {
  readonly #stbl: Uint8Array;
  readonly #sizes: Sizes;

  constructor(stbl: Uint8Array) {
    this.#stbl = stbl;
    this.#sizes = sizesOf(stbl);
  }

  get count(): number {
    return this.#sizes.count;
  }

  /** The samples in decoding order. Ends early where the tables do not go together. */
  *samples(): Generator<Sample, void, undefined> {
    const durations = new Rows(findBox(this.#stbl, 'stts'), 2);
    const shifts = new Rows(findBox(this.#stbl, 'ctts'), 2);
    const durationRun = new Run(durations);
    const shiftRun = new Run(shifts);
    const places = this.#places();
    const isKey = keysOf(findBox(this.#stbl, 'stss'));
    let dts = 0;
    for (let number = 0; number < this.#sizes.count; number += 1) {
      const size = this.#sizes.at(number);
      const place = places(size);
      if (place === undefined) return;
      const row = durationRun.next();
      const duration = row < 0 ? 0 : durations.u32(row, 1);
      const shift = shiftRun.next();
      // Version 0 is meant to be unsigned; QuickTime writes negative numbers all the same.
      const cts = dts + (shift < 0 ? 0 : shifts.i32(shift, 1));
      yield { ...place, size, dts, cts, duration, key: isKey(number + 1) };
      dts += duration;
    }
  }

  /** Gives the place of each sample in turn: chunk by chunk. */
  #places(): (size: number) => { offset: number; entry: number } | undefined {
    const groups = new Rows(findBox(this.#stbl, 'stsc'), 3);
    const chunks = chunkOffsets(this.#stbl);
    let chunk = 0;
    let group = 0;
    let left = 0;
    let offset = 0;
    return (size) => {
      while (left === 0) {
        if (chunk >= chunks.count || groups.count === 0) return undefined;
        chunk += 1;
        while (group + 1 < groups.count && groups.u32(group + 1, 0) <= chunk) group += 1;
        left = groups.u32(group, 1);
        offset = chunks.at(chunk - 1);
      }
      const place = { offset, entry: groups.u32(group, 2) };
      left -= 1;
      offset += size;
      return place;
    };
  }
}

interface Sizes {
  readonly count: number;
  at(number: number): number;
}

function sizesOf(stbl: Uint8Array): Sizes {
  const body = findBox(stbl, 'stsz');
  if (body !== undefined) {
    const fields = new Fields(body, 4);
    const size = fields.u32();
    if (size !== 0) return { count: fields.u32(), at: () => size };
    const rows = new Rows(body, 1, 12);
    return { count: rows.count, at: (number) => rows.u32(number, 0) };
  }
  return compactSizes(findBox(stbl, 'stz2') ?? new Uint8Array(12));
}

/** Sizes of 4, 8 or 16 bits (stz2). */
function compactSizes(body: Uint8Array): Sizes {
  const fields = new Fields(body, 7);
  const width = fields.u8();
  const room = width === 0 ? 0 : Math.floor(((body.length - 12) * 8) / width);
  const count = Math.min(fields.u32(), Math.max(0, room));
  const at = (number: number): number => {
    if (width === 16) return ((body[12 + 2 * number] ?? 0) << 8) | (body[13 + 2 * number] ?? 0);
    if (width === 8) return body[12 + number] ?? 0;
    const pair = body[12 + (number >> 1)] ?? 0;
    return number % 2 === 0 ? pair >> 4 : pair & 15;
  };
  return { count, at };
}

function chunkOffsets(stbl: Uint8Array): Sizes {
  const long = findBox(stbl, 'co64');
  if (long === undefined) {
    const rows = new Rows(findBox(stbl, 'stco'), 1);
    return { count: rows.count, at: (number) => rows.u32(number, 0) };
  }
  const rows = new Rows(long, 2);
  return {
    count: rows.count,
    at: (number) => rows.u32(number, 0) * 2 ** 32 + rows.u32(number, 1),
  };
}

/** Without a table of sync samples every sample is one. */
function keysOf(stss: Uint8Array | undefined): (number: number) => boolean {
  if (stss === undefined) return () => true;
  const rows = new Rows(stss, 1);
  let row = 0;
  return (number) => {
    while (row < rows.count && rows.u32(row, 0) < number) row += 1;
    return row < rows.count && rows.u32(row, 0) === number;
  };
}
