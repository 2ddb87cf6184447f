import { accessSync, constants, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiskState } from './disk.js';

/** A new folder, in memory where the machine has such a place: flushes cost nothing there. */
export function fastFolder(): string {
  return mkdtempSync(join(isWritable('/dev/shm') ? '/dev/shm' : tmpdir(), 'kvs-power-'));
}

/** Makes the files of a disk in a folder that is not there yet. */
export function putState(folder: string, { directories, files }: DiskState): void {
  for (const path of directories) mkdirSync(join(folder, path), { recursive: true, mode: 0o700 });
  for (const [path, bytes] of files) writeFileSync(join(folder, path), bytes, { mode: 0o600 });
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
