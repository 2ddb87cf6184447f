import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { Input } from '../../../lib/service/api/input.js';
import { resolveStart } from '../../../lib/service/get/selector.js';
import { openWriter } from '../../../lib/service/media/writer.js';
import { openDiskStore } from '../../../lib/service/store/disk-store.js';
import { temporaryDirectory } from './helpers.js';
import { meta } from './store-contract.js';

it('a fragment that becomes readable while a time is looked up is not passed over', async () => {
  const directory = await temporaryDirectory();
  const store = await openDiskStore({ directory, fsync: 'group' });
  const writer = await openWriter(store, 1);
  let lookups = 0;
  try {
    const selector = new Input({
      StartSelectorType: 'SERVER_TIMESTAMP',
      StartTimestamp: meta(1).serverTime / 1000 + 3600,
    });
    const byTime: typeof store.index.byTime = async (id, range) => {
      const found = await store.index.byTime(id, range);
      lookups += 1;
      writer.begin(new Uint8Array(), meta(lookups).number);
      writer.append(Uint8Array.of(1));
      await writer.commit(meta(lookups), new Uint8Array(), 'buffered');
      return found;
    };
    const watched = {
      byTime,
      byNumber: store.index.byNumber.bind(store.index),
      get: store.index.get.bind(store.index),
    };
    const start = await resolveStart(watched, 1, selector);
    expect(lookups).toBe(2);
    expect(start).toEqual({ kind: 'from', number: 0n });
  } finally {
    await writer.close();
    await store.close();
    await rm(directory, { recursive: true, force: true });
  }
});
