import { readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { KIND, decodeSegment, partsOfSegmentKey } from './codec.js';
import type { HealingIndex as Index } from './healing-index.js';

/**
 * Brings the media files in step with the index after a crash: bytes that were never committed
 * are cut off, files that no entry names are removed. @internal
 */
export async function recoverSegments(
  index: Index,
  media: string,
  warn: (message: string) => void,
): Promise<void> {
  const known = new Set<string>();
  const range = { gte: Uint8Array.of(KIND.segment), lt: Uint8Array.of(KIND.segment + 1) };
  for (const [key, value] of await index.entries(range)) {
    const { id, segment } = partsOfSegmentKey(key);
    const name = join(String(id), `${String(segment).padStart(10, '0')}.media`);
    known.add(name);
    await cutTail(join(media, name), decodeSegment(value).end, warn);
  }
  await removeUnknown(media, known);
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

async function removeUnknown(media: string, known: ReadonlySet<string>): Promise<void> {
  for (const directory of await readdir(media)) {
    const names = await readdir(join(media, directory));
    const unknown = names.filter((name) => !known.has(join(directory, name)));
    for (const name of unknown) await rm(join(media, directory, name), { recursive: true });
    if (unknown.length === names.length) await rm(join(media, directory), { recursive: true });
  }
}
