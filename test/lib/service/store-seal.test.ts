import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ClassicLevel } from 'classic-level';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SEAL_BYTES } from '../../../lib/service/aead.js';
import {
  KIND,
  decodeFragment,
  decodeSafe,
  encodeFragment,
  encodePlace,
  headerKey,
  numberKey,
  entryBody,
  streamKey,
} from '../../../lib/service/store/codec.js';
import { openReader } from '../../../lib/service/media/reader.js';
import { openWriter } from '../../../lib/service/media/writer.js';
import { openDiskStore } from '../../../lib/service/store/disk-store.js';
import { DataKey, PART } from '../../../lib/service/media/seal.js';
import { FragmentDamagedError, PIECE_BYTES } from '../../../lib/service/store/types.js';
import type { FragmentRecord } from '../../../lib/service/store/types.js';
import { temporaryDirectory } from './helpers.js';
import { bytesOfFragment, meta } from './store-contract.js';

/* What an attacker who can write to the disk, but has no key, can make of sealed fragments. */

const KEY = new DataKey(Buffer.alloc(32, 7));
const MARK = Buffer.from('nobody may read this on the disk');
const NUMBERS = [meta(1).number, meta(2).number];

type Index = ClassicLevel<Uint8Array, Uint8Array>;

let directory = '';
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Two fragments of equal length in stream 1, and one in stream 2, each with tags. */
async function store(key: DataKey | undefined, bytes = 1000): Promise<void> {
  const disk = await openDiskStore({ directory, fsync: 'group' });
  for (const id of [1, 2]) {
    const writer = await openWriter(disk, id, key);
    for (const [at, number] of NUMBERS.entries()) {
      writer.begin(Buffer.concat([MARK, Buffer.of(id, at)]), number);
      writer.append(Buffer.alloc(bytes, MARK));
      await writer.commit(meta(at + 1), Buffer.concat([MARK, Buffer.of(at)]), 'flushed');
    }
    await writer.close();
  }
  await disk.close();
}

async function withIndex(use: (index: Index) => Promise<void>): Promise<void> {
  const index: Index = new ClassicLevel(join(directory, 'index'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  await use(index);
  await index.close();
}

async function changeEntry(
  number: bigint,
  change: (record: FragmentRecord) => Partial<FragmentRecord>,
): Promise<void> {
  await withIndex(async (index) => {
    const key = numberKey(KIND.fragment, 1, number);
    const record = decodeFragment(number, (await index.get(key)) ?? new Uint8Array());
    await index.put(key, encodeFragment({ ...record, ...change(record) }));
  });
}

function mediaPath(id: number): string {
  return join(directory, 'media', String(id), '0000000001.media');
}

/** Reads fragment, tags and header of stream 1. */
async function readAll(number: bigint): Promise<void> {
  const disk = await openDiskStore({ directory, fsync: 'group' });
  try {
    await bytesOfFragment(disk, 1, number, KEY);
    const reader = openReader(disk, 1, () => Promise.resolve(KEY));
    const [record] = await disk.index.get(1, [number]);
    if (record === undefined) throw new Error('gone');
    await reader.tags(record);
    await reader.header(record);
  } finally {
    await disk.close();
  }
}

async function everyFile(folder: string): Promise<Buffer> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  return Buffer.concat(
    await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name)))),
  );
}

