import { findStartCode } from './video/start-codes.js';

/** Bounds of one NAL unit within a buffer; `start` is at its header byte, behind the start code. */
export interface NalUnit {
  /** Where its start code begins, with the zero byte before a short one. */
  readonly from: number;
  readonly start: number;
  readonly end: number;
  /** `nal_unit_type` of H.264. */
  readonly type: number;
}

/**
 * The NAL units of an Annex-B buffer. Zero bytes before a start code belong to it, not to the unit
 * before; bytes ahead of the first start code are passed over.
 */
export function* nalUnits(bytes: Uint8Array): Generator<NalUnit, void, undefined> {
  let code = findStartCode(bytes, 0, bytes.length);
  while (code !== undefined) {
    const start = code + 3;
    const next = findStartCode(bytes, start, bytes.length);
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
