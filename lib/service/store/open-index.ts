import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KvsError } from '../../base/errors.js';
import { loadOptional } from '../../base/optional.js';
import { KIND, decodeSafe, encodeSafe, streamKey } from './codec.js';
import type { IndexOp } from './committer.js';
import { HealingIndex } from './healing-index.js';
import { recoverSegments } from './recover.js';

/** Version of the format on disk, as SPEC.md describes it. @internal */
export const FORMAT_VERSION = 3;
/** The first version. It and those since are read as they are. */
const OLDEST_VERSION = 1;

/** The index: an ordered map of bytes to bytes. @internal */
export type Index = HealingIndex;

/** Opens the index of a data directory and brings its media in step with it. @internal */
export async function openIndex(
  directory: string,
  warn: (message: string) => void,
): Promise<{ readonly index: Index; readonly media: string; readonly format: number }> {
  const media = join(directory, 'media');
  const level = await loadOptional('classic-level', 'the service', () => import('classic-level'));
  await mkdir(media, { recursive: true, mode: 0o700 });
  const path = join(directory, 'index');
  // LevelDB would let others read it.
  await mkdir(path, { recursive: true, mode: 0o700 });
  const db = new level.ClassicLevel<Uint8Array, Uint8Array>(path, {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  try {
    await db.open();
  } catch (error) {
    throw new KvsError({
      status: 'STATUS_OPEN_FILE_FAILED',
      message:
        `cannot open the index in ${directory}; ` +
        'one service at a time may use a data directory, and it must be writable',
      cause: error,
    });
  }
  const index = new HealingIndex(db, directory, warn);
  try {
    const format = await checkFormat(index, directory);
    await recoverSegments(index, media, warn);
    return { index, media, format };
  } catch (error) {
    await index.close();
    throw error;
  }
}

/** The entry that says which format the directory has. @internal */
export function formatIs(version: number): IndexOp {
  return { type: 'put', key: streamKey(KIND.format, 0), value: encodeSafe(version) };
}

async function checkFormat(index: Index, directory: string): Promise<number> {
  const key = streamKey(KIND.format, 0);
  const value = await index.get(key);
  if (value === undefined) {
    await index.batch([formatIs(FORMAT_VERSION)], { sync: true });
    return FORMAT_VERSION;
  }
  const version = decodeSafe(value);
  if (version < OLDEST_VERSION || version > FORMAT_VERSION) {
    throw new KvsError({
      status: 'STATUS_FORMAT_ERROR',
      message:
        `${directory} has format ${String(version)}, this version reads ` +
        `up to ${String(FORMAT_VERSION)}; use the version that wrote it, or another directory`,
    });
  }
  return version;
}
