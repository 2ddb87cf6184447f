import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeyRing } from '../../../lib/service/keys/key-ring.js';
import { StreamKeys } from '../../../lib/service/keys/stream-keys.js';
import { openDiskStore } from '../../../lib/service/store/disk-store.js';
import type { DataKey } from '../../../lib/service/media/seal.js';
import { FragmentDamagedError } from '../../../lib/service/store/types.js';
import type { FragmentStore, StreamRecord } from '../../../lib/service/store/types.js';
import { temporaryDirectory } from './helpers.js';
import { writeKeys } from './keys.js';

const ANYBODY = (): boolean => true;

function record(id: number): StreamRecord {
  const described = { account: '000000000000', creationTime: 1, retentionHours: 1, version: 'v' };
  return { id, name: `stream-${String(id)}`, tags: {}, ...described };
}

/** Tells data keys apart. */
function mark(key: DataKey): string {
  return Buffer.from(key.fragment(1, 1n).seal(0, Buffer.alloc(16))).toString('hex');
}

describe('StreamKeys', () => {
  let directory = '';
  let store: FragmentStore;
  let keys: StreamKeys;
  beforeEach(async () => {
    directory = await temporaryDirectory();
    store = await openDiskStore({ directory, fsync: 'group' });
    const ring = new KeyRing(await writeKeys(directory, {}));
    await ring.load();
    keys = new StreamKeys(ring, store.catalog, 'us-west-2');
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('makes one data key for a stream, however many ask for it at once', async () => {
    const asked = Array.from({ length: 8 }, () => keys.toWrite(record(1), ANYBODY));
    const marks = (await Promise.all(asked)).map(({ key }) => mark(key));
    expect(new Set(marks).size).toBe(1);
    keys.forget(1);
    const source = await keys.toRead(record(1), ANYBODY);
    expect(mark(await source())).toBe(marks[0]);
    const other = await keys.toWrite(record(2), ANYBODY);
    expect(mark(other.key)).not.toBe(marks[0]);
  });

  it('takes no data key that was wrapped for another stream, or is no longer whole', async () => {
    await keys.toWrite(record(1), ANYBODY);
    const put = async (bytes: Uint8Array): Promise<boolean> =>
      store.catalog.swapItem(2, 'dataKey', await store.catalog.item(2, 'dataKey'), bytes);
    const wrapped = (await store.catalog.item(1, 'dataKey')) ?? new Uint8Array();
    await put(wrapped);
    const source = await keys.toRead(record(2), ANYBODY);
    await expect(source()).rejects.toMatchObject({ name: 'KeyError', id: 4502 });
    await put(wrapped.subarray(0, 50));
    await expect(source()).rejects.toThrow(FragmentDamagedError);
    await put(Buffer.from('{"key":"aws/kinesisvideo","version":1}'));
    await expect(source()).rejects.toThrow(FragmentDamagedError);
  });
});
