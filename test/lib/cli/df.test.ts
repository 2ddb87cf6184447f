import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { directoryUse, fileSystemUse } from '../../../lib/service/operate/disk.js';

it('adds up what a data directory takes, by stream', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kvs-df-'));
  try {
    const put = async (path: string, bytes: number): Promise<void> => {
      await mkdir(join(directory, path, '..'), { recursive: true });
      await writeFile(join(directory, path), new Uint8Array(bytes));
    };
    await put('media/1/0000000001.media', 1000);
    await put('media/1/0000000002.media', 10);
    await put('media/12/0000000001.media', 5);
    await put('index/000005.ldb', 70);
    await put('master-keys.json', 3);
    expect(await directoryUse(directory)).toEqual({
      ...{ media: 1015, index: 70, other: 3 },
      streams: new Map([
        ['1', 1010],
        ['12', 5],
      ]),
    });
    const { size, free } = await fileSystemUse(directory);
    expect(size).toBeGreaterThanOrEqual(free);
    expect(free).toBeGreaterThan(0);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
