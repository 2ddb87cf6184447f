import { open, readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { KvsError } from '../../base/errors.js';
import { isError } from '../../base/values.js';

/** How long another edit is waited for, ms. */
const PATIENCE = 10_000;
const STEP = 20;

/**
 * Runs `work` while no other process edits the file: two edits at once would each write what they read,
 * and one of them would be lost. Who edits holds `PATH.lock`; that of a process that is gone counts for
 * nothing. Rejects with `KvsError` where the other does not end. @internal
 */
export async function whileLocked<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  await take(lock);
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<void> {
  for (let waited = 0; ; waited += STEP) {
    try {
      const file = await open(lock, 'wx', 0o600);
      await file.writeFile(String(process.pid)).finally(() => file.close());
      return;
    } catch (cause) {
      if (!isErrno(cause, 'EEXIST')) {
        const message = `${lock} cannot be made; the directory of a key file must be there and writable`;
        throw new KvsError({ status: 'STATUS_OPEN_FILE_FAILED', message, cause });
      }
    }
    if (await isLeft(lock)) await rm(lock, { force: true });
    else if (waited >= PATIENCE) {
      const message = `${lock}: another process edits the keys; remove it when none does`;
      throw new KvsError({ status: 'STATUS_OPEN_FILE_FAILED', message });
    }
    await sleep(STEP);
  }
}

/** Whether the process that took the lock is gone. */
async function isLeft(lock: string): Promise<boolean> {
  const pid = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return isErrno(error, 'ESRCH');
  }
}

function isErrno(error: unknown, code: string): boolean {
  return isError(error) && 'code' in error && error.code === code;
}
