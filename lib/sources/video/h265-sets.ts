import { BitReader } from './bits.js';

/** What cutting and ordering need of a sequence parameter set (Rec. ITU-T H.265, 7.3.2.2). */
export interface H265Sps {
  readonly id: number;
  readonly separatePlanes: boolean;
  readonly orderLsbBits: number;
}

/** What they need of a picture parameter set (7.3.2.3). */
export interface H265Pps {
  readonly id: number;
  readonly spsId: number;
  readonly outputFlag: boolean;
  readonly extraBits: number;
}

const HEADER = 2;

/** Reads an SPS (with its header); `undefined` when it is cut off or impossible. */
export function readH265Sps(unit: Uint8Array): H265Sps | undefined {
  const bits = new BitReader(unit, HEADER);
  bits.skip(4);
  const subLayers = bits.bits(3);
  bits.skip(1);
  skipProfile(bits, subLayers);
  const id = bits.ue();
  const separatePlanes = bits.ue() === 3 && bits.flag();
  bits.ue(); // width and height
  bits.ue();
  if (bits.flag()) for (let i = 0; i < 4; i += 1) bits.ue();
  bits.ue(); // bit depths
  bits.ue();
  const orderLsbBits = bits.ue() + 4;
  if (bits.overrun || id > 15 || orderLsbBits > 16) return undefined;
  return { id, separatePlanes, orderLsbBits };
}

/** profile_tier_level (7.3.3). */
function skipProfile(bits: BitReader, subLayers: number): void {
  bits.skip(96);
  const present = Array.from({ length: subLayers }, () => [bits.flag(), bits.flag()] as const);
  if (subLayers > 0) bits.skip(2 * (8 - subLayers));
  for (const [profile, level] of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
}

/** Reads a PPS (with its header); `undefined` when it is cut off or impossible. */
export function readH265Pps(unit: Uint8Array): H265Pps | undefined {
  const bits = new BitReader(unit, HEADER);
  const id = bits.ue();
  const spsId = bits.ue();
  bits.skip(1);
  const outputFlag = bits.flag();
  const extraBits = bits.bits(3);
  if (bits.overrun || id > 63 || spsId > 15) return undefined;
  return { id, spsId, outputFlag, extraBits };
}

/** Frames a second that a VPS states (7.3.2.1), if it does. */
export function readH265Rate(unit: Uint8Array): number | undefined {
  const bits = new BitReader(unit, HEADER);
  bits.skip(12);
  const subLayers = bits.bits(3);
  bits.skip(17);
  skipProfile(bits, subLayers);
  const each = bits.flag();
  for (let i = each ? 0 : subLayers; i <= subLayers; i += 1)
    for (let k = 0; k < 3; k += 1) bits.ue();
  const layers = bits.bits(6);
  const layerSets = bits.ue();
  for (let i = 0; i < layerSets && !bits.overrun; i += 1) bits.skip(layers + 1);
  if (!bits.flag()) return undefined;
  const tick = bits.bits(32);
  const rate = bits.bits(32) / tick;
  return !bits.overrun && rate > 0 && rate <= 1000 ? rate : undefined;
}
