import { basename } from 'node:path';
import { styleText } from 'node:util';
import { assertNever } from '../base/errors.js';
import type { DemoProgress, DemoResult } from './demo.js';
import { Progress, type ProgressOutput } from './progress.js';
import { formatTable, withCommas } from './table.js';

interface Compared {
  readonly frames: number;
  readonly of: number;
}

/** Shows the two halves of the demo as they go. */
export class DemoDisplay {
  readonly #upload: Progress;
  readonly #readBack: Progress;
  #half: 'upload' | 'readBack' | 'none' = 'none';
  #compared: Compared = { frames: 0, of: 0 };

  constructor(output: ProgressOutput) {
    this.#upload = new Progress(output, 'upload   ');
    this.#readBack = new Progress(output, 'read back');
  }

  /** Draws what `progress` says. */
  show(progress: DemoProgress): void {
    switch (progress.kind) {
      case 'upload':
        this.#half = 'upload';
        this.#upload.update(progress.persistedPart, () => uploadDetail(progress));
        return;
      case 'uploaded': {
        const { frames, fragments } = progress.result;
        this.#upload.finish(uploadDetail({ frames, fragments: fragments.size }));
        this.#half = 'none';
        return;
      }
      case 'readBack':
        this.#half = 'readBack';
        this.#compared = progress;
        this.#readBack.update(progress.frames / progress.of, () => comparedDetail(progress));
        return;
      default:
        assertNever(progress);
    }
  }

  /** Ends the line that is being drawn. */
  close(outcome: 'equal' | 'unfinished'): void {
    if (this.#half === 'upload') this.#upload.stop();
    if (this.#half === 'readBack') {
      if (outcome === 'equal') this.#readBack.finish(comparedDetail(this.#compared));
      else this.#readBack.stop();
    }
    this.#half = 'none';
  }
}

function uploadDetail(done: { readonly frames: number; readonly fragments: number }): string {
  return `${withCommas(done.frames)} frames, ${withCommas(done.fragments)} fragments persisted`;
}

function comparedDetail({ frames, of }: Compared): string {
  return `${withCommas(frames)} of ${withCommas(of)} frames equal`;
}

/** The table and the verdict; with `colour` for a terminal. */
export function demoReport(result: DemoResult, style: 'plain' | 'colour'): string {
  const table = formatTable([
    ['file', basename(result.file)],
    ['frames', withCommas(result.frames)],
    ['fragments', withCommas(result.fragments)],
    ['bytes', withCommas(result.bytes)],
    ['seconds', result.seconds.toFixed(3)],
    ['MB/s', megabytesPerSecond(result).toFixed(1)],
    ['first frame to Persisted', `${result.firstPersistedMs.toFixed(1)} ms`],
    ...(result.dataDir === undefined ? [] : [['data directory', result.dataDir] as const]),
  ]);
  return `\n${table}\n${verdict(result, style)}\n`;
}

function verdict(result: DemoResult, style: 'plain' | 'colour'): string {
  const mark = (colour: 'red' | 'green', word: string): string =>
    style === 'colour' ? styleText([colour, 'bold'], word) : word;
  if (result.difference !== undefined) {
    const before = `${withCommas(result.framesEqual)} frames before it are equal`;
    return `${mark('red', 'FAILED:')} ${result.difference} (${before}).`;
  }
  const all = `all ${withCommas(result.frames)} frames came back`;
  return `${mark('green', 'OK:')} ${all} byte for byte and time stamp for time stamp.`;
}

/** Media bytes a second, in millions, from the first frame put to the last Persisted ack. */
export function megabytesPerSecond(result: DemoResult): number {
  return result.seconds > 0 ? result.bytes / 1e6 / result.seconds : 0;
}
