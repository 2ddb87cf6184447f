/** Video codecs whose byte streams are cut here. */
export type VideoCodec = 'h264' | 'h265';

/** What one NAL unit means for the cutting of its stream. */
export type UnitRole =
  /** Of the picture that came before it, whatever that is. */
  | { readonly kind: 'rest' }
  /**
   * Stands before the first slice of a picture. `sure`: it ends the picture before; otherwise the
   * next slice decides.
   */
  | { readonly kind: 'lead'; readonly sure: boolean }
  | { readonly kind: 'slice'; readonly slice: Slice };

/** What a slice says of its picture. */
export interface Slice {
  /** It begins a frame: it is of another one than the slice before. */
  readonly begins: boolean;
  /** Decoding can begin with this picture, as far as this slice goes. */
  readonly key: boolean;
  /** Counts pictures after which the order begins anew. */
  readonly sequence: number;
  /** Order in which the pictures of a sequence are shown. */
  readonly order: number;
}

/** Parameter sets by what they are called, each as its NAL unit without start code. */
export interface ParameterSets {
  readonly vps?: Uint8Array;
  readonly sps?: Uint8Array;
  readonly pps?: Uint8Array;
}

/** Parameter sets while they are collected. */
export type OpenSets = { -readonly [name in keyof ParameterSets]-?: Uint8Array | undefined };

/** No set yet. */
export function noSets(): OpenSets {
  return { vps: undefined, sps: undefined, pps: undefined };
}

/** Those that are there. */
export function presentSets({ vps, sps, pps }: OpenSets): ParameterSets {
  return { ...(vps && { vps }), ...(sps && { sps }), ...(pps && { pps }) };
}

/**
 * Follows one stream, unit by unit. Knows the parameter sets seen so far; what refers to one that
 * never came is judged by the little that can be read without it.
 */
export interface UnitReader {
  /** Whether the unit, of which the first two bytes are enough, is a slice. */
  isSlice(unit: Uint8Array): boolean;
  /** Reads a unit without its start code; of a slice its first bytes are enough. */
  read(unit: Uint8Array): UnitRole;
  /** Which set the unit is, if it is one. */
  setName(unit: Uint8Array): keyof ParameterSets | undefined;
  /** Frames a second as the newest parameter set states them; `undefined` where none does. */
  readonly frameRate: number | undefined;
}
