import { BitReader } from './bits.js';
import type { H264Pps, H264Sps } from './h264-sets.js';

/** The header of a slice (Rec. ITU-T H.264, 7.3.3), as far as its picture goes. */
export interface H264Slice {
  readonly refIdc: number;
  readonly idr: boolean;
  readonly firstMb: number;
  /** I or SI: refers to no other picture. */
  readonly intra: boolean;
  readonly ppsId: number;
  readonly frameNum: number;
  readonly field: boolean;
  readonly bottom: boolean;
  readonly idrId: number;
  readonly lsb: number;
  readonly deltas: readonly [number, number];
  readonly redundant: number;
  /** Memory management control operation 5: the order of pictures begins anew behind this one. */
  readonly resets: boolean;
}

const IDR = 5;
const RESET = 5;

/** Reads the header of a slice unit; the sets are those that its picture names. */
export function readH264Slice(
  unit: Uint8Array,
  setsOf: (ppsId: number) => { readonly sps: H264Sps; readonly pps: H264Pps } | undefined,
): H264Slice | undefined {
  const header = unit[0] ?? 0;
  const idr = (header & 31) === IDR;
  const bits = new BitReader(unit, 1);
  const firstMb = bits.ue();
  const type = bits.ue() % 5;
  const ppsId = bits.ue();
  const sets = setsOf(ppsId);
  if (sets === undefined) return undefined;
  const { sps, pps } = sets;
  if (sps.separatePlanes) bits.skip(2);
  const frameNum = bits.bits(sps.frameNumBits);
  const field = !sps.framesOnly && bits.flag();
  const bottom = field && bits.flag();
  const idrId = idr ? bits.ue() : 0;
  const { lsb, deltas } = orderOf(bits, sps, pps, field);
  const redundant = pps.redundant ? bits.ue() : 0;
  const refIdc = (header >> 5) & 3;
  const base = { refIdc, idr, firstMb, intra: type === 2 || type === 4, ppsId, frameNum };
  const resets = refIdc !== 0 && !idr && redundant === 0 && readsReset(bits, sps, pps, type);
  return { ...base, field, bottom, idrId, lsb, deltas, redundant, resets };
}

function orderOf(
  bits: BitReader,
  sps: H264Sps,
  pps: H264Pps,
  field: boolean,
): Pick<H264Slice, 'lsb' | 'deltas'> {
  const both = pps.bottomOrder && !field;
  if (sps.orderType === 0) {
    const lsb = bits.bits(sps.orderLsbBits);
    return { lsb, deltas: [both ? bits.se() : 0, 0] };
  }
  if (sps.orderType !== 1 || sps.deltaAlwaysZero) return { lsb: 0, deltas: [0, 0] };
  const first = bits.se();
  return { lsb: 0, deltas: [first, both ? bits.se() : 0] };
}

/** Goes through the rest of the header to the reference picture marking (7.3.3.1 to 7.3.3.3). */
function readsReset(bits: BitReader, sps: H264Sps, pps: H264Pps, type: number): boolean {
  const p = type === 0 || type === 3;
  const b = type === 1;
  let [first, second] = pps.refs;
  if (b) bits.skip(1);
  if ((p || b) && bits.flag()) {
    first = bits.ue() + 1;
    if (b) second = bits.ue() + 1;
  }
  if (p || b) skipListChanges(bits);
  if (b) skipListChanges(bits);
  const weights = (pps.weighted && p) || (pps.biWeighted === 1 && b);
  if (weights) skipWeights(bits, sps, first, b ? second : 0);
  if (!bits.flag()) return false;
  for (let i = 0; i < 66 && !bits.overrun; i += 1) {
    const operation = bits.ue();
    if (operation === 0) return false;
    if (operation === RESET) return true;
    bits.ue();
    if (operation === 3) bits.ue();
  }
  return false;
}

function skipListChanges(bits: BitReader): void {
  if (!bits.flag()) return;
  for (let i = 0; i < 66 && !bits.overrun; i += 1) {
    if (bits.ue() === 3) return;
    bits.ue();
  }
}

function skipWeights(bits: BitReader, sps: H264Sps, first: number, second: number): void {
  bits.ue();
  if (sps.chromaArray !== 0) bits.ue();
  for (let i = 0; i < first + second && !bits.overrun; i += 1) {
    if (bits.flag()) skipNumbers(bits, 2);
    if (sps.chromaArray !== 0 && bits.flag()) skipNumbers(bits, 4);
  }
}

function skipNumbers(bits: BitReader, count: number): void {
  for (let i = 0; i < count; i += 1) bits.se();
}
