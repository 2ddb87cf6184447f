/** Bounds of one NAL unit within a buffer; `start` is at its header byte, behind the start code. */
export interface NalUnit {
  /** Where its start code begins, with the zero byte before a short one. */
  readonly from: number;
  readonly start: number;
  readonly end: number;
  /** `nal_unit_type` of H.264. */
  readonly type: number;
}

/** H.264 NAL unit types (Rec. ITU-T H.264, table 7-1) that matter for cutting. */
export const H264_NAL: Readonly<Record<'SLICE' | 'IDR' | 'SEI' | 'SPS' | 'PPS' | 'AUD', number>> = {
  SLICE: 1,
  IDR: 5,
  SEI: 6,
  SPS: 7,
  PPS: 8,
  AUD: 9,
};

/** Position of the next 00 00 01 at or behind `from`, or `undefined`. */
export function findStartCode(bytes: Uint8Array, from: number): number | undefined {
  for (let at = bytes.indexOf(1, from + 2); at >= 0; at = bytes.indexOf(1, at + 1)) {
    if (bytes[at - 1] === 0 && bytes[at - 2] === 0) return at - 2;
  }
  return undefined;
}

/**
 * The NAL units of an Annex-B buffer. Zero bytes before a start code belong to it, not to the unit
 * before; bytes ahead of the first start code are passed over.
 */
export function* nalUnits(bytes: Uint8Array): Generator<NalUnit, void, undefined> {
  let code = findStartCode(bytes, 0);
  while (code !== undefined) {
    const start = code + 3;
    const next = findStartCode(bytes, start);
    let end = next ?? bytes.length;
    while (end > start && bytes[end - 1] === 0) end -= 1;
    const from = code > 0 && bytes[code - 1] === 0 ? code - 1 : code;
    if (end > start) yield { from, start, end, type: (bytes[start] ?? 0) & 0x1f };
    code = next;
  }
}

/** The same access unit with four-byte lengths in place of start codes, as a container keeps it. */
export function annexBToLengthPrefixed(bytes: Uint8Array): Uint8Array {
  const units = [...nalUnits(bytes)];
  const total = units.reduce((sum, unit) => sum + 4 + unit.end - unit.start, 0);
  const out = new Uint8Array(total);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const unit of units) {
    view.setUint32(at, unit.end - unit.start);
    out.set(bytes.subarray(unit.start, unit.end), at + 4);
    at += 4 + unit.end - unit.start;
  }
  return out;
}

/** One access unit: all NAL units of one coded picture, with their start codes. */
export interface AccessUnit {
  readonly bytes: Uint8Array;
  /** Holds an IDR picture. */
  readonly key: boolean;
  readonly sps?: Uint8Array;
  readonly pps?: Uint8Array;
}

/**
 * Cuts an H.264 byte stream into access units. Feed it any split with `push`, then `end` once.
 * A picture begins at the first delimiter, parameter set or SEI behind a slice, or at a slice whose
 * `first_mb_in_slice` is 0 (Rec. ITU-T H.264, 7.4.1.2.3; arbitrary slice order is not known to it).
 */
export class AccessUnitSplitter {
  #pending: Uint8Array = new Uint8Array(0);

  /** Bytes that wait for the end of their access unit. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  /** Takes the next bytes and gives the access units that they complete. Keeps no view of `chunk`. */
  push(chunk: Uint8Array): readonly AccessUnit[] {
    const joined = new Uint8Array(this.#pending.length + chunk.length);
    joined.set(this.#pending);
    joined.set(chunk, this.#pending.length);
    return this.#cut(joined, 'more follows');
  }

  /** Gives the last access unit. */
  end(): readonly AccessUnit[] {
    return this.#cut(this.#pending, 'last');
  }

  #cut(bytes: Uint8Array, position: 'more follows' | 'last'): readonly AccessUnit[] {
    const units = [...nalUnits(bytes)];
    // The last unit of an unfinished stream may grow, and so may not be judged yet.
    const whole = position === 'last' ? units : units.slice(0, -1);
    const done: AccessUnit[] = [];
    let begin = units[0]?.from ?? 0;
    let members: NalUnit[] = [];
    for (const unit of whole) {
      if (members.some(isSlice) && beginsPicture(bytes, unit)) {
        done.push(accessUnit(bytes, begin, unit.from, members));
        begin = unit.from;
        members = [];
      }
      members.push(unit);
    }
    if (position === 'last') {
      if (members.some(isSlice)) done.push(accessUnit(bytes, begin, bytes.length, members));
      this.#pending = new Uint8Array(0);
    } else {
      this.#pending = bytes.slice(begin);
    }
    return done;
  }
}

function accessUnit(
  bytes: Uint8Array,
  begin: number,
  end: number,
  members: readonly NalUnit[],
): AccessUnit {
  const find = (type: number): Uint8Array | undefined => {
    const unit = members.find((member) => member.type === type);
    return unit && bytes.slice(unit.start, unit.end);
  };
  const sps = find(H264_NAL.SPS);
  const pps = find(H264_NAL.PPS);
  return {
    bytes: bytes.slice(begin, end),
    key: members.some((member) => member.type === H264_NAL.IDR),
    ...(sps && { sps }),
    ...(pps && { pps }),
  };
}

function isSlice(unit: NalUnit): boolean {
  return unit.type >= H264_NAL.SLICE && unit.type <= H264_NAL.IDR;
}

function beginsPicture(bytes: Uint8Array, unit: NalUnit): boolean {
  // first_mb_in_slice is the first field of a slice header; as ue(v), 0 is a single 1 bit.
  // Data partitions B and C (3, 4) never begin a picture.
  if (unit.type === 3 || unit.type === 4) return false;
  if (isSlice(unit)) return ((bytes[unit.start + 1] ?? 0) & 0x80) !== 0;
  return (
    (unit.type >= H264_NAL.SEI && unit.type <= H264_NAL.AUD) || (unit.type >= 14 && unit.type <= 18)
  );
}
