import { Fields } from './box.js';

const ES = 3;
const DECODER_CONFIG = 4;
const DECODER_SPECIFIC = 5;

/** What an `esds` box says of its decoder (ISO/IEC 14496-1, 7.2.6). */
export interface DecoderConfig {
  /** 0: none is stated. */
  readonly objectType: number;
  readonly config: Uint8Array | undefined;
}

/** Reads the body of an `esds` box; what is cut off is missing in the answer. */
export function decoderConfig(esds: Uint8Array): DecoderConfig {
  const elementary = descriptor(esds.subarray(4), ES);
  if (elementary === undefined) return { objectType: 0, config: undefined };
  const fields = new Fields(elementary, 2);
  const flags = fields.u8();
  if ((flags & 0x80) !== 0) fields.skip(2);
  if ((flags & 0x40) !== 0) fields.skip(fields.u8());
  if ((flags & 0x20) !== 0) fields.skip(2);
  const decoder = descriptor(elementary.subarray(fields.at), DECODER_CONFIG);
  return {
    objectType: decoder?.[0] ?? 0,
    config: decoder && descriptor(decoder.subarray(13), DECODER_SPECIFIC),
  };
}

/** The body of a descriptor with this tag at the head of `bytes`: tag, size in groups of 7 bits, body. */
function descriptor(bytes: Uint8Array, tag: number): Uint8Array | undefined {
  if (bytes[0] !== tag) return undefined;
  let size = 0;
  for (let i = 1; i <= 4; i += 1) {
    const byte = bytes[i] ?? 0;
    size = size * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) return bytes.subarray(i + 1, i + 1 + size);
  }
  return undefined;
}
