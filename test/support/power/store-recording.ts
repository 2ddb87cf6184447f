import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CompiledLib } from '../compiled.js';
import { RecordedDisk } from './disk.js';
import { readLog } from './log.js';
import { fastFolder } from './place.js';
import { runNode, watchEnvironment } from './run.js';
import { saidIn, type SaidAt } from './told.js';

const LOAD = fileURLToPath(new URL('./store-load.mjs', import.meta.url));

/** A load on a store as it was recorded. */
export interface StoreRecording {
  readonly disk: RecordedDisk;
  readonly said: readonly SaidAt[];
  /** Number of calls. */
  readonly length: number;
}

/** A recording that still lies on disk, with what the store has in the end. */
export interface FreshRecording extends StoreRecording {
  readonly log: string;
  readonly directory: string;
  remove(): void;
}

export interface LoadOptions {
  readonly lib: CompiledLib;
  readonly library: string;
  /** Rounds of the load, a process each; odd ones are killed. */
  readonly rounds: readonly (number | 'steps')[];
  /** What the library may do to calls. */
  readonly control?: string;
}

/** Records a load on a store. */
export async function recordStore(options: LoadOptions): Promise<FreshRecording> {
  const folder = fastFolder();
  const directory = join(folder, 'data');
  const log = join(folder, 'log');
  mkdirSync(directory);
  const { lib, library, control } = options;
  const watch = { library, root: directory, log, ...(control !== undefined && { control }) };
  for (const round of options.rounds) {
    const args = [LOAD, lib.directory, directory, String(round)];
    const { code, signal, complaint } = await runNode(args, watchEnvironment(watch));
    if (code !== 0 && signal !== 'SIGKILL') throw new Error(`the load failed: ${complaint}`);
  }
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...openRecording(log), log, directory, remove };
}

/** A recording that was kept. */
export function openRecording(log: string): StoreRecording {
  const ops = readLog(log);
  return { disk: new RecordedDisk(ops), said: saidIn(ops), length: ops.length };
}
