import type { Command } from 'commander';
import { fsck } from '../service/index.js';
import { withInterrupt } from './interrupt.js';

/** Adds `kvs fsck` to the program. */
export function addFsckCommand(program: Command): void {
  program
    .command('fsck')
    .description('Verify all that a stopped service has stored; exit code 1 when some is damaged.')
    .argument('<dir>', 'data directory of the service')
    .action(async (directory: string) => {
      await withInterrupt((signal) => check(directory, signal));
    });
}

async function check(directory: string, signal: AbortSignal): Promise<void> {
  const { streams, fragments, bytes, faults } = await fsck(directory, signal);
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  process.stdout.write(
    `${String(streams)} streams, ${String(fragments)} fragments, ${String(bytes)} bytes of media, ` +
      `${String(faults.length)} faults\n`,
  );
  if (faults.length > 0) process.exitCode = 1;
}
