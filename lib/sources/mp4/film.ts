import type { FileHandle } from 'node:fs/promises';
import { KvsError } from '../../base/errors.js';
import { malformed, truncated } from '../container.js';
import { judgeTrack, type FilmTrack, type JudgedTrack } from './film-track.js';
import { readFragment } from './fragments.js';
import { type Layout, readBody, readLayout } from './layout.js';
import { readMovie, type Track } from './movie.js';
import type { Sample } from './sample-table.js';
import { type Cue, cuesOf, earliness, merged } from './timeline.js';

/** How a film is read. */
export interface FilmOptions {
  readonly keepEdits: boolean;
  /** `read`: what is whole of a film that is cut off; `refuse`: an error. */
  readonly truncated: 'read' | 'refuse';
}

/** A film whose tables are read: tracks, and where each of their frames lies. */
export class Film {
  readonly path: string;
  readonly tracks: readonly JudgedTrack[];
  /** What is cut off at the end, in words. */
  readonly missing: string | undefined;
  readonly #layout: Layout;
  readonly #options: FilmOptions;
  /** Samples of movie fragments by track. */
  readonly #fragments: ReadonlyMap<number, readonly Sample[]>;

  private constructor(
    path: string,
    layout: Layout,
    tracks: readonly JudgedTrack[],
    fragments: ReadonlyMap<number, readonly Sample[]>,
    options: FilmOptions,
  ) {
    this.path = path;
    this.missing = layout.missing;
    this.tracks = tracks;
    this.#layout = layout;
    this.#options = options;
    this.#fragments = fragments;
  }

  /** Reads the tables of a file. Throws `KvsError` when there are none, or parts of them. */
  static async open(file: FileHandle, path: string, options: FilmOptions): Promise<Film> {
    const layout = await readLayout(file, path);
    if (layout.missing !== undefined && options.truncated === 'refuse') {
      throw truncated(path, layout.missing);
    }
    const movie = readMovie(layout.moov);
    const fragments = await readFragments(file, path, layout, movie);
    return new Film(path, layout, movie.map(judgeTrack), fragments, options);
  }

  /** The frames of the tracks in decoding order; each call is a pass of its own. */
  cues(tracks: readonly FilmTrack[]): Generator<Cue, void, undefined> {
    return merged(
      tracks.map((film) => {
        const early = earliness(this.#samples(film));
        return cuesOf(film, this.#samples(film), early, this.#options.keepEdits);
      }),
    );
  }

  *#samples({ track }: FilmTrack): Generator<Sample, void, undefined> {
    const { fileSize } = this.#layout;
    const refuse = this.#options.truncated === 'refuse';
    let number = 0;
    for (const sample of this.#all(track)) {
      number += 1;
      if (sample.size === 0) continue;
      if (sample.offset + sample.size <= fileSize) yield sample;
      else if (refuse) {
        throw truncated(this.path, `frame ${number} of track ${track.id} lies past its end`);
      }
    }
  }

  *#all(track: Track): Generator<Sample, void, undefined> {
    yield* track.table.samples();
    yield* this.#fragments.get(track.id) ?? [];
  }
}

async function readFragments(
  file: FileHandle,
  path: string,
  layout: Layout,
  movie: readonly Track[],
): Promise<ReadonlyMap<number, readonly Sample[]>> {
  const tracks = new Map(movie.map((track) => [track.id, track]));
  const context = { tracks, next: new Map<number, number>(), fileSize: layout.fileSize };
  const samples = new Map<number, Sample[]>(movie.map((track) => [track.id, []]));
  for (const place of layout.moofs) {
    const moof = await readBody(file, path, place);
    for (const run of readFragment(moof, place.offset, context)) {
      for (const sample of run.samples) samples.get(run.trackId)?.push(sample);
    }
  }
  if (layout.moofs.length === 0 && movie.every((track) => track.table.count === 0)) {
    throw initAlone(path, movie.length);
  }
  return samples;
}

function initAlone(path: string, tracks: number): KvsError {
  const what = tracks === 0 ? 'a film without tracks' : 'an init segment alone, without media';
  return malformed(
    path,
    `it is ${what}; put its media segments behind it (cat init.mp4 seg*.m4s > film.mp4)`,
  );
}
