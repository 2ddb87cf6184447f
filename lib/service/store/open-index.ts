import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KvsError } from '../../base/errors.js';
import { loadOptional } from '../../base/optional.js';
import { KIND, decodeSafe, encodeSafe, streamKey } from './codec.js';
import type { IndexOp } from './committer.js';
import { HealingIndex } from './healing-index.js';
import type { LostFound } from './lost-found.js';
import { isError } from '../../base/values.js';

/** Version of the format on disk, as SPEC.md describes it. @internal */
export const FORMAT_VERSION = 4;
/** The newest version whose index says everything. @internal */
export const LAST_ENTRY_VERSION = 3;
/** The first version. It and those since are read as they are. */
const OLDEST_VERSION = 1;

/** The index: an ordered map of bytes to bytes. @internal */
export type Index = HealingIndex;

/**
 * Opens the index of a data directory, making one where there is none. One that cannot be read is
 * moved to `lost+found` and followed by an empty one, unless another process has it. @internal
 */
export async function openIndex(
  directory: string,
  lost: LostFound,
  warn: (message: string) => void,
): Promise<Index> {
  const path = join(directory, 'index');
  try {
    return await openLevel(path, directory, warn);
  } catch (error) {
    if (!isCorrupt(error)) throw cannotOpen(directory, error);
    await lost.take(path, 'the index is damaged');
    try {
      return await openLevel(path, directory, warn);
    } catch (again) {
      throw cannotOpen(directory, again);
    }
  }
}

async function openLevel(
  path: string,
  directory: string,
  warn: (message: string) => void,
): Promise<Index> {
  const level = await loadOptional('classic-level', 'the service', () => import('classic-level'));
  // LevelDB would let others read it.
  await mkdir(path, { recursive: true, mode: 0o700 });
  const db = new level.ClassicLevel<Uint8Array, Uint8Array>(path, {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  await db.open();
  return new HealingIndex(db, directory, warn);
}

/** Whether LevelDB could not make sense of its files, rather than not have them. */
function isCorrupt(error: unknown): boolean {
  for (let at = error; isError(at); at = at.cause) {
    if ('code' in at && at.code === 'LEVEL_CORRUPTION') return true;
    if (
      /Corruption|does not exist \(create_if_missing|No such file|not match|missing files/i.test(
        at.message,
      )
    ) {
      return !/lock/i.test(at.message);
    }
  }
  return false;
}

function cannotOpen(directory: string, cause: unknown): KvsError {
  return new KvsError({
    status: 'STATUS_OPEN_FILE_FAILED',
    message:
      `cannot open the index in ${directory}; ` +
      'one service at a time may use a data directory, and it must be writable',
    cause,
  });
}

/** The entry that says which format the directory has. @internal */
export function formatIs(version: number): IndexOp {
  return { type: 'put', key: streamKey(KIND.format, 0), value: encodeSafe(version) };
}

/** The entry that says which directory the index is of. @internal */
export function generationIs(generation: Uint8Array): IndexOp {
  return { type: 'put', key: streamKey(KIND.generation, 0), value: generation };
}

/** The format that an index says; undefined for an empty one. Throws where it is not known. @internal */
export async function formatOf(index: Index, directory: string): Promise<number | undefined> {
  const value = await index.get(streamKey(KIND.format, 0));
  if (value === undefined) return undefined;
  const version = decodeSafe(value);
  if (version >= OLDEST_VERSION && version <= FORMAT_VERSION) return version;
  throw new KvsError({
    status: 'STATUS_FORMAT_ERROR',
    message:
      `${directory} has format ${String(version)}, this version reads ` +
      `up to ${String(FORMAT_VERSION)}; use the version that wrote it, or another directory`,
  });
}

/** Whether there are media already. @internal */
export async function hasMedia(media: string): Promise<boolean> {
  return (await readdir(media)).some((name) => /^\d+$/.test(name));
}

/** Whether a file or folder is there. @internal */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
