import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { KvsError } from '../base/errors.js';
import { directoryUse, fileSystemUse } from '../service/operate/disk.js';
import { withCommas } from './table.js';

const HELP = `
Examples:
  kvs df ./kvs-data            while the service runs, too
  kvs df ./kvs-data --json

Streams are named by the ids of their directories below media.
Exit codes: 0 done, 1 there is no such data directory, 2 the arguments are wrong.
`;

/** Adds `kvs df` to the program. */
export function addDfCommand(program: Command): void {
  program
    .command('df')
    .description('Tell what a data directory takes, and what its disk has free.')
    .argument('<dir>', 'data directory of a service')
    .option('--json', 'as one JSON object, in bytes')
    .addHelpText('after', HELP)
    .action(async (directory: string, { json }: { readonly json?: boolean }) => {
      process.stdout.write(await report(directory, json === true ? 'json' : 'text'));
    });
}

async function report(directory: string, form: 'json' | 'text'): Promise<string> {
  try {
    await access(join(directory, 'media'));
  } catch (cause) {
    const message = `${directory} holds no data of a service; name what --data-dir of kvs serve named`;
    throw new KvsError({ status: 'STATUS_OPEN_FILE_FAILED', message, cause });
  }
  const { media, index, other, streams } = await directoryUse(directory);
  const { size, free } = await fileSystemUse(directory);
  if (form === 'json') {
    const byStream = Object.fromEntries(streams);
    return `${JSON.stringify({ media, index, other, free, size, streams: byStream })}\n`;
  }
  const rows: (readonly [string, number])[] = [
    ...[...streams].map(([id, bytes]) => [`media of stream ${id}`, bytes] as const),
    ['media in all', media],
    ['index', index],
    ['keys and other', other],
    ['free on the disk', free],
    ['size of the disk', size],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const most = Math.max(...rows.map(([, bytes]) => withCommas(bytes).length));
  return rows
    .map(([name, bytes]) => `${name.padEnd(width)}  ${withCommas(bytes).padStart(most)} bytes\n`)
    .join('');
}
