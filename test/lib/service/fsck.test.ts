import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fsck } from '../../../lib/service/index.js';
import { cluster, header } from '../../support/mkv.js';
import { createStream, putMedia, temporaryDirectory, withService } from './helpers.js';

it('fsck finds each damaged fragment and no other', async () => {
  const dataDir = await temporaryDirectory();
  try {
    await expect(fsck(dataDir)).rejects.toThrow(/holds no data of a service/);
    const marks = [0x11, 0x22, 0x33].map((byte) => Buffer.alloc(64, byte));
    await withService({ dataDir }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header(), ...marks.map((data, at) => cluster(at * 2000, [{ time: 0, data }])));
      put.end();
      await put.untilEnded();
      expect(put.count('PERSISTED')).toBe(3);
    });
    expect(await fsck(dataDir)).toMatchObject({ streams: 1, fragments: 3, faults: [] });
    const folder = join(dataDir, 'media', '1');
    const [name = ''] = await readdir(folder);
    const file = await open(join(folder, name), 'r+');
    const media = await file.readFile();
    await file.write(Buffer.of(0x23), 0, 1, media.indexOf(marks[1] ?? ''));
    await file.close();
    const { fragments, faults } = await fsck(dataDir);
    expect(fragments).toBe(3);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^stream cam: fragment \d+ is damaged: piece 0/);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
