import { BitReader } from './bits.js';

/** What cutting and ordering need of a sequence parameter set (Rec. ITU-T H.264, 7.3.2.1.1). */
export interface H264Sps {
  readonly id: number;
  /** Slices may come in any order, so that macroblock 0 says nothing. */
  readonly anyOrder: boolean;
  readonly separatePlanes: boolean;
  readonly frameNumBits: number;
  readonly orderType: number;
  readonly orderLsbBits: number;
  readonly deltaAlwaysZero: boolean;
  readonly offsetNonRef: number;
  readonly offsetTopToBottom: number;
  readonly cycle: readonly number[];
  readonly framesOnly: boolean;
  readonly chromaArray: number;
  readonly frameRate: number | undefined;
}

/** What they need of a picture parameter set (7.3.2.2). */
export interface H264Pps {
  readonly id: number;
  readonly spsId: number;
  readonly bottomOrder: boolean;
  readonly refs: readonly [number, number];
  readonly weighted: boolean;
  readonly biWeighted: number;
  readonly redundant: boolean;
}

const WITH_CHROMA: readonly number[] = [
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
];
const BASELINE = 66;
const EXTENDED = 88;
const MOST_CYCLE = 255;

/** Reads an SPS (with its header byte); `undefined` when it is cut off or impossible. */
export function readH264Sps(unit: Uint8Array): H264Sps | undefined {
  const bits = new BitReader(unit, 1);
  const profile = bits.bits(8);
  const constrained = (bits.bits(8) & 0x40) !== 0;
  bits.skip(8);
  const id = bits.ue();
  const chroma = WITH_CHROMA.includes(profile) ? chromaFormat(bits) : { idc: 1, separate: false };
  const frameNumBits = bits.ue() + 4;
  const order = orderFields(bits);
  bits.ue(); // max_num_ref_frames
  bits.skip(1);
  bits.ue(); // width and height
  bits.ue();
  const framesOnly = bits.flag();
  if (bits.overrun || id > 31 || frameNumBits > 16 || order.orderLsbBits > 16) return undefined;
  if (!framesOnly) bits.skip(1);
  bits.skip(1);
  if (bits.flag()) for (let i = 0; i < 4; i += 1) bits.ue();
  return {
    id,
    anyOrder: (profile === BASELINE || profile === EXTENDED) && !constrained,
    separatePlanes: chroma.separate,
    chromaArray: chroma.separate ? 0 : chroma.idc,
    frameNumBits,
    ...order,
    framesOnly,
    frameRate: bits.flag() ? vuiFrameRate(bits) : undefined,
  };
}

function chromaFormat(bits: BitReader): { idc: number; separate: boolean } {
  const idc = bits.ue();
  const separate = idc === 3 && bits.flag();
  bits.ue(); // bit depths
  bits.ue();
  bits.skip(1);
  if (bits.flag()) skipScalingLists(bits, idc === 3 ? 12 : 8);
  return { idc, separate };
}

function skipScalingLists(bits: BitReader, count: number): void {
  for (let list = 0; list < count; list += 1) {
    if (!bits.flag()) continue;
    let next = 8;
    for (let i = 0; i < (list < 6 ? 16 : 64) && next !== 0; i += 1) {
      next = (next + bits.se() + 256) % 256;
    }
  }
}

type OrderFields = Pick<
  H264Sps,
  'orderType' | 'orderLsbBits' | 'deltaAlwaysZero' | 'offsetNonRef' | 'offsetTopToBottom' | 'cycle'
>;

function orderFields(bits: BitReader): OrderFields {
  const orderType = bits.ue();
  const orderLsbBits = orderType === 0 ? bits.ue() + 4 : 0;
  const counted = orderType === 1;
  const deltaAlwaysZero = counted && bits.flag();
  const offsetNonRef = counted ? bits.se() : 0;
  const offsetTopToBottom = counted ? bits.se() : 0;
  const cycles = counted ? Math.min(bits.ue(), MOST_CYCLE) : 0;
  const cycle = Array.from({ length: cycles }, () => bits.se());
  return { orderType, orderLsbBits, deltaAlwaysZero, offsetNonRef, offsetTopToBottom, cycle };
}

const EXTENDED_SAR = 255;

/** Two fields make a frame: a tick is a field's time. */
function vuiFrameRate(bits: BitReader): number | undefined {
  if (bits.flag() && bits.bits(8) === EXTENDED_SAR) bits.skip(32);
  if (bits.flag()) bits.skip(1);
  if (bits.flag()) {
    bits.skip(4);
    if (bits.flag()) bits.skip(24);
  }
  if (bits.flag()) {
    bits.ue();
    bits.ue();
  }
  if (!bits.flag()) return undefined;
  const tick = bits.bits(32);
  const scale = bits.bits(32);
  const rate = scale / (2 * tick);
  return !bits.overrun && rate > 0 && rate <= 1000 ? rate : undefined;
}

/** Reads a PPS (with its header byte); `undefined` when it is cut off or impossible. */
export function readH264Pps(unit: Uint8Array): H264Pps | undefined {
  const bits = new BitReader(unit, 1);
  const id = bits.ue();
  const spsId = bits.ue();
  bits.skip(1);
  const bottomOrder = bits.flag();
  const groups = bits.ue();
  if (groups > 7) return undefined;
  if (groups > 0) skipSliceGroups(bits, groups);
  const refs = [bits.ue() + 1, bits.ue() + 1] as const;
  const weighted = bits.flag();
  const biWeighted = bits.bits(2);
  bits.se(); // initial QP, QS and chroma offset
  bits.se();
  bits.se();
  bits.skip(2);
  const redundant = bits.flag();
  if (bits.overrun || id > 255 || spsId > 31) return undefined;
  return { id, spsId, bottomOrder, refs, weighted, biWeighted, redundant };
}

function skipSliceGroups(bits: BitReader, groups: number): void {
  const type = bits.ue();
  if (type === 0) for (let i = 0; i <= groups; i += 1) bits.ue();
  if (type === 2) for (let i = 0; i < 2 * groups; i += 1) bits.ue();
  if (type >= 3 && type <= 5) {
    bits.skip(1);
    bits.ue();
  }
  if (type === 6) {
    const units = bits.ue() + 1;
    const width = Math.ceil(Math.log2(groups + 1));
    for (let i = 0; i < units && !bits.overrun; i += 1) bits.skip(width);
  }
}
