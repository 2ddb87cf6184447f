#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { printable } from '../base/printable.js';
import { VERSION } from '../base/user-agent.js';
import { addDemoCommand } from './demo-command.js';
import { addDfCommand } from './df-command.js';
import { addFsckCommand } from './fsck-command.js';
import { addKeysCommand } from './keys-command.js';
import { messageOf } from './log-line.js';
import { tolerateClosedPipes } from './pipes.js';
import { addServeCommand } from './serve-command.js';

async function main(): Promise<void> {
  // The AWS SDK's notice that later versions want a later Node; the version used here runs on this one.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  tolerateClosedPipes();
  const program = new Command('kvs');
  program.description(
    'Kinesis Video Streams on this machine: a service, and a demonstration of it.',
  );
  program.version(VERSION);
  program.exitOverride();
  addServeCommand(program);
  addDemoCommand(program);
  addFsckCommand(program);
  addKeysCommand(program);
  addDfCommand(program);
  try {
    await program.parseAsync();
  } catch (error) {
    // Help and version end here, too; what was wrong with the arguments has been said.
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    process.stderr.write(`kvs: ${printable(messageOf(error))}\n`);
    process.exitCode = 1;
  }
}

await main();
