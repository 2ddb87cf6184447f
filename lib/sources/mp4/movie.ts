import { boxesOf, Fields, findBox, nameAt } from './box.js';
import { SampleTable } from './sample-table.js';

/** A sample description, as it stands in `stsd`. */
export interface SampleEntry {
  /** Its four characters, for example `avc1`. */
  readonly type: string;
  /** Behind the box header. */
  readonly body: Uint8Array;
}

/** One line of an edit list. */
export interface Edit {
  /** Seconds of the film. */
  readonly seconds: number;
  /** In the track's time scale; -1: nothing is shown. */
  readonly mediaTime: number;
}

/** Defaults of a track's movie fragments (`trex`). */
export interface FragmentDefaults {
  readonly entry: number;
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

/** A track of a film. */
export interface Track {
  readonly id: number;
  /** `vide`, `soun` or another handler. */
  readonly handler: string;
  /** Ticks a second. */
  readonly timescale: number;
  /** Degrees clockwise by which pictures are to be turned: 0, 90, 180 or 270. */
  readonly rotation: number;
  readonly edits: readonly Edit[];
  readonly entries: readonly SampleEntry[];
  readonly table: SampleTable;
  readonly defaults: FragmentDefaults;
}

/** Reads the body of a `moov` box. Tracks without what every track must have are left out. */
export function readMovie(moov: Uint8Array): readonly Track[] {
  const scale = movieScale(moov);
  const defaults = fragmentDefaults(moov);
  return boxesOf(moov)
    .filter((box) => box.type === 'trak')
    .flatMap(({ body }) => readTrack(body, scale, defaults) ?? []);
}

/** Whether the film goes on in movie fragments. */
export function isFragmented(moov: Uint8Array): boolean {
  return findBox(moov, 'mvex') !== undefined;
}

function readTrack(
  trak: Uint8Array,
  movieTicks: number,
  defaults: ReadonlyMap<number, FragmentDefaults>,
): Track | undefined {
  const tkhd = findBox(trak, 'tkhd');
  const mdia = findBox(trak, 'mdia');
  const stbl = mdia && findBox(mdia, 'minf', 'stbl');
  if (tkhd === undefined || mdia === undefined || stbl === undefined) return undefined;
  const { id, rotation } = trackHeader(tkhd);
  return {
    id,
    rotation,
    handler: nameAt(findBox(mdia, 'hdlr') ?? new Uint8Array(12), 8),
    timescale: mediaScale(findBox(mdia, 'mdhd') ?? new Uint8Array(0)),
    edits: editsOf(findBox(trak, 'edts', 'elst'), movieTicks),
    entries: entriesOf(findBox(stbl, 'stsd')),
    table: new SampleTable(stbl),
    defaults: defaults.get(id) ?? { entry: 1, duration: 0, size: 0, flags: 0 },
  };
}

function movieScale(moov: Uint8Array): number {
  const fields = new Fields(findBox(moov, 'mvhd') ?? new Uint8Array(0));
  fields.skip(fields.full().version === 1 ? 16 : 8);
  return fields.u32() || 1000;
}

function mediaScale(mdhd: Uint8Array): number {
  const fields = new Fields(mdhd);
  fields.skip(fields.full().version === 1 ? 16 : 8);
  return fields.u32();
}

function trackHeader(tkhd: Uint8Array): { id: number; rotation: number } {
  const fields = new Fields(tkhd);
  const long = fields.full().version === 1;
  fields.skip(long ? 16 : 8);
  const id = fields.u32();
  fields.skip(long ? 12 : 8);
  fields.skip(16);
  return { id, rotation: rotationOf(fields) };
}

/** From the first two rows of the transformation matrix; mirrors are not told. */
function rotationOf(fields: Fields): number {
  const a = fields.i32();
  const b = fields.i32();
  fields.skip(4);
  const c = fields.i32();
  const d = fields.i32();
  const one = 0x10000;
  if (a === 0 && b === one && c === -one && d === 0) return 90;
  if (a === -one && d === -one && b === 0 && c === 0) return 180;
  if (a === 0 && b === -one && c === one && d === 0) return 270;
  return 0;
}

function editsOf(elst: Uint8Array | undefined, movieTicks: number): readonly Edit[] {
  if (elst === undefined) return [];
  const fields = new Fields(elst);
  const long = fields.full().version === 1;
  const count = Math.min(fields.u32(), Math.floor(elst.length / (long ? 20 : 12)));
  return Array.from({ length: count }, () => {
    const length = long ? fields.u64() : fields.u32();
    const mediaTime = long ? fields.i64() : fields.i32();
    fields.skip(4); // the rate: 1, or a still that no source here makes
    return { seconds: length / movieTicks, mediaTime };
  });
}

/** Says itself how many there are; the boxes that are there count. */
function entriesOf(stsd: Uint8Array | undefined): readonly SampleEntry[] {
  return boxesOf(stsd?.subarray(8) ?? new Uint8Array(0));
}

function fragmentDefaults(moov: Uint8Array): ReadonlyMap<number, FragmentDefaults> {
  const mvex = findBox(moov, 'mvex') ?? new Uint8Array(0);
  return new Map(
    boxesOf(mvex)
      .filter((box) => box.type === 'trex')
      .map(({ body }) => {
        const fields = new Fields(body, 4);
        const id = fields.u32();
        const entry = fields.u32();
        return [
          id,
          { entry, duration: fields.u32(), size: fields.u32(), flags: fields.u32() },
        ] as const;
      }),
  );
}
