import { BitReader } from './bits.js';
import type { ParameterSets, UnitReader, UnitRole } from './codec.js';
import { type H265Pps, type H265Sps, readH265Pps, readH265Rate, readH265Sps } from './h265-sets.js';

/** NAL unit types of H.265 (Rec. ITU-T H.265, table 7-1) that cutting looks at. */
const NAL = {
  RADL_N: 6,
  RASL_R: 9,
  LAST_DISPOSABLE: 14,
  BLA: 16,
  IDR: 19,
  IDR_N_LP: 20,
  CRA: 21,
  LAST_IRAP: 23,
  LAST_VCL: 31,
  VPS: 32,
  SPS: 33,
  PPS: 34,
  AUD: 35,
  END_OF_SEQUENCE: 36,
  PREFIX_SEI: 39,
} as const;

const REST: Readonly<UnitRole> = { kind: 'rest' };
const LEAD: Readonly<UnitRole> = { kind: 'lead', sure: true };

/** Reads H.265 units of the base layer; those of other layers go with the picture before them. */
export class H265Reader implements UnitReader {
  readonly #sps: Map<number, H265Sps> = new Map();
  readonly #pps: Map<number, H265Pps> = new Map();
  #rate: number | undefined;
  #place = { sequence: -1, order: 0 };
  #prevMsb = 0;
  #prevLsb = 0;
  #fresh = true;
  #key = false;

  get frameRate(): number | undefined {
    return this.#rate;
  }

  setName(unit: Uint8Array): keyof ParameterSets | undefined {
    if (layerOf(unit) !== 0) return undefined;
    const type = typeOf(unit);
    if (type === NAL.VPS) return 'vps';
    if (type === NAL.SPS) return 'sps';
    return type === NAL.PPS ? 'pps' : undefined;
  }

  isSlice(unit: Uint8Array): boolean {
    return layerOf(unit) === 0 && typeOf(unit) <= NAL.LAST_VCL;
  }

  read(unit: Uint8Array): UnitRole {
    if (layerOf(unit) !== 0) return REST;
    const type = typeOf(unit);
    if (type <= NAL.LAST_VCL) return this.#slice(unit, type);
    if (type === NAL.END_OF_SEQUENCE) this.#fresh = true;
    if (type === NAL.VPS) this.#rate = readH265Rate(unit) ?? this.#rate;
    if (type === NAL.SPS) {
      const sps = readH265Sps(unit);
      if (sps !== undefined) this.#sps.set(sps.id, sps);
    }
    if (type === NAL.PPS) {
      const pps = readH265Pps(unit);
      if (pps !== undefined) this.#pps.set(pps.id, pps);
    }
    const leads =
      (type >= NAL.VPS && type <= NAL.AUD) ||
      type === NAL.PREFIX_SEI ||
      (type >= 41 && type <= 44) ||
      (type >= 48 && type <= 55);
    return leads ? LEAD : REST;
  }

  #slice(unit: Uint8Array, type: number): UnitRole {
    const bits = new BitReader(unit, 2);
    const begins = bits.flag();
    if (begins) {
      this.#key = type >= NAL.BLA && type <= NAL.LAST_IRAP;
      this.#place = this.#next(unit, type, bits);
    }
    return { kind: 'slice', slice: { begins, key: this.#key, ...this.#place } };
  }

  /** 8.3.1: the picture order count. */
  #next(unit: Uint8Array, type: number, bits: BitReader): { sequence: number; order: number } {
    const anew = this.#key && (type < NAL.CRA || this.#fresh);
    const sequence = this.#place.sequence + (anew || this.#place.sequence < 0 ? 1 : 0);
    this.#fresh = false;
    const lsb = this.#lsb(type, bits);
    if (lsb === undefined) return { sequence, order: this.#place.order + 1 };
    const { most, value } = lsb;
    let msb = anew ? 0 : this.#prevMsb;
    if (!anew) {
      if (value < this.#prevLsb && this.#prevLsb - value >= most / 2) msb += most;
      else if (value > this.#prevLsb && value - this.#prevLsb > most / 2) msb -= most;
    }
    const disposable = type <= NAL.LAST_DISPOSABLE && type % 2 === 0;
    const leading = type >= NAL.RADL_N && type <= NAL.RASL_R;
    if (temporalId(unit) === 0 && !disposable && !leading) {
      this.#prevMsb = msb;
      this.#prevLsb = value;
    }
    return { sequence, order: msb + value };
  }

  #lsb(type: number, bits: BitReader): { most: number; value: number } | undefined {
    if (this.#key) bits.skip(1);
    const pps = this.#pps.get(bits.ue());
    const sps = pps && this.#sps.get(pps.spsId);
    if (pps === undefined || sps === undefined) return undefined;
    bits.skip(pps.extraBits);
    bits.ue(); // slice type
    if (pps.outputFlag) bits.skip(1);
    if (sps.separatePlanes) bits.skip(2);
    const idr = type === NAL.IDR || type === NAL.IDR_N_LP;
    return { most: 2 ** sps.orderLsbBits, value: idr ? 0 : bits.bits(sps.orderLsbBits) };
  }
}

const typeOf = (unit: Uint8Array): number => ((unit[0] ?? 0) >> 1) & 63;
const layerOf = (unit: Uint8Array): number => (((unit[0] ?? 0) & 1) << 5) | ((unit[1] ?? 0) >> 3);
const temporalId = (unit: Uint8Array): number => ((unit[1] ?? 0) & 7) - 1;
