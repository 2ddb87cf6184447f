/** One AAC frame of an ADTS stream (ISO/IEC 13818-7, 6.2): its header is 7 bytes, 9 with a checksum. */
export interface AdtsFrame {
  /** What follows the header, borrowed. */
  readonly data: Uint8Array;
  /** The AudioSpecificConfig that says the same as the header. */
  readonly config: Uint8Array;
  readonly samplingFrequency: number;
  readonly channels: number;
}

const RATES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
  7350,
];

/** Reads a frame with its header; `undefined` where these bytes are none. */
export function readAdts(bytes: Uint8Array): AdtsFrame | undefined {
  const [a, b, c, d] = [bytes[0] ?? 0, bytes[1] ?? 0, bytes[2] ?? 0, bytes[3] ?? 0];
  if (bytes.length < 7 || a !== 0xff || (b & 0xf6) !== 0xf0) return undefined;
  const objectType = (c >> 6) + 1;
  const rate = (c >> 2) & 15;
  const layout = ((c & 1) << 2) | (d >> 6);
  const samplingFrequency = RATES[rate];
  if (samplingFrequency === undefined) return undefined;
  const config = (objectType << 11) | (rate << 7) | (layout << 3);
  return {
    data: bytes.subarray((b & 1) === 1 ? 7 : 9),
    config: Uint8Array.of(config >> 8, config & 255),
    samplingFrequency,
    channels: layout === 7 ? 8 : layout,
  };
}
