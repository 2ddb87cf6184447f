import type { Command } from 'commander';
import { printable } from '../base/printable.js';
import { fsck, type FsckOptions } from '../service/index.js';
import { withInterrupt } from './interrupt.js';

/** Adds `kvs fsck` to the program, and `kvs service fsck`, which is the same. */
export function addFsckCommand(program: Command): void {
  addTo(program);
  addTo(program.command('service', { hidden: true }).description('See kvs serve, kvs fsck.'));
}

function addTo(program: Command): void {
  program
    .command('fsck')
    .description('Verify all that a stopped service has stored; exit code 1 when some is damaged.')
    .argument('<dir>', 'data directory of the service')
    .option(
      '--key-file <file>',
      'master keys of the service; default master-keys.json in the directory',
    )
    .action(async (directory: string, flags: Pick<FsckOptions, 'keyFile'>) => {
      await withInterrupt((signal) => check(directory, { ...flags, signal }));
    });
}

async function check(directory: string, options: FsckOptions): Promise<void> {
  const { streams, fragments, bytes, faults } = await fsck(directory, options);
  for (const fault of faults) process.stdout.write(`${printable(fault)}\n`);
  process.stdout.write(
    `${String(streams)} streams, ${String(fragments)} fragments, ${String(bytes)} bytes of media, ` +
      `${String(faults.length)} faults\n`,
  );
  if (faults.length > 0) process.exitCode = 1;
}
