import { createHash } from 'node:crypto';
import { chmod, cp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openReader } from '../../../lib/service/media/reader.js';
import { DataKey } from '../../../lib/service/media/seal.js';
import { openWriter } from '../../../lib/service/media/writer.js';
import { openDiskStore, type DiskStoreOptions } from '../../../lib/service/store/disk-store.js';
import type { FragmentStore } from '../../../lib/service/store/types.js';
import { temporaryDirectory } from './helpers.js';
import { bytesOfFragment, meta } from './store-contract.js';

/* The media describe themselves: whatever becomes of the index, they can be read. */

const KEY = new DataKey(Buffer.alloc(32, 7));
const HEADER = Buffer.from('a header');
const RECORD = {
  ...{ id: 1, account: '000000000000', name: 'cam', creationTime: 5, retentionHours: 1 },
  ...{ version: 'v', tags: { place: 'door' } },
};

let directory = '';
let warnings: string[] = [];
beforeEach(async () => {
  directory = await temporaryDirectory();
  warnings = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function withStore<T>(
  use: (store: FragmentStore) => Promise<T>,
  options: Partial<DiskStoreOptions> = {},
): Promise<T> {
  const warn = (message: string): void => {
    warnings.push(message);
  };
  const store = await openDiskStore({ directory, fsync: 'group', warn, ...options });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Stores fragments of these sequence numbers in stream 1; each has its own bytes. */
async function put(store: FragmentStore, ...sequences: readonly number[]): Promise<void> {
  const writer = await openWriter(store, 1, KEY);
  for (const sequence of sequences) {
    writer.begin(HEADER, meta(sequence).number);
    writer.append(bytesOf(sequence));
    await writer.commit(meta(sequence), Buffer.from(`tags ${String(sequence)}`), 'flushed');
  }
  await writer.close();
}

function bytesOf(sequence: number): Buffer {
  return Buffer.alloc(3000, sequence);
}

async function made(...sequences: readonly number[]): Promise<void> {
  await withStore(async (store) => {
    await store.catalog.putStream(RECORD, undefined);
    await put(store, ...sequences);
  });
}

/** Sequence numbers of the fragments that are there; all that is said of each is compared. */
async function shown(store: FragmentStore): Promise<number[]> {
  const all = await store.index.byNumber(1, { limit: 1000 });
  const reader = openReader(store, 1, () => Promise.resolve(KEY));
  const found: number[] = [];
  for (const record of all) {
    const sequence = Number((record.number >> 92n) & ((1n << 64n) - 1n));
    expect(record).toMatchObject(meta(sequence));
    expect(await bytesOfFragment(store, 1, record.number, KEY)).toEqual(bytesOf(sequence));
    expect(Buffer.from(await reader.header(record))).toEqual(HEADER);
    expect(String(Buffer.from(await reader.tags(record)))).toBe(`tags ${String(sequence)}`);
    found.push(sequence);
  }
  await reader.close();
  const times = await store.index.byTime(1, { kind: 'producer', from: 0, to: 1e9, limit: 1000 });
  expect(times.map(({ number }) => number).sort()).toEqual(all.map(({ number }) => number).sort());
  const counted = await store.index.byOrdinal(1, { limit: 1000 });
  expect(counted.map(({ number }) => number)).toEqual(all.map(({ number }) => number));
  return found;
}

const index = (): string => join(directory, 'index');
const segment = (number: number): string =>
  join(directory, 'media', '1', `${String(number).padStart(10, '0')}.media`);

describe('an index that is lost', () => {
  it('is made anew from the media, and goes on above every number that was reserved', async () => {
    await made(1, 2, 3);
    const before = await withStore(async (store) => {
      const lease = store.live.lease(1);
      await lease.ready();
      return lease.openNumber(0);
    });
    await rm(index(), { recursive: true });
    await withStore(async (store) => {
      expect(await store.catalog.streams()).toEqual([RECORD]);
      expect(await shown(store)).toEqual([1, 2, 3]);
      const lease = store.live.lease(1);
      await lease.ready();
      expect(lease.openNumber(0)).toBeGreaterThan(before);
      await put(store, 4);
      expect(await shown(store)).toEqual([1, 2, 3, 4]);
      expect(await store.catalog.newStreamId()).toBe(2);
    });
    expect(warnings).toContainEqual(expect.stringMatching(/index is missing.*made anew/));
  });

  it.each(['emptied', 'of zeros', 'cut'] as const)(
    'is made anew where each file of it is %s',
    async (how) => {
      await made(1, 2, 3);
      await withStore(() => Promise.resolve());
      for (const name of await readdir(index())) {
        const path = join(index(), name);
        const bytes = await readFile(path);
        const half = bytes.subarray(0, bytes.length >> 1);
        const harmed = { emptied: '', cut: half, 'of zeros': Buffer.alloc(bytes.length) };
        await writeFile(path, harmed[how]);
      }
      await withStore(async (store) => {
        expect(await shown(store)).toEqual([1, 2, 3]);
      });
    },
  );

  it('loses no fragment by one wrong bit anywhere in its files', async () => {
    await made(1, 2, 3, 4, 5, 6);
    const copy = `${index()}.copy`;
    await cp(index(), copy, { recursive: true });
    const names = (await readdir(copy)).filter((name) => !/^LO(CK|G)/.test(name));
    let looked = 0;
    for (const name of names) {
      const bytes = await readFile(join(copy, name));
      const step = Math.max(1, Math.floor(bytes.length / 24));
      for (let at = 0; at < bytes.length; at += step) {
        await rm(index(), { recursive: true });
        await cp(copy, index(), { recursive: true });
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        await writeFile(join(index(), name), changed);
        looked += 1;
        await withStore(async (store) => {
          expect(await shown(store), `${name} ${String(at)}`).toEqual([1, 2, 3, 4, 5, 6]);
        });
      }
    }
    expect(looked).toBeGreaterThan(40);
  });

  it('that is put back to an older state of itself takes in what it does not know', async () => {
    await made(1, 2);
    await cp(index(), `${index()}.old`, { recursive: true });
    await withStore((store) => put(store, 3, 4));
    await rm(index(), { recursive: true });
    await rename(`${index()}.old`, index());
    await withStore(async (store) => {
      expect(await shown(store)).toEqual([1, 2, 3, 4]);
    });
    expect(warnings).toContainEqual(expect.stringMatching(/2 fragments that the index had not/));
  });

  it('never brings back what has expired, nor a stream that was deleted', async () => {
    const options = { segmentBytes: 5000 };
    await made(1, 2, 3, 4);
    await cp(index(), `${index()}.old`, { recursive: true });
    await withStore(async (store) => {
      await put(store, 5, 6, 7, 8);
      await store.index.expire(1, { kind: 'number', before: meta(6).number });
      await store.catalog.putStream({ ...RECORD, id: 2, name: 'gone' }, undefined);
      await store.catalog.deleteStream(2);
    }, options);
    for (const how of ['missing', 'old'] as const) {
      await rm(index(), { recursive: true });
      if (how === 'old') await rename(`${index()}.old`, index());
      await withStore(async (store) => {
        expect(await shown(store)).toEqual([6, 7, 8]);
        expect((await store.catalog.streams()).map(({ name }) => name)).toEqual(['cam']);
        expect(await store.catalog.newStreamId()).toBeGreaterThan(2);
      }, options);
    }
  });

  it('goes on counting where it was, also when all has expired', async () => {
    await made(1, 2, 3);
    await withStore(async (store) => {
      await store.index.expire(1, { kind: 'number', before: meta(9).number });
      expect(await shown(store)).toEqual([]);
    });
    await rm(index(), { recursive: true });
    await withStore(async (store) => {
      await put(store, 10);
      const [record] = await store.index.byNumber(1, { limit: 1 });
      expect(record).toMatchObject({ ordinal: 4, liveOrdinal: 4, live: true, producerBreaks: 1 });
    });
  });
});

describe('one file that is harmed', () => {
  it.each(['stream.json', 'stream-2.json'])('%s: nothing is lost', async (name) => {
    await made(1, 2);
    await writeFile(join(directory, 'media', '1', name), 'harmed');
    await withStore(async (store) => {
      expect(await store.catalog.streams()).toEqual([RECORD]);
      expect(await shown(store)).toEqual([1, 2]);
    });
  });

  it('both copies of stream.json: they are written anew from the index', async () => {
    await made(1, 2);
    for (const name of ['stream.json', 'stream-2.json']) {
      await rm(join(directory, 'media', '1', name), { force: true });
    }
    await withStore(async (store) => {
      expect(await store.catalog.streams()).toEqual([RECORD]);
      expect(await shown(store)).toEqual([1, 2]);
    });
    expect(warnings).toContainEqual(expect.stringMatching(/stream\.json is lost or damaged/));
  });

  it('both copies of catalog.json: they are written anew from the streams', async () => {
    await made(1, 2);
    for (const name of ['catalog.json', 'catalog-2.json']) {
      await rm(join(directory, 'media', name), { force: true });
    }
    await withStore(async (store) => {
      expect(await shown(store)).toEqual([1, 2]);
      expect(await store.catalog.newStreamId()).toBe(2);
    });
  });

  it('a segment file that is missing costs its own fragments; the stream is written and read', async () => {
    const options = { segmentBytes: 5000 };
    await withStore(async (store) => {
      await store.catalog.putStream(RECORD, undefined);
      await put(store, 1, 2, 3, 4);
    }, options);
    await rm(segment(1));
    await withStore(async (store) => {
      await put(store, 5);
      const all = await store.index.byNumber(1, { limit: 9 });
      const readable = await Promise.all(
        all.map(({ number }) => bytesOfFragment(store, 1, number, KEY).catch(() => undefined)),
      );
      expect(readable[0]).toBeUndefined();
      expect(readable.at(-1)).toEqual(bytesOf(5));
      expect(await store.index.expire(1, { kind: 'number', before: meta(5).number })).toBe(4);
      expect(await shown(store)).toEqual([5]);
    }, options);
    expect(warnings).toContainEqual(expect.stringMatching(/0000000001\.media is missing/));
  });

  it('files that nobody knows go to lost+found, and their bytes are counted', async () => {
    await made(1);
    await writeFile(join(directory, 'media', '1', 'notes.txt'), 'twelve bytes');
    await writeFile(segment(7), Buffer.alloc(500, 1));
    await withStore(async (store) => {
      expect(await shown(store)).toEqual([1]);
    });
    expect((await readdir(join(directory, 'lost+found'))).sort()).toEqual([
      'media-1-0000000007.media',
      'media-1-notes.txt',
    ]);
    expect(warnings).toContainEqual(expect.stringMatching(/notes\.txt.*its 12 bytes/));
  });
});

describe('a deletion that a crash cut off', () => {
  it('is ended by the next start', async () => {
    await made(1, 2);
    const folder = join(directory, 'media', '1');
    const copy = join(directory, 'copy');
    await cp(folder, copy, { recursive: true });
    await withStore((store) => store.catalog.deleteStream(1));
    expect(await readdir(join(directory, 'media'))).not.toContain('1');
    // What a kill leaves that comes when the stream is marked and nothing more is done.
    await rename(copy, folder);
    const state = { format: 4, id: 1, deleted: true, reserved: 1, lowMark: '0', segments: 1 };
    const generation = await generationOf();
    await writeTwin(join(folder, 'stream.json'), 9, { ...state, generation, counters: {} });
    await withStore(async (store) => {
      expect(await store.catalog.streams()).toEqual([]);
      expect(await shown(store)).toEqual([]);
    });
    expect(await readdir(join(directory, 'media'))).not.toContain('1');
  });
});

describe('segment numbers', () => {
  it('are never given twice, also when all files of a stream are gone', async () => {
    await made(1);
    await withStore(async (store) => {
      await store.index.expire(1, { kind: 'number', before: meta(5).number });
      await put(store, 6);
      expect((await stat(segment(2))).size).toBeGreaterThan(3000);
      await store.index.expire(1, { kind: 'number', before: meta(7).number });
    });
    await rm(index(), { recursive: true });
    await withStore(async (store) => {
      await put(store, 8);
      expect((await stat(segment(3))).size).toBeGreaterThan(3000);
    });
  });
});

describe.each([1, 2, 3])('a directory of format %i', (format) => {
  const golden = `test/golden/store/format-${String(format)}`;

  async function copyGolden(): Promise<void> {
    await rm(directory, { recursive: true });
    await cp(golden, directory, { recursive: true });
    if (format > 1) await chmod(join(directory, 'master-keys.json'), 0o600);
  }

  async function summary(store: FragmentStore): Promise<string[]> {
    const lines: string[] = [];
    for (const { id, name } of await store.catalog.streams()) {
      for (const record of await store.index.byNumber(id, { limit: 100 })) {
        lines.push(`${name} ${String(record.number)} ${String(record.clusterBytes)}`);
      }
    }
    return lines;
  }

  it('is read as it is, and changes nothing while nothing is written', async () => {
    await copyGolden();
    await withStore(async (store) => {
      expect(await summary(store)).toHaveLength(9);
    });
    expect(await readdir(join(directory, 'media', '1'))).toEqual(['0000000001.media']);
  });

  it('is moved to format 4 by its first write, and its index can be made anew from then on', async () => {
    await copyGolden();
    const told: string[] = [];
    const info = (message: string): void => {
      told.push(message);
    };
    const media = await hashOf(join(directory, 'media', '1', '0000000001.media'));
    const before = await withStore(
      async (store) => {
        const lines = await summary(store);
        await store.live.lease(1).ready();
        return lines;
      },
      { info },
    );
    expect(told[0]).toMatch(new RegExp(`moved from format ${String(format)} to 4`));
    await rm(index(), { recursive: true });
    await withStore(async (store) => {
      expect(await summary(store)).toEqual(before);
      const [first] = await store.index.byNumber(1, { limit: 1 });
      expect(first).toMatchObject({ ordinal: 1, live: true });
      const writer = await openWriter(store, 1, KEY);
      const lease = store.live.lease(1);
      await lease.ready();
      const described = { ...meta(1), number: lease.openNumber(1) };
      writer.begin(HEADER, described.number);
      writer.append(bytesOf(1));
      expect(await writer.commit(described, new Uint8Array(), 'flushed')).toMatchObject({
        ordinal: 7,
      });
      await writer.close();
    });
    expect(await hashOf(join(directory, 'media', '1', '0000000001.media'))).toBe(media);
  });

  it('stays what it is where that is asked for, and is written as such', async () => {
    await copyGolden();
    await withStore(
      async (store) => {
        const lease = store.live.lease(1);
        await lease.ready();
        const described = { ...meta(1), number: lease.openNumber(1) };
        const writer = await openWriter(store, 1, KEY);
        writer.begin(HEADER, described.number);
        writer.append(bytesOf(1));
        await writer.commit(described, new Uint8Array(), 'flushed');
        await writer.close();
        expect(await bytesOfFragment(store, 1, described.number, KEY)).toEqual(bytesOf(1));
      },
      { keepFormat: true },
    );
    expect(await readdir(join(directory, 'media'))).not.toContain('catalog.json');
    await withStore(async (store) => {
      expect(await summary(store)).toHaveLength(10);
    });
  });
});

async function hashOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

async function generationOf(): Promise<string> {
  const text = await readFile(join(directory, 'media', 'catalog.json'), 'utf8');
  return /"generation":"([0-9a-f]{32})"/.exec(text)?.[1] ?? '';
}

async function writeTwin(path: string, turn: number, value: object): Promise<void> {
  const { crc32 } = await import('node:zlib');
  const text = JSON.stringify({ turn, value });
  await writeFile(path, `${text}\n${crc32(text).toString(16).padStart(8, '0')}\n`);
}
