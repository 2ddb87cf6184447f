import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ClassicLevel } from 'classic-level';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SEAL_BYTES } from '../../../lib/service/aead.js';
import { RECORD_BYTES } from '../../../lib/service/store/blocks.js';
import { KIND, headerPlaceKey, numberKey } from '../../../lib/service/store/codec.js';
import { decodeFragment, decodePlace } from '../../../lib/service/store/entries.js';
import { openReader } from '../../../lib/service/media/reader.js';
import { openWriter } from '../../../lib/service/media/writer.js';
import { openDiskStore } from '../../../lib/service/store/disk-store.js';
import { DataKey } from '../../../lib/service/media/seal.js';
import { FragmentDamagedError, PIECE_BYTES } from '../../../lib/service/store/types.js';
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

/** Changes the record in the index as somebody would who knows the format. */
async function changeRecord(number: bigint, change: (record: Buffer) => void): Promise<void> {
  await withIndex(async (index) => {
    const key = numberKey(KIND.fragment, 1, number);
    const value = Buffer.from((await index.get(key)) ?? new Uint8Array());
    change(value);
    value.writeUInt32BE(crc32(value.subarray(0, -4)), value.length - 4);
    await index.put(key, value);
  });
}

/** Where the Cluster of a fragment of stream 1 begins in its file. */
async function clusterAt(number: bigint): Promise<number> {
  let offset = 0;
  await withIndex(async (index) => {
    const value = (await index.get(numberKey(KIND.fragment, 1, number))) ?? new Uint8Array();
    ({ offset } = decodePlace(decodeFragment(number, value).place));
  });
  return offset + RECORD_BYTES;
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
    const from = await clusterAt(meta(1).number);
    // CRC-32's own polynomial: bytes that differ by it have the same checksum.
    Buffer.from('410671db01', 'hex').forEach((byte, at) => {
      media.writeUInt8(media.readUInt8(from + at) ^ byte, from + at);
    });
    await writeFile(mediaPath(1), media);
    await expect(readAll(meta(1).number)).rejects.toThrow(/is damaged or was changed: piece 0/);
  });

  it('is found changed in any piece', async () => {
    await store(KEY, PIECE_BYTES + 500);
    const media = await readFile(mediaPath(1));
    const second = (await clusterAt(meta(1).number)) + PIECE_BYTES + SEAL_BYTES;
    media.writeUInt8(media.readUInt8(second) ^ 1, second);
    await writeFile(mediaPath(1), media);
    await expect(readAll(meta(1).number)).rejects.toThrow(FragmentDamagedError);
    await expect(readAll(meta(1).number)).rejects.toThrow(
      /damaged or was changed: piece 1 at byte/,
    );
  });

  it.each<[string, (record: Buffer) => void]>([
    ['its time', (record): void => void record.writeUInt8(record.readUInt8(71) ^ 1, 71)],
    ['its ordinal', (record): void => void record.writeUInt8(7, 47)],
    ['its length', (record): void => void record.writeBigUInt64BE(10n, 152)],
    ['its header', (record): void => void record.fill(0, 112, 128)],
    ['that it begins with a key frame', (record): void => void record.writeUInt16BE(3, 144)],
    ['that it has no bytes', (record): void => void record.writeBigUInt64BE(0n, 152)],
  ])('is found when the index is changed to say otherwise: %s', async (_what, change) => {
    await store(KEY);
    await changeRecord(meta(1).number, change);
    await expect(readAll(meta(1).number)).rejects.toThrow(/another index entry/);
  });

  it('is found when the place of one fragment is given to another', async () => {
    await store(KEY);
    const other = (await clusterAt(meta(2).number)) - RECORD_BYTES;
    await changeRecord(meta(1).number, (value) => {
      value.writeBigUInt64BE(BigInt(other), RECORD_BYTES + 4);
    });
    await expect(readAll(meta(1).number)).rejects.toThrow(/is damaged or was changed: piece 0/);
  });

  it('is passed over when the entry of one fragment is put in the place of another', async () => {
    await store(KEY);
    await withIndex(async (index) => {
      const [one, two] = NUMBERS.map((number) => numberKey(KIND.fragment, 1, number));
      const value = await index.get(two ?? new Uint8Array());
      await index.put(one ?? new Uint8Array(), value ?? new Uint8Array());
    });
    await expect(readAll(meta(1).number)).rejects.toThrow(/gone/);
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
    const media = await readFile(mediaPath(1));
    const bytes = MARK.length + 1 + SEAL_BYTES;
    const one = (await clusterAt(meta(1).number)) + 1000 + SEAL_BYTES;
    const two = (await clusterAt(meta(2).number)) + 1000 + SEAL_BYTES;
    media.copy(media, one, two, two + bytes);
    await writeFile(mediaPath(1), media);
    await expect(readAll(meta(1).number)).rejects.toThrow(/has damaged or changed tags/);
    await withIndex(async (index) => {
      const [first, second] = await index
        .iterator({ gte: headerPlaceKey(1, 1), lt: headerPlaceKey(1, 2) })
        .all();
      if (first === undefined || second === undefined) throw new Error('two headers were stored');
      await index.put(first[0], second[1]);
      await index.put(second[0], first[1]);
    });
    await expect(readAll(meta(2).number)).rejects.toThrow(/another MKV header/);
  });

  it('tells nobody that two headers of different streams are alike', async () => {
    await store(KEY);
    const name = (key: DataKey): string =>
      Buffer.from(key.nameOf('header name', MARK)).toString('hex');
    expect(name(KEY)).toBe(name(new DataKey(Buffer.alloc(32, 7))));
    expect(name(KEY)).not.toBe(name(new DataKey(Buffer.alloc(32, 8))));
  });
});
