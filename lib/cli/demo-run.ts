import { DemoDisplay, demoReport, megabytesPerSecond } from './demo-display.js';
import { type DemoOptions, runDemo } from './demo.js';
import { withInterrupt } from './interrupt.js';

/** The options of `kvs demo` as they were given. */
export interface DemoFlags {
  readonly file?: string;
  readonly frameRate?: number;
  readonly loop?: number;
  readonly against?: string;
  readonly dataDir?: string;
  readonly dump?: string;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** Runs the demo, shows it on the terminal and gives the exit status. */
export async function demoCommand(flags: DemoFlags): Promise<number> {
  const display = new DemoDisplay(process.stderr);
  try {
    const result = await withInterrupt((signal) =>
      runDemo({ ...demoOptions(flags), signal, onProgress: (progress) => display.show(progress) }),
    );
    const equal = result.difference === undefined;
    display.close(equal ? 'equal' : 'unfinished');
    const coloured = process.stdout.isTTY && process.stdout.hasColors();
    process.stdout.write(demoReport(result, coloured ? 'colour' : 'plain'));
    if (flags.json === true) {
      const figures = { equal, ...result, mbPerSec: megabytesPerSecond(result) };
      process.stdout.write(`${JSON.stringify(figures)}\n`);
    }
    return equal ? 0 : 1;
  } finally {
    display.close('unfinished');
  }
}

function demoOptions(flags: DemoFlags): DemoOptions {
  return {
    ...(flags.file !== undefined && { file: flags.file }),
    ...(flags.frameRate !== undefined && { frameRate: flags.frameRate }),
    ...(flags.loop !== undefined && { passes: flags.loop }),
    ...(flags.against !== undefined && { against: flags.against }),
    ...(flags.dataDir !== undefined && { dataDir: flags.dataDir }),
    ...(flags.dump !== undefined && { dump: flags.dump }),
    ...(flags.keep !== undefined && { keep: flags.keep }),
  };
}
