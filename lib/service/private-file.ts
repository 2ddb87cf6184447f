import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KvsError } from '../base/errors.js';
import { flushDirectory } from './store/flush-directory.js';
import { isError } from '../base/values.js';

/** A small file that only its owner may read, and how to tell whether it has changed. @internal */
export interface PrivateFile {
  readonly bytes: Buffer;
  readonly identity: string;
}

const MAX_BYTES = 4 * 1024 * 1024;
const OTHERS = 0o077;

/**
 * Reads a file of keys; undefined where there is none. Throws `KvsError` STATUS_OPEN_FILE_FAILED
 * where it cannot be read, and STATUS_INVALID_ARG where others than its owner may read it. @internal
 */
export async function readPrivate(path: string): Promise<PrivateFile | undefined> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    if (isErrno(cause, 'ENOENT')) return undefined;
    throw new KvsError({
      status: 'STATUS_OPEN_FILE_FAILED',
      message: `${path} cannot be read`,
      cause,
    });
  });
  if (file === undefined) return undefined;
  try {
    const { mode, mtimeNs, ctimeNs, size, ino } = await file.stat({ bigint: true });
    // Windows has no such bits; its files have lists of who may read them.
    const open = process.platform !== 'win32' && (Number(mode) & OTHERS) !== 0;
    if (open || size > MAX_BYTES) {
      const bits = (Number(mode) & 0o777).toString(8);
      const why = open
        ? `may be used by others (mode ${bits}); chmod 600 it`
        : 'is far too long for a file of keys';
      throw new KvsError({ status: 'STATUS_INVALID_ARG', message: `${path} ${why}` });
    }
    return { bytes: await file.readFile(), identity: [mtimeNs, ctimeNs, size, ino].join(' ') };
  } finally {
    await file.close();
  }
}

/** Writes a file that only its owner may read: wholly or not at all, durable when it resolves. @internal */
export function writePrivate(path: string, bytes: Uint8Array | string): Promise<void> {
  return replaceFile(path, bytes, 0o600);
}

/**
 * Writes a small file wholly or not at all, durable when it resolves. Rejects with `KvsError`
 * STATUS_OPEN_FILE_FAILED; what was there is then there as before. @internal
 */
export async function replaceFile(
  path: string,
  bytes: Uint8Array | string,
  mode: number,
): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}.new`;
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await flushDirectory(dirname(path));
  } catch (cause) {
    await rm(draft, { force: true });
    throw new KvsError({
      status: 'STATUS_OPEN_FILE_FAILED',
      message: `${path} cannot be written; its directory must exist`,
      cause,
    });
  }
}

function isErrno(error: unknown, code: string): boolean {
  return isError(error) && 'code' in error && error.code === code;
}
