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

/** The table in about eight bytes a frame; empty where it would be too long. @internal */
export function encodeFrameTable({ scale, rows }: FrameTable): Uint8Array {
  const bytes: number[] = [VERSION];
  pushUint(bytes, scale);
  pushUint(bytes, rows.length);
  let end = 0;
  let time = 0;
  for (const row of rows) {
    const { key, laced, duration } = row;
    bytes.push(
      (key ? FLAG.key : 0) |
        (duration === undefined ? 0 : FLAG.duration) |
        (laced ? FLAG.laced : 0),
    );
    pushUint(bytes, row.track);
    pushUint(bytes, row.offset - end);
    pushUint(bytes, row.size);
    pushUint(bytes, zigzag(row.time - time));
    if (duration !== undefined) pushUint(bytes, duration);
    end = row.offset + row.size;
    time = row.time;
    if (bytes.length > MOST_TABLE_BYTES) return new Uint8Array();
  }
  return Uint8Array.from(bytes);
}

/** Undefined where these bytes are no table of this version. @internal */
export function decodeFrameTable(bytes: Uint8Array): FrameTable | undefined {
  const input = { bytes, at: 1 };
  if (bytes[0] !== VERSION) return undefined;
  const scale = readUint(input);
  const count = readUint(input);
  const rows: FrameRow[] = [];
  let end = 0;
  let time = 0;
  for (let index = 0; index < count; index += 1) {
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

/** Seven bits a byte, the lowest first. */
function pushUint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
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