describe('what is sealed', () => {
  it('stands nowhere on the disk as it was sent', async () => {
    await store(undefined);
    expect((await everyFile(directory)).includes(MARK)).toBe(true);
    await rm(directory, { recursive: true });
    await store(KEY);
    expect((await everyFile(directory)).includes(MARK)).toBe(false);
    await readAll(meta(1).number);
  });

  it('never looks alike, though everything about it is equal but its number or stream', () => {
    const places = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3));
    fc.assert(
      fc.property(fc.uniqueArray(places, { minLength: 2, selector: String }), (all) => {
        const sealed = all.map(([stream, sequence, part]) => {
          const key = KEY.fragment(stream, meta(sequence).number);
          return Buffer.from(key.seal(part, MARK)).toString('hex', 0, MARK.length);
        });
        expect(new Set(sealed).size).toBe(all.length);
      }),
    );
  });

  it('cannot be read with another data key', async () => {
    await store(KEY);
    const disk = await openDiskStore({ directory, fsync: 'group' });
    const other = new DataKey(Buffer.alloc(32, 8));
    await expect(bytesOfFragment(disk, 1, meta(1).number, other)).rejects.toThrow(/has another/);
    await expect(bytesOfFragment(disk, 1, meta(1).number)).rejects.toThrow(/given no key/);
    await disk.close();
  });

  it('is found changed where a checksum could not tell', async () => {
    await store(KEY);
    const media = await readFile(mediaPath(1));
    // CRC-32's own polynomial: bytes that differ by it have the same checksum.
    Buffer.from('410671db01', 'hex').forEach((byte, at) => {
      media.writeUInt8(media.readUInt8(100 + at) ^ byte, 100 + at);
    });
    await writeFile(mediaPath(1), media);
    await expect(readAll(meta(1).number)).rejects.toThrow(/is damaged or was changed: piece 0/);
  });

  it('is found changed in any piece', async () => {
    await store(KEY, PIECE_BYTES + 500);
    const media = await readFile(mediaPath(1));
    const second = 12 + PIECE_BYTES + SEAL_BYTES;
    media.writeUInt8(media.readUInt8(second) ^ 1, second);
    await writeFile(mediaPath(1), media);
    await expect(readAll(meta(1).number)).rejects.toThrow(FragmentDamagedError);
    await expect(readAll(meta(1).number)).rejects.toThrow(
      /damaged or was changed: piece 1 at byte/,
    );
  });

  it.each<[string, (record: FragmentRecord) => Partial<FragmentRecord>]>([
    ['its time', ({ producerTime }) => ({ producerTime: producerTime + 1 })],
    ['where it lies', () => ({ place: encodePlace({ segment: 1, offset: 13 }) })],
    ['its length', () => ({ clusterBytes: 10 })],
    ['its header', () => ({ headerId: new Uint8Array(16) })],
    ['that it has no bytes', () => ({ clusterBytes: 0 })],
  ])('is found when the index is changed to say otherwise: %s', async (_what, change) => {
    await store(KEY);
    await changeEntry(meta(1).number, change);
    await expect(readAll(meta(1).number)).rejects.toThrow(/another index entry/);
  });

  it('is found when one fragment is put in the place of another', async () => {
    await store(KEY);
    await withIndex(async (index) => {
      const [one, two] = NUMBERS.map((number) => numberKey(KIND.fragment, 1, number));
      const value = await index.get(two ?? new Uint8Array());
      await index.put(one ?? new Uint8Array(), value ?? new Uint8Array());
    });
    await expect(readAll(meta(1).number)).rejects.toThrow(/another index entry/);
  });

  it('is found when the media files of two streams are exchanged', async () => {
    await store(KEY);
    const [one, two] = [await readFile(mediaPath(1)), await readFile(mediaPath(2))];
    await writeFile(mediaPath(1), two);
    await writeFile(mediaPath(2), one);
    await expect(readAll(meta(1).number)).rejects.toThrow(/is damaged or was changed: piece 0/);
  });

  it('is found when tags or headers are exchanged', async () => {
    await store(KEY);
    await withIndex(async (index) => {
      const [one, two] = NUMBERS.map((number) => numberKey(KIND.tags, 1, number));
      const value = (await index.get(two ?? new Uint8Array())) ?? new Uint8Array();
      await index.put(one ?? new Uint8Array(), value);
    });
    await expect(readAll(meta(1).number)).rejects.toThrow(/has damaged tags/);
    await withIndex(async (index) => {
      const ids = await Promise.all(
        NUMBERS.map(async (number) => {
          const entry = await index.get(numberKey(KIND.fragment, 1, number));
          return decodeFragment(number, entry ?? new Uint8Array()).headerId;
        }),
      );
      const [one, two] = ids.map((id) => headerKey(KIND.header, 1, id));
      const value = await index.get(one ?? new Uint8Array());
      await index.put(two ?? new Uint8Array(), value ?? new Uint8Array());
    });
    await expect(readAll(meta(2).number)).rejects.toThrow(/another MKV header/);
  });
});

async function version(): Promise<number> {
  let found = 0;
  await withIndex(async (index) => {
    found = decodeSafe((await index.get(streamKey(KIND.format, 0))) ?? new Uint8Array(8));
  });
  return found;
}

/** Makes the directory and fragment 1 of stream 1 what a version 2 would have written. */
async function makeSummed(bytes: number): Promise<void> {
  const media = await readFile(mediaPath(1));
  const { number } = meta(1);
  await changeEntry(number, (record) => {
    const first = media.subarray(12, 12 + PIECE_BYTES + SEAL_BYTES);
    const second = media.subarray(12 + first.length, 12 + bytes + 2 * SEAL_BYTES);
    const sums = [crc32(first), crc32(second)];
    const over = entryBody({ ...record, sums, layout: 2 });
    const seal = KEY.fragment(1, number).seal(PART.entry, new Uint8Array(), over);
    return { sums, layout: 2, sealed: { over, seal } };
  });
  await withIndex((index) => index.put(new Uint8Array(5), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 2)));
}

describe('a directory of format 2', () => {
  it('has checksums besides seals, is read as it is, and stays one until something is sealed', async () => {
    const bytes = PIECE_BYTES + 500;
    await store(KEY, bytes);
    await makeSummed(bytes);
    await readAll(meta(1).number);
    expect(await version()).toBe(2);
    await changeEntry(meta(1).number, ({ sums }) => ({ sums: [sums[0] ?? 0, 1] }));
    await expect(readAll(meta(1).number)).rejects.toThrow(/another index entry/);
    await makeSummed(bytes);
    const media = await readFile(mediaPath(1));
    media.writeUInt8(media.readUInt8(12 + bytes) ^ 1, 12 + bytes);
    await writeFile(mediaPath(1), media);
    await expect(readAll(meta(1).number)).rejects.toThrow(/is damaged: piece 1/);
    const disk = await openDiskStore({ directory, fsync: 'group' });
    await (await openWriter(disk, 1, KEY)).close();
    await disk.close();
    expect(await version()).toBe(3);
  });
});

describe('a directory of format 1', () => {
  it('stays one until something in it is sealed, and is read before and after', async () => {
    await store(undefined);
    await withIndex((index) => index.put(new Uint8Array(5), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1)));
    await (await openDiskStore({ directory, fsync: 'group' })).close();
    expect(await version()).toBe(1);
    const disk = await openDiskStore({ directory, fsync: 'group' });
    await disk.catalog.swapItem(1, 'dataKey', undefined, Uint8Array.of(1));
    const writer = await openWriter(disk, 1, KEY);
    writer.begin(MARK, meta(3).number);
    writer.append(MARK);
    await writer.commit(meta(3), new Uint8Array(), 'flushed');
    await writer.close();
    expect((await bytesOfFragment(disk, 1, meta(1).number, KEY))?.includes(MARK)).toBe(true);
    expect(await bytesOfFragment(disk, 1, meta(3).number, KEY)).toEqual(MARK);
    await disk.close();
    expect(await version()).toBe(3);
  });
});
