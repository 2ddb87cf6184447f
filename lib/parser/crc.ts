import { inputError } from './errors.js';

const POLYNOMIAL = 0xedb88320;
const ALL_ONES = 0xffffffff;
/** Bytes of a CRC-32 element's data. */
export const CRC_BYTES = 4;

const TABLE: Readonly<Uint32Array> = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) {
    value = (value & 1) === 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  }
  return value >>> 0;
});

interface OpenCheck {
  readonly name: string;
  readonly offset: number;
  /** Where the master ends, and with it the check. */
  readonly end: number;
  readonly expected: number;
  crc: number;
}

/** Checks the masters that begin with a CRC-32 element against it, while their bytes go by. */
export class CrcVerifier {
  readonly #open: OpenCheck[] = [];

  /** The bytes from here to `end` must have the CRC-32 in `data` (little-endian). */
  begin(name: string, offset: number, end: number, data: Uint8Array): void {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const expected = view.getUint32(0, true);
    this.#open.push({ name, offset, end, expected, crc: ALL_ONES });
  }

  /** Takes `bytes[from]` up to `bytes[to]`, which come next in the input. */
  update(bytes: Uint8Array, from: number, to: number): void {
    for (const check of this.#open) {
      let { crc } = check;
      for (let i = from; i < to; i += 1) {
        crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
      }
      check.crc = crc;
    }
  }

  /** A master ends at `offset`: throws when it had a CRC-32 and its bytes have another. */
  finish(offset: number): void {
    const check = this.#open.at(-1);
    if (check?.end !== offset) return;
    this.#open.pop();
    const found = (check.crc ^ ALL_ONES) >>> 0;
    if (found === check.expected) return;
    throw inputError(
      'STATUS_FORMAT_ERROR',
      check.offset,
      `${check.name} is damaged: its CRC-32 is 0x${check.expected.toString(16)}, ` +
        `that of its bytes 0x${found.toString(16)}`,
    );
  }
}
