import { Fields } from './box.js';

const START_CODE: Readonly<Uint8Array> = Uint8Array.of(0, 0, 0, 1);

/** The parameter sets of an `avcC` or `hvcC`, each behind a start code; nothing where there are none. */
export function setsOf(config: Uint8Array, codecId: string): Uint8Array {
  const units = codecId === 'V_MPEGH/ISO/HEVC' ? hevcUnits(config) : avcUnits(config);
  return Buffer.concat(units.flatMap((unit) => [START_CODE, unit]));
}

function avcUnits(config: Uint8Array): readonly Uint8Array[] {
  const fields = new Fields(config, 5);
  return [fields.u8() & 31, -1].flatMap((count) =>
    unitsOf(config, fields, count < 0 ? fields.u8() : count),
  );
}

function hevcUnits(config: Uint8Array): readonly Uint8Array[] {
  const fields = new Fields(config, 22);
  const units: Uint8Array[] = [];
  for (let arrays = fields.u8(); arrays > 0 && !fields.short; arrays -= 1) {
    fields.skip(1);
    units.push(...unitsOf(config, fields, fields.u16()));
  }
  return units;
}

function unitsOf(config: Uint8Array, fields: Fields, count: number): readonly Uint8Array[] {
  const units: Uint8Array[] = [];
  for (let i = 0; i < count && !fields.short; i += 1) {
    const size = fields.u16();
    if (size > 0) units.push(config.subarray(fields.at, fields.at + size));
    fields.skip(size);
  }
  return units;
}

/** The NAL units of a sample with start codes in place of their lengths of `width` bytes. */
export function toAnnexB(sample: Uint8Array, width: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at + width <= sample.length;) {
    let size = 0;
    for (let i = 0; i < width; i += 1) size = size * 256 + (sample[at + i] ?? 0);
    at += width;
    if (size > 0) parts.push(START_CODE, sample.subarray(at, at + size));
    at += size;
  }
  return Buffer.concat(parts);
}

/** The parameter sets among the units of an Annex-B sample. */
export function setsAmong(units: readonly Uint8Array[], codecId: string): Uint8Array {
  const hevc = codecId === 'V_MPEGH/ISO/HEVC';
  const isSet = (unit: Uint8Array): boolean => {
    const head = unit[0] ?? 0;
    const type = hevc ? (head >> 1) & 63 : head & 31;
    return hevc ? type >= 32 && type <= 34 : type === 7 || type === 8;
  };
  return Buffer.concat(units.filter(isSet).flatMap((unit) => [START_CODE, unit]));
}
