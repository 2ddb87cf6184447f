#!/usr/bin/env node
import { Command } from 'commander';
import { addDemoCommand } from './demo-command.js';
import { addServeCommand } from './serve-command.js';

async function main(): Promise<void> {
  const program = new Command('kvs');
  program.description(
    'Kinesis Video Streams on this machine: a service, and a demonstration of it.',
  );
  addServeCommand(program);
  addDemoCommand(program);
  try {
    await program.parseAsync();
  } catch (error) {
    process.stderr.write(`kvs: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

await main();
