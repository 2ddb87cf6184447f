import type { Track } from './movie.js';
import type { Sample } from './sample-table.js';

/** A stretch of a track's media that the film shows. Seconds. */
interface Span {
  readonly from: number;
  readonly to: number;
  /** What is to be added to media times to get the film's. */
  readonly shift: number;
}

/** Sound before the begin that decoders need to start with, and that encoders put there. */
const PRIMING = 0.1;
/** Time scales of film and track differ: an edit's end may fall short of a frame's by their rounding. */
const SLACK = 0.002;

/** What becomes of a sample under its track's edit list. */
export type Edited =
  | { readonly kind: 'cut' }
  /** `hidden`: needed by what is shown, but itself cut off. `shift`: seconds. */
  | { readonly kind: 'kept'; readonly hidden: boolean; readonly shift: number };

/**
 * The edit list of a track (ISO/IEC 14496-12, 8.6.6): which media are shown, and when. Lines of
 * nothing come before the media or between them.
 */
export class EditList {
  readonly #spans: readonly Span[];
  readonly #video: boolean;
  readonly #timescale: number;
  readonly #cuts: boolean;

  /** `cuts`: what no line shows is left out; otherwise the first line moves all media, and no more. */
  constructor(track: Track, cuts: boolean) {
    this.#cuts = cuts;
    this.#video = track.handler === 'vide';
    this.#timescale = track.timescale;
    this.#spans = spansOf(track);
  }

  /** The samples of one GOP, in decoding order, with what becomes of each. */
  judge(gop: readonly Sample[]): readonly Edited[] {
    if (this.#spans.length === 0 || !this.#cuts) {
      const shift = this.#spans[0]?.shift ?? 0;
      return gop.map(() => ({ kind: 'kept', hidden: false, shift }));
    }
    const found = gop.map((sample) => this.#spanOf(sample));
    const last = found.findLastIndex((span) => span !== undefined);
    return found.map((span, at) => {
      if (span !== undefined) return { kind: 'kept', hidden: false, shift: span.shift };
      if (at > last || !this.#video) return { kind: 'cut' };
      // Decoding needs it; its time is that of the next one shown.
      const next = found.slice(at).find((one) => one !== undefined);
      return { kind: 'kept', hidden: true, shift: next?.shift ?? 0 };
    });
  }

  #spanOf(sample: Sample): Span | undefined {
    const from = sample.cts / this.#timescale;
    const to = from + Math.max(sample.duration, 1) / this.#timescale;
    const before = this.#video ? 0 : PRIMING;
    return this.#spans.find((span) => to > span.from - before + SLACK && from < span.to - SLACK);
  }
}

function spansOf(track: Track): readonly Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const edit of track.edits) {
    if (edit.mediaTime >= 0) {
      const from = edit.mediaTime / track.timescale;
      // 0: all there is, as fragmented films say it.
      const to = edit.seconds === 0 ? Infinity : from + edit.seconds;
      spans.push({ from, to, shift: at - from });
    }
    at += edit.seconds;
  }
  return spans;
}
