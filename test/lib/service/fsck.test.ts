import { readFile, rename, rm, writeFile } from 'node:fs/promises';
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
    const path = join(folder, '0000000001.media');
    const media = await readFile(path);
    // Three fragments of equal length stand behind 12 bytes; this is in the second.
    const middle = 12 + Math.floor((media.length - 12) / 2);
    await writeFile(path, flipped(media, middle));
    const { fragments, faults } = await fsck(dataDir);
    expect(fragments).toBe(3);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^stream cam: fragment \d+ (is damaged|has a damaged record)/);
    await writeFile(path, media);
    await rename(join(dataDir, 'master-keys.json'), join(dataDir, 'elsewhere.json'));
    expect((await fsck(dataDir)).faults).toEqual([
      expect.stringMatching(
        /^stream cam: Unable to find the KMS key .*master-keys\.json has no key 'aws/,
      ),
    ]);
    const keyFile = join(dataDir, 'elsewhere.json');
    expect(await fsck(dataDir, { keyFile })).toMatchObject({ fragments: 3, faults: [] });
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

function flipped(media: Buffer, at: number): Buffer {
  const changed = Buffer.from(media);
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
  return changed;
}
