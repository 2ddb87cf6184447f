import type { Command } from 'commander';
import { createKey, rotateKey, type NewKeyOptions } from '../service/index.js';

interface CreateFlags {
  readonly keyId?: string;
  readonly alias?: readonly string[];
  readonly account?: string;
}

/** Adds `kvs keys` to the program. */
export function addKeysCommand(program: Command): void {
  const keys = program
    .command('keys')
    .description('Make the master keys that protect what a service stores.');
  keys
    .command('create')
    .description('Add a key to a key file, making the file when there is none; prints its id.')
    .argument('<file>', 'key file, as --key-file of kvs serve names it')
    .option('--key-id <id>', 'its id; a new UUID by default')
    .option('--alias <names...>', 'names that it also has, each alias/NAME')
    .option('--account <id>', "whose it is, twelve digits; everybody's by default")
    .action(async (file: string, { keyId, alias, account }: CreateFlags) => {
      const options: NewKeyOptions = {
        ...(keyId !== undefined && { keyId }),
        ...(alias !== undefined && { aliases: alias }),
        ...(account !== undefined && { accountId: account }),
      };
      process.stdout.write(`${await createKey(file, options)}\n`);
    });
  keys
    .command('rotate')
    .description('Give a key a new version, which protects from now on; prints its number.')
    .argument('<file>', 'key file')
    .argument('<key-id>', 'id of the key; aws/kinesisvideo for that of streams that name none')
    .action(async (file: string, keyId: string) => {
      process.stdout.write(`${String(await rotateKey(file, keyId))}\n`);
    });
}
