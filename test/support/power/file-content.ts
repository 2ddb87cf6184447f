import type { Random } from './random.js';

/** A call that changed the bytes of a file. */
export type Change =
  | {
      readonly kind: 'write';
      readonly at: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'truncate'; readonly at: number; readonly size: number };

/** How many of the writes that no flush covers a sector has seen, the first of them being 0. */
export type Arrived = (sector: number) => number;

/** A disk that takes sectors of so many bytes, each wholly or not at all. */
export interface Sectors {
  readonly bytes: number;
  readonly arrived: Arrived;
}

export const ALL: Sectors = { bytes: 4096, arrived: () => Infinity };

/**
 * Chances of the power failing: nothing has arrived, all has, what was written up to some moment,
 * or of each sector what it was at a moment of its own.
 */
export function someSectors(pending: number, random: Random): Sectors {
  const bytes = random.chance(0.5) ? 512 : 4096;
  const known = new Map<number, number>();
  const each = (choose: () => number): Sectors => ({
    bytes,
    arrived: (sector) => {
      const count = known.get(sector) ?? choose();
      known.set(sector, count);
      return count;
    },
  });
  const moment = random.below(pending + 1);
  switch (random.below(5)) {
    case 0:
      return each(() => 0);
    case 1:
      return each(() => Infinity);
    case 2:
      return each(() => moment);
    case 3:
      return each(() => moment + random.below(2));
    default:
      return each(() => (random.chance(0.4) ? 0 : random.below(pending + 2)));
  }
}

/**
 * What a file holds: everything up to `flushed`, and of later writes what arrived in their sectors.
 * What was never written reads as zeros.
 */
export function contentOf(
  changes: readonly Change[],
  flushed: number,
  { bytes, arrived }: Sectors,
): Uint8Array {
  const file = new GrowingFile();
  let later = 0;
  for (const change of changes) {
    if (change.kind === 'truncate') file.truncate(change.size);
    else if (change.at < flushed) file.write(change.offset, change.bytes);
    else {
      for (const part of partsOf(change.offset, change.bytes, bytes)) {
        if (later < arrived(part.sector)) file.write(part.offset, part.bytes);
      }
      later += 1;
    }
  }
  return file.bytes();
}

interface Part {
  readonly sector: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A write, cut where sectors of the disk meet. */
function partsOf(offset: number, bytes: Uint8Array, size: number): Part[] {
  const parts: Part[] = [];
  for (let at = offset; at < offset + bytes.length;) {
    const sector = Math.floor(at / size);
    const end = Math.min((sector + 1) * size, offset + bytes.length);
    parts.push({ sector, offset: at, bytes: bytes.subarray(at - offset, end - offset) });
    at = end;
  }
  return parts;
}

class GrowingFile {
  #bytes = Buffer.alloc(4096);
  #size = 0;

  write(offset: number, bytes: Uint8Array): void {
    this.#reach(offset + bytes.length);
    this.#bytes.set(bytes, offset);
  }

  truncate(size: number): void {
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    else this.#reach(size);
    this.#size = size;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  #reach(end: number): void {
    if (end > this.#bytes.length) {
      const longer = Buffer.alloc(Math.max(end, 2 * this.#bytes.length));
      longer.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = longer;
    }
    this.#size = Math.max(this.#size, end);
  }
}
