import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createKey, rotateKey } from '../../../lib/service/index.js';
import { temporaryDirectory } from './helpers.js';

it('edits of a key file at the same time lose none, and a lock that was left holds nobody up', async () => {
  const directory = await temporaryDirectory();
  try {
    const file = join(directory, 'keys.json');
    // A process that is gone: no machine has so many.
    await writeFile(`${file}.lock`, '4194305');
    const made = await Promise.all(Array.from({ length: 8 }, () => createKey(file)));
    const first = made[0] ?? '';
    const versions = await Promise.all([1, 2, 3].map(() => rotateKey(file, first)));
    expect([...versions].sort()).toEqual([2, 3, 4]);
    const text = await readFile(file, 'utf8');
    for (const id of made) expect(text).toContain(id);
    await expect(readFile(`${file}.lock`)).rejects.toThrow(/ENOENT/);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
