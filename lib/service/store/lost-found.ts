import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

/** Whether files of the directory may be changed, or only looked at. @internal */
export type Hands = 'on' | 'off';

/** Moves what is not understood out of the way instead of deleting it. @internal */
export class LostFound {
  readonly #directory: string;
  readonly #warn: (message: string) => void;
  readonly #hands: Hands;

  /** `directory`: the data directory. */
  constructor(directory: string, warn: (message: string) => void, hands: Hands = 'on') {
    this.#directory = directory;
    this.#warn = warn;
    this.#hands = hands;
  }

  /** Moves a file or folder to `lost+found`, and says why and how much it is. */
  async take(path: string, why: string): Promise<void> {
    const bytes = await bytesOf(path);
    if (this.#hands === 'off') {
      this.#warn(`${relative(this.#directory, path)}: ${why}; it has ${String(bytes)} bytes`);
      return;
    }
    const folder = join(this.#directory, 'lost+found');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const name = relative(this.#directory, path).replaceAll(/[\\/]/g, '-');
    const to = await freeName(join(folder, name));
    await rename(path, to);
    this.#warn(
      `${relative(this.#directory, path)}: ${why}; its ${String(bytes)} bytes are in ` +
        `${basename(dirname(to))}/${basename(to)} now`,
    );
  }
}

async function freeName(wanted: string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const path = count === 1 ? wanted : `${wanted}.${String(count)}`;
    try {
      await stat(path);
    } catch {
      return path;
    }
  }
}

/** Bytes of a file, or of all files of a folder. @internal */
export async function bytesOf(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  const sizes = (await readdir(path)).map((name) => bytesOf(join(path, name)));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
