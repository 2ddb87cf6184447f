import { basename } from 'node:path';
import { assertNever } from '../base/errors.js';
import type { DemoProgress, DemoResult } from './demo.js';
import { Progress, type ProgressOutput } from './progress.js';
import { formatTable, withCommas } from './table.js';

/** Shows the two halves of the demo as they go. */
export class DemoDisplay {
  readonly #upload: Progress;
  readonly #readBack: Progress;
  #half: 'upload' | 'readBack' | 'none' = 'none';
  #compared = '';

  constructor(output: ProgressOutput) {
    this.#upload = new Progress(output, 'upload   ');
    this.#readBack = new Progress(output, 'read back');
  }

  /** Draws what `progress` says. */
  show(progress: DemoProgress): void {
    switch (progress.kind) {
      case 'upload':
        this.#half = 'upload';
        this.#upload.update(progress.persistedPart, uploadDetail(progress));
        return;
      case 'uploaded': {
        const { frames, fragments } = progress.result;
        this.#upload.finish(uploadDetail({ frames, fragments: fragments.size }));
        this.#half = 'none';
        return;
      }
      case 'readBack':
        this.#half = 'readBack';
        this.#compared = `${withCommas(progress.frames)} of ${withCommas(progress.of)} frames equal`;
        this.#readBack.update(progress.frames / progress.of, this.#compared);
        return;
      default:
        assertNever(progress);
    }
  }

  /** Ends the line that is being drawn. */
  close(outcome: 'equal' | 'unfinished'): void {
    if (this.#half === 'upload') this.#upload.stop();
    if (this.#half === 'readBack') {
      if (outcome === 'equal') this.#readBack.finish(this.#compared);
      else this.#readBack.stop();
    }
    this.#half = 'none';
  }
}

function uploadDetail(done: { readonly frames: number; readonly fragments: number }): string {
  return `${withCommas(done.frames)} frames, ${withCommas(done.fragments)} fragments persisted`;
}

/** The table and the verdict. */
export function demoReport(result: DemoResult): string {
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
  return `\n${table}\n${verdict(result)}\n`;
}

function verdict(result: DemoResult): string {
  if (result.difference !== undefined) {
    return `FAILED: ${result.difference} (${withCommas(result.framesEqual)} frames before it are equal).`;
  }
  return `OK: all ${withCommas(result.frames)} frames came back byte for byte and time stamp for time stamp.`;
}

/** Media bytes a second, in millions, from the first frame put to the last Persisted ack. */
export function megabytesPerSecond(result: DemoResult): number {
  return result.seconds > 0 ? result.bytes / 1e6 / result.seconds : 0;
}
