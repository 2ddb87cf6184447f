import { openDirectory } from './open-directory.js';

/** What a repair found. */
export interface RepairReport {
  readonly streams: number;
  /** Fragments that are whole; all of them can be read. */
  readonly fragments: number;
  /** Fragments whose bytes are not what was stored; they are left out. */
  readonly damaged: number;
  /** What was done and what is wrong, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Makes the index of a stopped service's data directory anew from its media, which are read to the
 * last byte. The old index goes to `lost+found`; media are not changed. Needs no key. What formats 1
 * to 3 wrote stays as their records tell of it; a directory that was never moved to format 4 is left
 * as it is.
 *
 * @throws KvsError when a service uses the directory, or its format is unknown.
 */
export async function repairStore(directory: string): Promise<RepairReport> {
  const notes: string[] = [];
  const warn = (message: string): void => {
    notes.push(message);
  };
  const opened = await openDirectory({ path: directory, warn, index: 'rebuild' });
  try {
    const { found, format } = opened;
    if (found.streams.size === 0 && format < 4) {
      notes.push(`${directory} has format ${String(format)}: its index is all that tells of it`);
    }
    const { fragments, damaged } = found;
    return { streams: found.streams.size, fragments, damaged, notes };
  } finally {
    await opened.index.close();
  }
}
