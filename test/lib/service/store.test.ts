import { appendFile, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { describe, expect, it } from 'vitest';
import {
  HEADER_BLOCK_BYTES,
  RECORD_BYTES,
  SEGMENT_HEAD_BYTES,
} from '../../../lib/service/store/blocks.js';
import { openDiskStore } from '../../../lib/service/store/disk-store.js';
import { DataKey } from '../../../lib/service/media/seal.js';
import { openWriter, type FragmentWriter } from '../../../lib/service/media/writer.js';
import { FragmentDamagedError } from '../../../lib/service/store/types.js';
import { readMedia } from '../../../lib/parser/index.js';
import { cluster, header } from '../../support/mkv.js';
import { createStream, getMedia, putMedia, temporaryDirectory, withService } from './helpers.js';
import { bytesOfFragment, meta, storeContract } from './store-contract.js';

const NONE = new Uint8Array();
/** Behind the head of the file, an empty header, and the record of the first fragment. */
const CLUSTER_AT = SEGMENT_HEAD_BYTES + HEADER_BLOCK_BYTES + 4 + RECORD_BYTES;

const KEY = new DataKey(Buffer.alloc(32, 7));

describe.each([
  { segmentBytes: 64 * 1024 * 1024, as: 'sent' },
  { segmentBytes: 100_000, as: 'sent' },
  { segmentBytes: 64 * 1024 * 1024, as: 'sealed', key: KEY },
  { segmentBytes: 100_000, as: 'sealed', key: KEY },
])('disk store, segments of $segmentBytes bytes, fragments as $as', ({ segmentBytes, key }) => {
  storeContract(async () => {
    const directory = await temporaryDirectory();
    const options = { directory, fsync: 'group', segmentBytes } as const;
    let store = await openDiskStore(options);
    return {
      store,
      reopen: async () => {
        await store.close();
        store = await openDiskStore(options);
        return store;
      },
      remove: async () => {
        await store.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  }, key);
});

async function oneFragment(directory: string, bytes: Uint8Array): Promise<string> {
  const store = await openDiskStore({ directory, fsync: 'group' });
  const writer = await openWriter(store, 1);
  writer.begin(NONE, meta(1).number);
  writer.append(bytes);
  await writer.commit(meta(1), NONE, 'flushed');
  await writer.close();
  await store.close();
  return join(directory, 'media', '1', '0000000001.media');
}

describe('disk store after harm', () => {
  it('cuts off a torn tail and removes files that were never committed to', async () => {
    const directory = await temporaryDirectory();
    const path = await oneFragment(directory, new Uint8Array(1000));
    const { size } = await stat(path);
    await appendFile(path, new Uint8Array(777));
    await appendFile(join(directory, 'media', '1', '0000000009.media'), 'x');
    const store = await openDiskStore({ directory, fsync: 'group' });
    expect((await stat(path)).size).toBe(size);
    const names = (await readdir(join(directory, 'media', '1'))).sort();
    expect(names.filter((name) => name.endsWith('.media'))).toEqual(['0000000001.media']);
    expect(await bytesOfFragment(store, 1, meta(1).number)).toEqual(Buffer.alloc(1000));
    await store.close();
    await rm(directory, { recursive: true });
  });

  it.each([0, 300_000, 599_999])('finds one wrong byte, at %i', async (at) => {
    const directory = await temporaryDirectory();
    const path = await oneFragment(directory, new Uint8Array(600_000));
    const file = await open(path, 'r+');
    await file.write(Uint8Array.of(1), 0, 1, CLUSTER_AT + at);
    await file.close();
    const store = await openDiskStore({ directory, fsync: 'group' });
    await expect(bytesOfFragment(store, 1, meta(1).number)).rejects.toThrow(FragmentDamagedError);
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('tells of a file that is too short or gone, and starts all the same', async () => {
    const directory = await temporaryDirectory();
    const path = await oneFragment(directory, new Uint8Array(1000));
    const warnings: string[] = [];
    const warn = (message: string): void => {
      warnings.push(message);
    };
    const file = await open(path, 'r+');
    await file.truncate(500);
    await file.close();
    await (await openDiskStore({ directory, fsync: 'group', warn })).close();
    await rm(path);
    const store = await openDiskStore({ directory, fsync: 'group', warn });
    await expect(bytesOfFragment(store, 1, meta(1).number)).rejects.toThrow(FragmentDamagedError);
    await store.close();
    expect(warnings).toEqual([
      expect.stringContaining(`has 500 bytes, ${String(CLUSTER_AT + 1004)} were committed`),
      expect.stringContaining('is missing'),
    ]);
    await rm(directory, { recursive: true });
  });

  it('a quota is filled and never passed, seals and new files included, by any number of writers', async () => {
    const directory = await temporaryDirectory();
    const quota = 6_000_000;
    const store = await openDiskStore({
      ...{ directory, quota, fsync: 'group', segmentBytes: 100_000 },
    });
    const writers = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7].map((id) => openWriter(store, id, KEY)),
    );
    const fits = (writer: FragmentWriter, bytes: number): boolean =>
      store.media.room() >= writer.growth(bytes);
    const begun = new Set(writers);
    for (let number = 1; begun.size > 0; number += 1) {
      begun.clear();
      const able = writers.filter(
        (writer) => store.media.room() >= writer.growthToBegin(NONE) * writers.length,
      );
      for (const writer of able) writer.begin(NONE, meta(number).number);
      // Longer than a piece in the end, and no two equally long; the last room is taken byte by byte.
      for (let at = 0; at < 300; at += 1) {
        for (const writer of able.slice(at % writers.length)) {
          const bytes = [997, 1].find((some) => fits(writer, some));
          if (bytes === undefined) continue;
          writer.append(Buffer.alloc(bytes, 9));
          begun.add(writer);
        }
      }
      for (const writer of able) if (!begun.has(writer)) writer.abort();
      await Promise.all([...begun].map((writer) => writer.commit(meta(number), NONE, 'buffered')));
    }
    for (const writer of writers) await writer.close();
    await store.close();
    const names = await readdir(join(directory, 'media'), { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.name.endsWith('.media'));
    expect(files.length).toBeGreaterThan(writers.length);
    const sizes = await Promise.all(
      files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThanOrEqual(quota);
    expect(bytes).toBeGreaterThan(quota - 4000);
    await rm(directory, { recursive: true });
  });

  it('refuses a format that it does not know', async () => {
    const directory = await temporaryDirectory();
    await oneFragment(directory, NONE);
    const index = new ClassicLevel<Uint8Array, Uint8Array>(join(directory, 'index'), {
      keyEncoding: 'view',
      valueEncoding: 'view',
    });
    await index.put(new Uint8Array(5), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 5));
    await index.close();
    await expect(openDiskStore({ directory, fsync: 'group' })).rejects.toThrow(/has format 5/);
    await rm(directory, { recursive: true });
  });

  it('leaves a damaged fragment out of GetMedia, says so in the log, and goes on', async () => {
    const lines: string[] = [];
    const log = (_: string, message: string): void => {
      lines.push(message);
    };
    await withService({ log }, async (service, dataDir) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      const data = new Uint8Array(5000);
      put.send(header(), ...[0, 1, 2].map((time) => cluster(time, [{ time: 0, data }])));
      put.end();
      await put.untilEnded();
      const file = await open(join(dataDir, 'media', '1', '0000000001.media'), 'r+');
      await file.write(Uint8Array.of(1), 0, 1, 12 + 7000);
      await file.close();
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 2);
      const times: (number | undefined)[] = [];
      for await (const event of readMedia([media])) {
        if (event.kind === 'fragmentEnd') times.push(event.fragment.clusterTimecodeMs);
      }
      expect(times).toEqual([0, 2]);
      expect(lines.filter((line) => line.includes('left out a fragment'))).toHaveLength(1);
    });
  });
});
