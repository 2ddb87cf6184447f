import { cp, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KvsError } from '../../base/errors.js';
import { KIND, streamKey } from './codec.js';
import { DirectoryFile } from './directory-files.js';
import { DiskStore } from './disk-store.js';
import { LostFound } from './lost-found.js';
import { LAST_ENTRY_VERSION, exists, formatOf, openIndex, type Index } from './open-index.js';
import { reconcile, type Reconciled } from './reconcile.js';
import type { FragmentStore } from './types.js';

/** A store to look at. Only reading is allowed. @internal */
export interface ReadOnlyStore {
  readonly store: FragmentStore;
  /** What a start would say. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens a stopped service's data directory without changing anything in it: with a copy of its
 * index, which is brought in step with the media as a start would. Rejects with `KvsError`. @internal
 */
export async function openReadOnly(directory: string): Promise<ReadOnlyStore> {
  await checkStopped(directory);
  const faults: string[] = [];
  const copy = await mkdtemp(join(tmpdir(), 'kvs-index-'));
  const warn = (message: string): void => {
    faults.push(message);
  };
  try {
    if (await exists(join(directory, 'index'))) {
      await cp(join(directory, 'index'), join(copy, 'index'), { recursive: true });
    } else {
      warn('the index is missing; kvs repair makes it anew from the media');
      await mkdir(join(copy, 'index'));
    }
    const index = await openIndex(copy, new LostFound(copy, warn), warn);
    const store = await opened(directory, index, warn);
    return {
      ...{ store, faults },
      close: async () => {
        await store.close();
        await rm(copy, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(copy, { recursive: true, force: true });
    throw error;
  }
}

async function opened(
  path: string,
  index: Index,
  warn: (message: string) => void,
): Promise<FragmentStore> {
  const media = join(path, 'media');
  const directory = new DirectoryFile(media);
  const state = await directory.load();
  const format = (await formatOf(index, path)) ?? (state === undefined ? LAST_ENTRY_VERSION : 4);
  let found: Reconciled = { streams: new Map(), spoilt: [], fragments: 0, damaged: 0 };
  if (state !== undefined) {
    const known = await index.get(streamKey(KIND.generation, 0));
    const isOwn = known !== undefined && Buffer.from(known).toString('hex') === state.generation;
    found = await reconcile({
      ...{ index, media, directory, warn, hands: 'off', verify: 'heads' },
      lost: new LostFound(path, warn, 'off'),
      from: isOwn ? 'tail' : 'all',
    });
  } else if (format === 4) {
    warn('media/catalog.json is lost or damaged; the next start writes it anew');
  }
  const parts = { index, media, directory, format, found };
  return new DiskStore(parts, { directory: path, fsync: 'group', keepFormat: true, warn });
}

/** LevelDB's lock is the operating system's: Linux tells of it, others do not. */
async function checkStopped(directory: string): Promise<void> {
  let locks: string;
  let inode: number;
  try {
    inode = (await stat(join(directory, 'index', 'LOCK'))).ino;
    locks = await readFile('/proc/locks', 'utf8');
  } catch {
    return;
  }
  if (!locks.split('\n').some((line) => line.includes(`:${String(inode)} `))) return;
  throw new KvsError({
    status: 'STATUS_OPEN_FILE_FAILED',
    message: `a service uses ${directory}; stop it first`,
  });
}
