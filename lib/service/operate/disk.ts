import type { Dirent } from 'node:fs';
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** What a data directory takes, bytes. @internal */
export interface DirectoryUse {
  /** Files that hold media. */
  readonly media: number;
  /** The index. */
  readonly index: number;
  /** Keys, certificates, what was set aside. */
  readonly other: number;
  /** Of `media`, by the id that names a stream's directory. */
  readonly streams: ReadonlyMap<string, number>;
}

/** The file system that a directory lies on, bytes. @internal */
export interface FileSystemUse {
  readonly size: number;
  /** What this user may still write. */
  readonly free: number;
}

/** Adds up the files of a data directory; what goes meanwhile counts as nothing. @internal */
export async function directoryUse(dataDir: string): Promise<DirectoryUse> {
  const streams = new Map<string, number>();
  const sums = { media: 0, index: 0, other: 0 };
  for (const entry of await entriesOf(dataDir)) {
    const path = join(dataDir, entry.name);
    if (entry.name === 'media') {
      for (const stream of await entriesOf(path)) {
        const bytes = await bytesOf(path, stream);
        streams.set(stream.name, bytes);
        sums.media += bytes;
      }
    } else {
      sums[entry.name === 'index' ? 'index' : 'other'] += await bytesOf(dataDir, entry);
    }
  }
  return { ...sums, streams };
}

/** @internal */
export async function fileSystemUse(path: string): Promise<FileSystemUse> {
  const { bsize, blocks, bavail } = await statfs(path);
  return { size: bsize * blocks, free: bsize * bavail };
}

async function bytesOf(directory: string, entry: Dirent): Promise<number> {
  const path = join(directory, entry.name);
  if (!entry.isDirectory()) return sizeOf(path);
  let bytes = 0;
  for (const inner of await entriesOf(path)) bytes += await bytesOf(path, inner);
  return bytes;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function entriesOf(path: string): Promise<Dirent[]> {
  return readdir(path, { withFileTypes: true }).catch(() => []);
}
