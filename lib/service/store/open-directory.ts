import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KIND, streamKey } from './codec.js';
import { DirectoryFile, StreamFile, newDirectory } from './directory-files.js';
import { LostFound } from './lost-found.js';
import {
  FORMAT_VERSION,
  LAST_ENTRY_VERSION,
  formatIs,
  formatOf,
  generationIs,
} from './open-index.js';
import { hasMedia, openIndex, type Index } from './open-index.js';
import { reconcile, type Reconciled } from './reconcile.js';
import { recoverSegments } from './recover.js';

/** A data directory that is open, with its index in step with its media. @internal */
export interface OpenDirectory {
  readonly index: Index;
  /** Directory of the media files. */
  readonly media: string;
  /** Version of the format that it has. */
  readonly format: number;
  readonly directory: DirectoryFile;
  readonly found: Reconciled;
}

/** How a directory is opened. @internal */
export interface OpenOptions {
  readonly path: string;
  readonly warn: (message: string) => void;
  /** `rebuild`: whatever the index says, it is made anew from the media, which are read to the last byte. */
  readonly index: 'trust' | 'rebuild';
}

/** Opens a data directory, or makes one. Rejects with `KvsError`. @internal */
export async function openDirectory({
  path,
  warn,
  index: how,
}: OpenOptions): Promise<OpenDirectory> {
  const media = join(path, 'media');
  await mkdir(media, { recursive: true, mode: 0o700 });
  const lost = new LostFound(path, warn);
  const directory = new DirectoryFile(media);
  await directory.load();
  let index = await openIndex(path, lost, warn);
  try {
    const format = await formatOf(index, path);
    if (directory.state === undefined) await findState({ index, media, directory, format, lost });
    if (directory.state === undefined) {
      await recoverSegments(index, { media, lost, warn });
      return { index, media, directory, format: format ?? LAST_ENTRY_VERSION, found: NOTHING };
    }
    const generation = Buffer.from(directory.state.generation, 'hex');
    const known = await index.get(streamKey(KIND.generation, 0));
    const isOwn = known !== undefined && Buffer.compare(known, generation) === 0;
    if (!isOwn || how === 'rebuild') {
      const hadMedia = await hasMedia(media);
      if (hadMedia && !isOwn)
        warn('the index is missing, or another; it is made anew from the media');
      index = await emptied(index, { path, lost, warn }, format !== undefined);
      await index.batch([formatIs(FORMAT_VERSION), generationIs(generation)], { sync: true });
    }
    const job = { index, media, directory, lost, warn, hands: 'on' as const };
    const found = await reconcile({
      ...job,
      from: isOwn && how === 'trust' ? 'tail' : 'all',
      verify: how === 'rebuild' ? 'contents' : 'heads',
    });
    return { index, media, directory, format: FORMAT_VERSION, found };
  } catch (error) {
    await index.close();
    throw error;
  }
}

const NOTHING: Readonly<Reconciled> = { streams: new Map(), spoilt: [], fragments: 0, damaged: 0 };

/** An index that is not this directory's, or not to be believed, makes room for an empty one. */
async function emptied(
  index: Index,
  { path, lost, warn }: { path: string; lost: LostFound; warn: (message: string) => void },
  hasEntries: boolean,
): Promise<Index> {
  if (!hasEntries) return index;
  await index.close();
  await lost.take(join(path, 'index'), 'it is made anew from the media');
  return openIndex(path, lost, warn);
}

interface StateJob {
  readonly index: Index;
  readonly media: string;
  readonly directory: DirectoryFile;
  readonly format: number | undefined;
  readonly lost: LostFound;
}

/** What a directory without a file of its own is: new, of format 4 all the same, or older. */
async function findState({ index, media, directory, format, lost }: StateJob): Promise<void> {
  if (format !== undefined && format < FORMAT_VERSION) return;
  const names = (await readdir(media)).filter((name) => /^[1-9]\d{0,9}$/.test(name));
  const own = await Promise.all(names.map((name) => StreamFile.load(media, Number(name))));
  const streams = own.filter((stream) => stream !== undefined).map(({ state }) => state);
  const known = await index.get(streamKey(KIND.generation, 0));
  const generation =
    streams[0]?.generation ??
    (known === undefined ? undefined : Buffer.from(known).toString('hex'));
  const state = { ...newDirectory(), ...(generation !== undefined && { generation }) };
  if (streams.length === 0 && format === undefined) {
    for (const name of names) {
      await lost.take(join(media, name), 'the index of format 3 or older is lost that told of it');
    }
  }
  const nextId = Math.max(0, ...streams.map(({ id }) => id), ...names.map(Number)) + 1;
  const ids = streams.filter(({ deleted }) => deleted !== true).map(({ id }) => id);
  await directory.store({ ...state, nextId, streams: ids });
}
