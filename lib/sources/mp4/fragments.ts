import { boxesOf, Fields, findBox } from './box.js';
import type { Track } from './movie.js';
import type { Sample } from './sample-table.js';

const NOT_SYNC = 0x10000;

/** A movie fragment's samples of one track. */
export interface FragmentRun {
  readonly trackId: number;
  readonly samples: readonly Sample[];
}

/** What a fragment is read with. */
export interface FragmentContext {
  readonly tracks: ReadonlyMap<number, Track>;
  /** Where each track's next fragment begins when it does not say so itself, ticks. */
  readonly next: Map<number, number>;
  readonly fileSize: number;
}

/**
 * Reads the body of a `moof` box (ISO/IEC 14496-12, 8.8) that begins at byte `start` of the file.
 * What the context has of next times is moved on. Samples that lie behind the end of the file end
 * their run, so that no count in a few bytes can be believed for long.
 */
export function readFragment(
  moof: Uint8Array,
  start: number,
  { tracks, next, fileSize }: FragmentContext,
): readonly FragmentRun[] {
  // The first track counts from the fragment itself where nothing is said, each later one from the
  // end of the data before it (8.8.7).
  let end = start;
  return boxesOf(moof)
    .filter((box) => box.type === 'traf')
    .flatMap(({ body }) => {
      const head = headOf(body, tracks);
      if (head === undefined) return [];
      const base = head.base ?? (head.fromMoof ? start : end);
      const samples = runsOf(body, { ...head, base, fileSize }, next);
      const last = samples.at(-1);
      if (last !== undefined) end = last.offset + last.size;
      return [{ trackId: head.trackId, samples }];
    });
}

interface Head {
  readonly trackId: number;
  /** Byte that offsets count from, where it is stated. */
  readonly base: number | undefined;
  /** Offsets count from the `moof` box; otherwise from the end of the track before. */
  readonly fromMoof: boolean;
  readonly entry: number;
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

function headOf(traf: Uint8Array, tracks: ReadonlyMap<number, Track>): Head | undefined {
  const fields = new Fields(findBox(traf, 'tfhd') ?? new Uint8Array(0));
  const { flags } = fields.full();
  const trackId = fields.u32();
  const track = tracks.get(trackId);
  if (track === undefined) return undefined;
  const { defaults } = track;
  const has = (bit: number): boolean => (flags & bit) !== 0;
  const base = has(1) ? fields.u64() : undefined;
  const entry = has(2) ? fields.u32() : defaults.entry;
  const duration = has(8) ? fields.u32() : defaults.duration;
  const size = has(0x10) ? fields.u32() : defaults.size;
  const sampleFlags = has(0x20) ? fields.u32() : defaults.flags;
  return {
    trackId,
    base,
    fromMoof: has(0x20000),
    entry,
    duration,
    size,
    flags: sampleFlags,
  };
}

function runsOf(
  traf: Uint8Array,
  head: Head & { readonly base: number; readonly fileSize: number },
  next: Map<number, number>,
): readonly Sample[] {
  const samples: Sample[] = [];
  let dts = startOf(traf) ?? next.get(head.trackId) ?? 0;
  let offset = head.base;
  for (const { type, body } of boxesOf(traf)) {
    if (type !== 'trun') continue;
    const fields = new Fields(body);
    const { flags } = fields.full();
    const count = fields.u32();
    if ((flags & 1) !== 0) offset = head.base + fields.i32();
    const firstFlags = (flags & 4) !== 0 ? fields.u32() : undefined;
    for (let i = 0; i < count && !fields.short; i += 1) {
      const sample = sampleOf(fields, flags, head, i === 0 ? firstFlags : undefined);
      if (fields.short || sample.size === 0 || offset > head.fileSize) break;
      samples.push({ ...sample, offset, dts, cts: dts + sample.cts });
      offset += sample.size;
      dts += sample.duration;
    }
  }
  next.set(head.trackId, dts);
  return samples;
}

/** `cts` counts from its own decoding time here. */
function sampleOf(
  fields: Fields,
  flags: number,
  head: Head,
  stated: number | undefined,
): Omit<Sample, 'offset' | 'dts'> {
  const duration = (flags & 0x100) !== 0 ? fields.u32() : head.duration;
  const size = (flags & 0x200) !== 0 ? fields.u32() : head.size;
  const own = (flags & 0x400) !== 0 ? fields.u32() : head.flags;
  const cts = (flags & 0x800) !== 0 ? fields.i32() : 0;
  const key = ((stated ?? own) & NOT_SYNC) === 0;
  return { size, cts, duration, key, entry: head.entry };
}

/** `tfdt`: when the fragment begins, ticks. */
function startOf(traf: Uint8Array): number | undefined {
  const body = findBox(traf, 'tfdt');
  if (body === undefined) return undefined;
  const fields = new Fields(body);
  return fields.full().version === 1 ? fields.u64() : fields.u32();
}
