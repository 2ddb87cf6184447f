/* The frames of a fragment, so that nobody has to parse its Cluster twice; SPEC.md, "Frame tables". */

/** One block of a Cluster. Times are ticks relative to the Cluster, sizes bytes. @internal */
export interface FrameRow {
  readonly track: number;
  /** Where its payload begins in the Cluster. */
  readonly offset: number;
  readonly size: number;
  readonly time: number;
  readonly key: boolean;
  /** Its payload is several frames. */
  readonly laced: boolean;
  /** Ticks, where the block says it. */
  readonly duration?: number;
}

/** The frames of one fragment. @internal */
export interface FrameTable {
  /** Nanoseconds of a tick. */
  readonly scale: number;
  readonly rows: readonly FrameRow[];
}

/** A longer table is left out: its reader parses the Cluster. @internal */
export const MOST_TABLE_BYTES: number = 1024 * 1024;

const FLAG = { key: 1, duration: 2, laced: 4 } as const;
const VERSION = 1;
const PART = 4096;

/** Makes the table of one fragment, in about eight bytes a frame. @internal */
export class FrameTableWriter {
  #bytes = new Uint8Array(PART);
  #length = 0;
  #end = 0;
  #time = 0;

  /** `scale`: nanoseconds of a tick. */
  constructor(scale: number) {
    this.#byte(VERSION);
    this.#uint(scale);
  }

  /** Adds a block, in the order of the Cluster. */
  add({ track, offset, size, time, key, laced, duration }: FrameRow): void {
    if (this.#length > MOST_TABLE_BYTES) return;
    this.#byte(
      (key ? FLAG.key : 0) |
        (duration === undefined ? 0 : FLAG.duration) |
        (laced ? FLAG.laced : 0),
    );
    this.#uint(track);
    this.#uint(offset - this.#end);
    this.#uint(size);
    this.#uint(zigzag(time - this.#time));
    if (duration !== undefined) this.#uint(duration);
    this.#end = offset + size;
    this.#time = time;
  }

  /** Its bytes so far. */
  get length(): number {
    return this.#length > MOST_TABLE_BYTES ? 0 : this.#length;
  }

  /** The table; empty where it would be too long. */
  end(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  /** Seven bits a byte, the lowest first. */
  #uint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.#byte(rest);
  }

  #byte(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const more = new Uint8Array(this.#bytes.length * 2);
      more.set(this.#bytes);
      this.#bytes = more;
    }
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }
}

/** Undefined where these bytes are no table of this version. @internal */
export function decodeFrameTable(bytes: Uint8Array): FrameTable | undefined {
  if (bytes[0] !== VERSION) return undefined;
  const input = { bytes, at: 1 };
  const scale = readUint(input);
  const rows: FrameRow[] = [];
  let end = 0;
  let time = 0;
  while (input.at < bytes.length) {
    const flags = bytes[input.at] ?? 0;
    input.at += 1;
    const track = readUint(input);
    const offset = end + readUint(input);
    const size = readUint(input);
    time += unzigzag(readUint(input));
    const duration = (flags & FLAG.duration) === 0 ? undefined : readUint(input);
    if (input.at > bytes.length) return undefined;
    rows.push({
      ...{ track, offset, size, time },
      key: (flags & FLAG.key) !== 0,
      laced: (flags & FLAG.laced) !== 0,
      ...(duration !== undefined && { duration }),
    });
    end = offset + size;
  }
  return { scale, rows };
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}

function readUint(input: { readonly bytes: Uint8Array; at: number }): number {
  let value = 0;
  let factor = 1;
  for (;;) {
    const byte = input.bytes[input.at] ?? 0;
    input.at += 1;
    value += (byte % 128) * factor;
    if (byte < 128) return value;
    factor *= 128;
  }
}
