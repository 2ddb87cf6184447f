import type { Command } from 'commander';
import { positiveInteger, positiveNumber } from './arguments.js';
import type { DemoFlags } from './demo-run.js';

/** Adds `kvs demo` to the program. */
export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('Stream a video into a service of its own, read it back and compare every frame.')
    .option('--file <path>', 'MP4, MOV, MKV, raw H.264 or H.265 file (default: a camera clip)')
    .option(
      '--frame-rate <n>',
      'frames a second of a raw video file (default: what it states, or 25)',
      positiveNumber,
    )
    .option('--loop <n>', 'stream the file so many times over (default: 1)', positiveInteger)
    .option('--against <path>', 'compare what comes back with this file instead')
    .option('--data-dir <dir>', 'fresh directory for the service, which stays')
    .option('--keep', 'leave the temporary data directory')
    .option('--dump <dir>', 'also write what the producer sent there, as MKV')
    .option('--json', 'print one JSON object on the last line')
    .addHelpText(
      'after',
      '\nExit status: 0 if every frame came back as it was sent, 1 on any difference or error.',
    )
    .action(async (flags: DemoFlags) => {
      // Loaded when it runs, so that the other commands need no addon.
      const { demoCommand } = await import('./demo-run.js');
      process.exitCode = await demoCommand(flags);
    });
}
