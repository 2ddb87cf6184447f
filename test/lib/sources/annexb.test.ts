import { describe, expect, it } from 'vitest';
import { annexBToLengthPrefixed, nalUnits } from '../../../lib/sources/annexb.js';
import { type AccessUnit, AccessUnitSplitter } from '../../../lib/sources/video/access-units.js';

const AUD = [0, 0, 0, 1, 0x09, 0xf0];
const SPS = [0, 0, 0, 1, 0x67, 0x64, 0x00, 0x0a];
const PPS = [0, 0, 1, 0x68, 0xe9, 0x3b];
const IDR = [0, 0, 1, 0x65, 0x88, 0x84, 0x21];
/** A second slice of the same picture: first_mb_in_slice is not 0. */
const IDR_REST = [0, 0, 1, 0x65, 0x48, 0x84, 0x22];
const SLICE = [0, 0, 0, 1, 0x41, 0x9a, 0x02];
const SLICE_SHORT_CODE = [0, 0, 1, 0x01, 0x9e, 0x00, 0x03];

const UNITS: readonly (readonly number[])[] = [
  [...AUD, ...SPS, ...PPS, ...IDR, ...IDR_REST],
  [...AUD, ...SLICE],
  [...SLICE_SHORT_CODE],
  [...SPS, ...PPS, ...IDR, 0, 0],
];
const STREAM = Uint8Array.from(UNITS.flat());

function cut(parts: readonly Uint8Array[]): AccessUnit[] {
  const splitter = new AccessUnitSplitter();
  return [...parts.flatMap((part) => splitter.push(part)), ...splitter.end()];
}

describe('AccessUnitSplitter', () => {
  it('cuts at delimiters, parameter sets and first slices', () => {
    const units = cut([STREAM]);
    expect(units.map((unit) => [...unit.bytes])).toEqual(UNITS);
    expect(units.map((unit) => unit.key)).toEqual([true, false, false, true]);
    expect([...(units[0]?.sps ?? [])]).toEqual(SPS.slice(4));
    expect([...(units[0]?.pps ?? [])]).toEqual(PPS.slice(3));
    expect(units[1]?.sps).toBeUndefined();
  });

  it('gives the same for every two-way split and byte by byte', () => {
    const whole = cut([STREAM]);
    for (let at = 0; at <= STREAM.length; at += 1) {
      expect(cut([STREAM.subarray(0, at), STREAM.subarray(at)]), `split at ${at}`).toEqual(whole);
    }
    expect(cut([...STREAM].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  it('gives nothing for bytes without a picture', () => {
    expect(cut([Uint8Array.from([...SPS, ...PPS])])).toEqual([]);
    expect(cut([new Uint8Array(100)])).toEqual([]);
  });
});

describe('annexBToLengthPrefixed', () => {
  it('puts a length before every unit and leaves out trailing zeros and empty units', () => {
    const bytes = Uint8Array.from([...SPS, 0, 0, 0, 1, 0, 0, 1, ...IDR.slice(3), 0, 0, 0]);
    expect([...annexBToLengthPrefixed(bytes)]).toEqual([
      ...[0, 0, 0, 4, 0x67, 0x64, 0x00, 0x0a],
      ...[0, 0, 0, 4, 0x65, 0x88, 0x84, 0x21],
    ]);
  });

  it('finds no unit in bytes without a start code', () => {
    expect([...nalUnits(Uint8Array.of(0, 0, 2, 0, 0))]).toEqual([]);
  });
});
