import { readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { KIND, decodeSegment, partsOfSegmentKey } from './codec.js';
import type { LostFound } from './lost-found.js';
import type { Index } from './open-index.js';
import { SEGMENT_MAGIC } from './segment.js';

/** What a start of formats 1 to 3 needs. @internal */
export interface RecoverParts {
  readonly media: string;
  readonly lost: LostFound;
  readonly warn: (message: string) => void;
}

/**
 * Brings the media files of formats 1 to 3 in step with the index after a crash: bytes that were
 * never committed are cut off; files that no entry names are moved to `lost+found`, since only the
 * index knows what is in them. @internal
 */
export async function recoverSegments(
  index: Index,
  { media, lost, warn }: RecoverParts,
): Promise<void> {
  const known = new Set<string>();
  const range = { gte: Uint8Array.of(KIND.segment), lt: Uint8Array.of(KIND.segment + 1) };
  for (const [key, value] of await index.entries(range)) {
    const { id, segment } = partsOfSegmentKey(key);
    const name = join(String(id), `${String(segment).padStart(10, '0')}.media`);
    known.add(name);
    await cutTail(join(media, name), decodeSegment(value).end, warn);
  }
  await removeUnknown(media, known, lost);
}

async function cutTail(path: string, end: number, warn: (message: string) => void): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === undefined) {
    warn(`${path} is missing; fragments in it cannot be read`);
  } else if (size < end) {
    warn(`${path} has ${String(size)} bytes, ${String(end)} were committed; the rest is lost`);
  } else if (size > end) {
    await truncate(path, end);
  }
}

async function removeUnknown(
  media: string,
  known: ReadonlySet<string>,
  lost: LostFound,
): Promise<void> {
  for (const directory of await readdir(media)) {
    if (directory.startsWith('catalog')) continue;
    for (const name of await readdir(join(media, directory))) {
      const path = join(media, directory, name);
      // Side files of a move that was cut off are written anew by the next one.
      if (known.has(join(directory, name)) || /\.(records|json|tmp)$/.test(name)) continue;
      const { size } = await stat(path);
      if (size <= SEGMENT_MAGIC.length) await rm(path, { recursive: true });
      else await lost.take(path, 'the index does not know it');
    }
  }
}
