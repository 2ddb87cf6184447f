#!/usr/bin/env node
import { Command } from 'commander';
import { VERSION } from '../base/user-agent.js';
import { addDemoCommand } from './demo-command.js';
import { addFsckCommand } from './fsck-command.js';
import { addKeysCommand } from './keys-command.js';
import { messageOf } from './log-line.js';
import { addServeCommand } from './serve-command.js';

async function main(): Promise<void> {
  // The AWS SDK's notice that later versions want a later Node; the version used here runs on this one.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const program = new Command('kvs');
  program.description(
    'Kinesis Video Streams on this machine: a service, and a demonstration of it.',
  );
  program.version(VERSION);
  addServeCommand(program);
  addDemoCommand(program);
  addFsckCommand(program);
  addKeysCommand(program);
  try {
    await program.parseAsync();
  } catch (error) {
    process.stderr.write(`kvs: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}

await main();
