import type { FilmTrack } from './film-track.js';
import { EditList } from './edits.js';
import type { Sample } from './sample-table.js';

/** A frame of the film before its bytes are read. Times are seconds of the film. */
export interface Cue {
  readonly film: FilmTrack;
  readonly offset: number;
  readonly size: number;
  readonly pts: number;
  readonly dts: number;
  readonly duration: number;
  readonly key: boolean;
  /** Decoded, not shown: an edit cut it off. */
  readonly hidden: boolean;
  readonly entry: number;
}

/** One frame of sound that is stored sample by sample lasts about this long, s. */
const RAW_FRAME = 0.02;

/** The frames of one track in decoding order, with the times that its edit list gives them. */
export function* cuesOf(
  film: FilmTrack,
  samples: Iterable<Sample>,
  early: number,
  keepEdits: boolean,
): Generator<Cue, void, undefined> {
  const { track } = film;
  const edits = new EditList(track, keepEdits);
  const video = track.handler === 'vide';
  let gop: Sample[] = [];
  function* flush(): Generator<Cue, void, undefined> {
    const judged = edits.judge(gop);
    for (const [at, sample] of gop.entries()) {
      const edited = judged[at];
      if (edited?.kind === 'kept') yield cueOf(film, sample, edited, early);
    }
    gop = [];
  }
  for (const sample of film.sampleBytes > 0 ? joined(film, samples) : samples) {
    if (gop.length > 0 && (sample.key || !video)) yield* flush();
    gop.push(sample);
  }
  yield* flush();
}

function cueOf(
  film: FilmTrack,
  sample: Sample,
  edited: { readonly hidden: boolean; readonly shift: number },
  early: number,
): Cue {
  const { timescale } = film.track;
  const time = (ticks: number): number => ticks / timescale + edited.shift;
  return {
    film,
    offset: sample.offset,
    size: sample.size,
    pts: time(sample.cts),
    dts: time(sample.dts - early),
    duration: sample.duration / timescale,
    key: sample.key || film.track.handler !== 'vide',
    hidden: edited.hidden,
    entry: sample.entry,
  };
}

/** Samples that follow on each other in the file, joined to frames of about 20 ms. */
function* joined(film: FilmTrack, samples: Iterable<Sample>): Generator<Sample, void, undefined> {
  const most = Math.max(1, Math.round(film.track.timescale * RAW_FRAME));
  let open: { -readonly [name in keyof Sample]: Sample[name] } | undefined;
  for (const one of samples) {
    // QuickTime counts bytes of one channel in some films: the codec knows better.
    const size = Math.max(one.size, film.sampleBytes);
    const follows = open !== undefined && one.offset === open.offset + open.size;
    if (open !== undefined && follows && open.duration < most) {
      open.size += size;
      open.duration += one.duration;
      continue;
    }
    if (open !== undefined) yield open;
    open = { ...one, size };
  }
  if (open !== undefined) yield open;
}

/** Negative composition offsets put a frame's showing before its decoding, on paper: by how much. */
export function earliness(samples: Iterable<Sample>): number {
  let early = 0;
  for (const { dts, cts } of samples) if (dts - cts > early) early = dts - cts;
  return early;
}

/** The frames of several tracks in decoding order; of equal times the first track's comes first. */
export function* merged(
  tracks: readonly Iterator<Cue, void, undefined>[],
): Generator<Cue, void, undefined> {
  const heads = tracks.map((track) => track.next());
  for (;;) {
    let least: number | undefined;
    for (const [at, head] of heads.entries()) {
      if (head.done === true) continue;
      const best = least === undefined ? undefined : heads[least];
      const bestDts = best?.done === false ? best.value.dts : Infinity;
      if (head.value.dts < bestDts) least = at;
    }
    const head = least === undefined ? undefined : heads[least];
    if (least === undefined || head?.done !== false) return;
    yield head.value;
    heads[least] = tracks[least]?.next() ?? { done: true, value: undefined };
  }
}
