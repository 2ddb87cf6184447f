import { BitReader } from './bits.js';
import type { ParameterSets, UnitReader, UnitRole } from './codec.js';
import { H264Order } from './h264-order.js';
import { type H264Pps, type H264Sps, readH264Pps, readH264Sps } from './h264-sets.js';
import { type H264Slice, readH264Slice } from './h264-slice.js';

/** NAL unit types of H.264 (Rec. ITU-T H.264, table 7-1) that cutting looks at. */
const NAL = {
  SLICE: 1,
  PARTITION_B: 3,
  PARTITION_C: 4,
  IDR: 5,
  SEI: 6,
  SPS: 7,
  PPS: 8,
  AUD: 9,
  PREFIX: 14,
  LAST_RESERVED: 18,
} as const;
const RECOVERY_POINT = 6;

const REST: Readonly<UnitRole> = { kind: 'rest' };

/** Reads H.264 units. Pictures of two fields are one frame. */
export class H264Reader implements UnitReader {
  readonly #sps: Map<number, H264Sps> = new Map();
  readonly #pps: Map<number, H264Pps> = new Map();
  readonly #order: H264Order = new H264Order();
  #rate: number | undefined;
  #last: H264Slice | undefined;
  /** The frame has one field so far. */
  #half = false;
  #recovers = false;
  #place: { readonly sequence: number; readonly order: number } = { sequence: 0, order: 0 };
  #unread = 0;

  get frameRate(): number | undefined {
    return this.#rate;
  }

  setName(unit: Uint8Array): keyof ParameterSets | undefined {
    const type = (unit[0] ?? 0) & 31;
    if (type === NAL.SPS) return 'sps';
    return type === NAL.PPS ? 'pps' : undefined;
  }

  isSlice(unit: Uint8Array): boolean {
    const type = (unit[0] ?? 0) & 31;
    return type >= NAL.SLICE && type <= NAL.IDR;
  }

  read(unit: Uint8Array): UnitRole {
    const type = (unit[0] ?? 0) & 31;
    if (type === NAL.PARTITION_B || type === NAL.PARTITION_C) return REST;
    if (type >= NAL.SLICE && type <= NAL.IDR) return this.#slice(unit);
    if (type === NAL.SPS) this.#learnSps(unit);
    if (type === NAL.PPS) this.#learnPps(unit);
    if (type === NAL.SEI && hasRecoveryPoint(unit)) this.#recovers = true;
    // A prefix stands before each slice of a picture, the others before the first alone; but a
    // second field may have a delimiter and messages of its own.
    if (type === NAL.PREFIX) return { kind: 'lead', sure: false };
    const leads = type >= NAL.SEI && type <= NAL.LAST_RESERVED && (type <= NAL.AUD || type > 14);
    return leads ? { kind: 'lead', sure: !this.#half } : REST;
  }

  #learnSps(unit: Uint8Array): void {
    const sps = readH264Sps(unit);
    if (sps === undefined) return;
    this.#sps.set(sps.id, sps);
    this.#rate = sps.frameRate ?? this.#rate;
  }

  #learnPps(unit: Uint8Array): void {
    const pps = readH264Pps(unit);
    if (pps !== undefined) this.#pps.set(pps.id, pps);
  }

  #setsOf(ppsId: number): { readonly sps: H264Sps; readonly pps: H264Pps } | undefined {
    const pps = this.#pps.get(ppsId);
    const sps = pps && this.#sps.get(pps.spsId);
    return pps && sps && { sps, pps };
  }

  #slice(unit: Uint8Array): UnitRole {
    const slice = readH264Slice(unit, (ppsId) => this.#setsOf(ppsId));
    if (slice === undefined) return this.#blind(unit);
    if (slice.redundant > 0) return REST;
    const last = this.#last;
    this.#last = slice;
    const sps = this.#setsOf(slice.ppsId)?.sps;
    const first = slice.firstMb === 0 && sps?.anyOrder === false;
    if (last !== undefined && !first && !isNewPicture(last, slice)) {
      return {
        kind: 'slice',
        slice: { begins: false, key: slice.idr || slice.intra, ...this.#place },
      };
    }
    const place = sps === undefined ? this.#place : this.#order.next(slice, sps);
    if (last !== undefined && this.#half && isOtherField(last, slice)) {
      // The second field of an I frame may be P: the first one decides.
      this.#half = false;
      return { kind: 'slice', slice: { begins: false, key: true, ...this.#place } };
    }
    this.#half = slice.field;
    this.#place = place;
    const key = slice.idr || (this.#recovers && slice.intra);
    this.#recovers = false;
    return { kind: 'slice', slice: { begins: true, key, ...place } };
  }

  /** Without parameter sets: macroblock 0 begins a picture, and they are shown as they come. */
  #blind(unit: Uint8Array): UnitRole {
    const begins = ((unit[1] ?? 0) & 0x80) !== 0;
    if (begins) this.#unread += 1;
    const key = ((unit[0] ?? 0) & 31) === NAL.IDR;
    return { kind: 'slice', slice: { begins, key, sequence: -1, order: this.#unread } };
  }
}

/** 7.4.1.2.4: whether the slice is of another primary coded picture than the one before. */
function isNewPicture(last: H264Slice, slice: H264Slice): boolean {
  return (
    last.frameNum !== slice.frameNum ||
    last.ppsId !== slice.ppsId ||
    last.field !== slice.field ||
    last.bottom !== slice.bottom ||
    (last.refIdc === 0) !== (slice.refIdc === 0) ||
    last.idr !== slice.idr ||
    last.idrId !== slice.idrId ||
    last.lsb !== slice.lsb ||
    last.deltas[0] !== slice.deltas[0] ||
    last.deltas[1] !== slice.deltas[1]
  );
}

/** Whether `slice` is of the second field of the frame whose first field `last` is of. */
function isOtherField(last: H264Slice, slice: H264Slice): boolean {
  const kept = last.refIdc !== 0 || slice.refIdc === 0;
  const sameFrame = slice.field && last.field && last.frameNum === slice.frameNum;
  return sameFrame && last.bottom !== slice.bottom && kept && !slice.idr;
}

/** A recovery point (D.1.8) from which the very first picture is right. */
function hasRecoveryPoint(unit: Uint8Array): boolean {
  const bits = new BitReader(unit, 1);
  while (!bits.overrun) {
    const type = longNumber(bits);
    const size = longNumber(bits);
    if (type === RECOVERY_POINT) return bits.ue() === 0 && !bits.overrun;
    if (size > unit.length) return false;
    bits.skip(8 * size);
  }
  return false;
}

/** A number in bytes: each 255 goes on (7.3.2.3.1). */
function longNumber(bits: BitReader): number {
  let sum = 0;
  for (let i = 0; i < 1024; i += 1) {
    const byte = bits.bits(8);
    sum += byte;
    if (byte !== 255 || bits.overrun) break;
  }
  return sum;
}
