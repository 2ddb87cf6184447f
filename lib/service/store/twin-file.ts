import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join, parse } from 'node:path';
import { crc32 } from 'node:zlib';
import { flushDirectory } from './flush-directory.js';

/**
 * A small JSON value in two files. Each is written in place and flushed before the other is: whatever
 * a crash leaves of one, the other is whole; afterwards either tells all; and no room is needed on a
 * full disk to change it. @internal
 */
export class TwinFile {
  readonly #paths: readonly [string, string];
  /** Which writing the value is of; 0 for none. */
  #turn = 0;
  #made = false;

  /** `path`: of the first; the second has `-2` before its extension. */
  constructor(path: string) {
    const { name, ext } = parse(path);
    this.#paths = [path, join(dirname(path), `${name}-2${ext}`)];
  }

  /** The newest value that is whole; undefined where there is none. */
  async load(): Promise<unknown> {
    const found = await Promise.all(this.#paths.map(readTwin));
    const whole = found.filter((twin) => twin !== undefined).sort((a, b) => b.turn - a.turn);
    this.#turn = whole[0]?.turn ?? 0;
    this.#made = found.every((twin) => twin !== undefined);
    return whole[0]?.value;
  }

  /** Durable when it resolves. One call at a time. */
  async store(value: object): Promise<void> {
    const turn = this.#turn + 1;
    const text = JSON.stringify({ turn, value });
    const line = `${text}\n${crc32(text).toString(16).padStart(8, '0')}\n`;
    const folder = dirname(this.#paths[0]);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const path of this.#paths) await writeTwin(path, line);
    if (!this.#made) {
      await flushDirectory(folder);
      await flushDirectory(dirname(folder));
      this.#made = true;
    }
    this.#turn = turn;
  }
}

async function writeTwin(path: string, line: string): Promise<void> {
  const file = await openTwin(path);
  try {
    await file.write(line, 0);
    await file.truncate(Buffer.byteLength(line));
    await file.sync();
  } finally {
    await file.close();
  }
}

async function openTwin(path: string): ReturnType<typeof open> {
  try {
    return await open(path, 'r+');
  } catch {
    return open(path, 'w', 0o600);
  }
}

async function readTwin(
  path: string,
): Promise<{ readonly turn: number; readonly value: unknown } | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  const [json = '', sum] = text.split('\n');
  if (sum !== crc32(json).toString(16).padStart(8, '0')) return undefined;
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null || !('turn' in value) || !('value' in value)) {
    return undefined;
  }
  return typeof value.turn === 'number' ? { turn: value.turn, value: value.value } : undefined;
}
