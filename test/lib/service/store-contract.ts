import { randomBytes, randomInt } from 'node:crypto';
import { expect, it } from 'vitest';
import { openReader as readerOf, type FragmentReader } from '../../../lib/service/media/reader.js';
import type { DataKey } from '../../../lib/service/media/seal.js';
import { openWriter as writerOf, type FragmentWriter } from '../../../lib/service/media/writer.js';
import type { FragmentMeta, FragmentStore } from '../../../lib/service/store/types.js';

/* What any FragmentStore must do. Another store passes by calling `storeContract`. */

/** A store on data that outlasts it. */
export interface StoreUnderTest {
  readonly store: FragmentStore;
  /** Closes the store and opens it on the same data. */
  reopen(): Promise<FragmentStore>;
  remove(): Promise<void>;
}

const NONE = new Uint8Array();

export function meta(sequence: number, time: number = sequence * 1000): FragmentMeta {
  const number = (1n << 156n) | (BigInt(sequence) << 92n) | (BigInt(time) << 28n);
  return { number, timecode: time, producerTime: time, serverTime: time + 5, duration: 1000 };
}

function openReader(store: FragmentStore, id: number, key: DataKey | undefined): FragmentReader {
  return readerOf(store, id, key === undefined ? undefined : () => Promise.resolve(key));
}

export async function bytesOfFragment(
  store: FragmentStore,
  id: number,
  number: bigint,
  key?: DataKey,
): Promise<Buffer | undefined> {
  const [record] = await store.index.get(id, [number]);
  if (record === undefined) return undefined;
  const reader = openReader(store, id, key);
  const parts: Uint8Array[] = [];
  try {
    for await (const piece of reader.pieces(record)) parts.push(piece);
  } finally {
    await reader.close();
  }
  return Buffer.concat(parts);
}

/** With `key`, everything is stored sealed. */
export function storeContract(make: () => Promise<StoreUnderTest>, key?: DataKey): void {
  const openWriter = (store: FragmentStore, id: number): Promise<FragmentWriter> =>
    writerOf(store, id, key);
  const bytesOf = (store: FragmentStore, id: number, number: bigint): Promise<Buffer | undefined> =>
    bytesOfFragment(store, id, number, key);
  const run = async (use: (test: StoreUnderTest) => Promise<void>): Promise<void> => {
    const test = await make();
    try {
      await use(test);
    } finally {
      await test.remove();
    }
  };

  it('gives back bytes, header and tags as they were, also after it was opened again', async () => {
    await run(async (test) => {
      const header = randomBytes(500);
      const tags = randomBytes(60);
      const sizes = [1, 1000, 256 * 1024, 256 * 1024 + 1, 3_000_000];
      const sent = sizes.map((size) => randomBytes(size));
      const writer = await openWriter(test.store, 1);
      for (const [index, bytes] of sent.entries()) {
        writer.begin(header, meta(index).number);
        for (let at = 0; at < bytes.length; at += 70_001) {
          writer.append(bytes.subarray(at, at + 70_001));
        }
        await writer.commit(meta(index), index === 1 ? tags : NONE, 'flushed');
      }
      await writer.close();
      for (const when of ['at once', 'later'] as const) {
        const store = when === 'at once' ? test.store : await test.reopen();
        for (const [index, bytes] of sent.entries()) {
          const { number } = meta(index);
          expect((await bytesOf(store, 1, number))?.equals(bytes)).toBe(true);
          const [record] = await store.index.get(1, [number]);
          if (record === undefined) throw new Error('gone');
          expect(record).toMatchObject(meta(index));
          expect(Buffer.from(await openReader(store, 1, key).header(record))).toEqual(header);
          expect(Buffer.from(await openReader(store, 1, key).tags(record))).toEqual(
            index === 1 ? tags : Buffer.alloc(0),
          );
        }
        expect(await store.index.get(1, [meta(99).number])).toEqual([undefined]);
        expect(await store.index.byNumber(2, { limit: 10 })).toEqual([]);
      }
    });
  });

  it('keeps each header, also when a new one comes while a commit is under way', async () => {
    await run(async ({ store }) => {
      const writer = await openWriter(store, 1);
      let before: Promise<unknown> = Promise.resolve();
      for (let index = 0; index < 20; index += 1) {
        writer.begin(Uint8Array.of(index), meta(index).number);
        writer.append(Uint8Array.of(index));
        await before;
        before = writer.commit(meta(index), NONE, 'buffered');
      }
      await before;
      await writer.close();
      const all = await store.index.byNumber(1, { limit: 100 });
      const reader = openReader(store, 1, key);
      const headers = await Promise.all(all.map((record) => reader.header(record)));
      expect(headers.map((bytes) => bytes[0])).toEqual(all.map((_, index) => index));
    });
  });

  it('shows nothing of a fragment that was given up or not committed', async () => {
    await run(async (test) => {
      const writer = await openWriter(test.store, 1);
      writer.begin(NONE, meta(0).number);
      writer.append(randomBytes(100_000));
      writer.abort();
      writer.begin(NONE, meta(1).number);
      const kept = randomBytes(1000);
      writer.append(kept);
      await writer.commit(meta(1), NONE, 'flushed');
      writer.begin(NONE, meta(3).number);
      writer.append(randomBytes(100_000));
      await writer.close();
      const store = await test.reopen();
      const all = await store.index.byNumber(1, { limit: 10 });
      expect(all.map((record) => record.number)).toEqual([meta(1).number]);
      expect(await bytesOf(store, 1, meta(1).number)).toEqual(kept);
      const next = await openWriter(store, 1);
      next.begin(NONE, meta(2).number);
      next.append(kept);
      await next.commit(meta(2), NONE, 'flushed');
      await next.close();
      expect(await bytesOf(store, 1, meta(2).number)).toEqual(kept);
    });
  });

  it('finds by number and by time, in both orders, in pages', async () => {
    await run(async ({ store }) => {
      const writer = await openWriter(store, 1);
      const times = [5000, 1000, 1000, 9000];
      for (const [index, time] of times.entries()) {
        writer.begin(NONE, meta(index, time).number);
        writer.append(Uint8Array.of(index));
        await writer.commit(meta(index, time), NONE, 'buffered');
      }
      await writer.close();
      const number = (index: number): bigint => meta(index, times[index]).number;
      const numbers = (records: readonly { number: bigint }[]): bigint[] =>
        records.map((record) => record.number);
      expect(numbers(await store.index.byNumber(1, { limit: 2, order: 'descending' }))).toEqual([
        number(3),
        number(2),
      ]);
      expect(
        numbers(await store.index.byNumber(1, { from: number(1), before: number(3), limit: 9 })),
      ).toEqual([number(1), number(2)]);
      const range = { kind: 'producer', from: 1000, to: 5000 } as const;
      expect(numbers(await store.index.byTime(1, { ...range, limit: 9 }))).toEqual([
        number(1),
        number(2),
        number(0),
      ]);
      expect(
        numbers(await store.index.byTime(1, { ...range, limit: 1, order: 'descending' })),
      ).toEqual([number(0)]);
      const after = { time: 1000, number: number(1) };
      expect(numbers(await store.index.byTime(1, { ...range, limit: 9, after }))).toEqual([
        number(2),
        number(0),
      ]);
      expect(
        numbers(await store.index.byTime(1, { kind: 'server', from: 9005, to: 9005, limit: 9 })),
      ).toEqual([number(3)]);
    });
  });

  it('never gives a stream id or a sequence number twice', async () => {
    await run(async (test) => {
      const ids = [await test.store.catalog.newStreamId(), await test.store.catalog.newStreamId()];
      const before = test.store.live.lease(1);
      await before.ready();
      const numbers = [before.openNumber(5), before.openNumber(4)];
      const store = await test.reopen();
      ids.push(await store.catalog.newStreamId());
      expect(new Set(ids).size).toBe(3);
      const lease = store.live.lease(1);
      await lease.ready();
      numbers.push(lease.openNumber(0), lease.openNumber(0));
      expect([...numbers].sort((a, b) => (a < b ? -1 : 1))).toEqual(numbers);
    });
  });

  it('keeps streams until they are deleted, with everything of theirs', async () => {
    await run(async (test) => {
      const record = {
        id: 7,
        account: '000000000000',
        name: 'cam',
        creationTime: 5,
        retentionHours: 1,
        version: 'v',
        tags: { a: 'b' },
      };
      expect(await test.store.catalog.putStream(record, undefined)).toBe(true);
      const writer = await openWriter(test.store, 7);
      writer.begin(NONE, meta(1).number);
      writer.append(Uint8Array.of(1));
      await writer.commit(meta(1), NONE, 'flushed');
      await writer.close();
      const store = await test.reopen();
      expect(await store.catalog.streams()).toEqual([record]);
      await store.catalog.swapItem(7, 'sessions', undefined, Uint8Array.of(5));
      await store.catalog.deleteStream(7);
      expect(await store.catalog.item(7, 'sessions')).toBeUndefined();
      expect(await store.catalog.streams()).toEqual([]);
      expect(await store.index.byNumber(7, { limit: 1 })).toEqual([]);
      expect(await store.index.byTime(7, { kind: 'server', from: 0, to: 1e9, limit: 1 })).toEqual(
        [],
      );
    });
  });

  it('keeps small values of a stream, durable, and each by itself', async () => {
    await run(async (test) => {
      const { catalog } = test.store;
      const [one, two, three] = [1, 2, 3].map((byte) => Uint8Array.of(byte));
      if (one === undefined || two === undefined || three === undefined) throw new Error('no');
      expect(await catalog.swapItem(1, 'dataKey', undefined, one)).toBe(true);
      expect(await catalog.swapItem(1, 'sessions', undefined, two)).toBe(true);
      expect(await catalog.swapItem(1, 'dataKey', undefined, two)).toBe(false);
      expect(await catalog.swapItem(1, 'dataKey', three, two)).toBe(false);
      expect(await catalog.swapItem(1, 'dataKey', one, three)).toBe(true);
      const store = await test.reopen();
      expect([...((await store.catalog.item(1, 'dataKey')) ?? [])]).toEqual([3]);
      expect([...((await store.catalog.item(1, 'sessions')) ?? [])]).toEqual([2]);
      expect(await store.catalog.item(2, 'dataKey')).toBeUndefined();
    });
  });

  it('changes a stream only from the version that it is said to have', async () => {
    await run(async ({ store: { catalog } }) => {
      const record = {
        ...{ id: 3, account: '000000000000', name: 'cam', creationTime: 5, retentionHours: 1 },
        ...{ version: 'a', tags: {} },
      };
      expect(await catalog.putStream(record, 'a')).toBe(false);
      expect(await catalog.putStream(record, undefined)).toBe(true);
      expect(await catalog.putStream({ ...record, version: 'b' }, undefined)).toBe(false);
      expect(await catalog.putStream({ ...record, version: 'b' }, 'a')).toBe(true);
      expect(await catalog.putStream({ ...record, version: 'c' }, 'a')).toBe(false);
      expect((await catalog.streams()).map(({ version }) => version)).toEqual(['b']);
    });
  });

  it('expires with a fragment all of lower numbers, whatever their times say', async () => {
    await run(async ({ store }) => {
      const writer = await openWriter(store, 1);
      for (const [index, time] of [1000, 900_000, 2000, 3000].entries()) {
        writer.begin(NONE, meta(index, time).number);
        await writer.commit(meta(index, time), NONE, 'buffered');
      }
      await writer.close();
      const left = async (): Promise<number[]> =>
        (await store.index.byNumber(1, { limit: 9 })).map(({ timecode }) => timecode);
      expect(await store.index.expire(1, { kind: 'server', before: 1000 })).toBe(0);
      expect(await store.index.expire(1, { kind: 'server', before: 2000 })).toBe(1);
      expect(await left()).toEqual([900_000, 2000, 3000]);
      expect(await store.index.expire(1, { kind: 'server', before: 3000 })).toBe(2);
      expect(await left()).toEqual([3000]);
      const far = { kind: 'server', from: 0, to: 1e9, limit: 9 } as const;
      expect(await store.index.byTime(1, far)).toHaveLength(1);
    });
  });

  it('shows what comes after all that was there has been freed', async () => {
    await run(async (test) => {
      const putOne = async (store: FragmentStore, sequence: number): Promise<void> => {
        const writer = await openWriter(store, 1);
        writer.begin(NONE, meta(sequence).number);
        await writer.commit(meta(sequence), NONE, 'flushed');
        await writer.close();
      };
      await putOne(test.store, 1);
      const all = { kind: 'number', before: (1n << 160n) - 1n } as const;
      expect(await test.store.index.expire(1, all)).toBe(1);
      await putOne(test.store, 2);
      expect(await test.store.index.byNumber(1, { limit: 9 })).toHaveLength(1);
      expect(await test.store.index.get(1, [meta(2).number])).not.toContain(undefined);
      const store = await test.reopen();
      expect(await store.index.byNumber(1, { limit: 9 })).toHaveLength(1);
      expect(await store.index.expire(1, all)).toBe(1);
    });
  });

  it('refuses to commit under another number than the fragment was begun with', async () => {
    await run(async ({ store }) => {
      const writer = await openWriter(store, 1);
      writer.begin(NONE, meta(1).number);
      await expect(writer.commit(meta(2), NONE, 'buffered')).rejects.toThrow(/this number/);
      await writer.close();
    });
  });

  it('agrees with a simple model over random writes, aborts and frees by several writers', async () => {
    await run(async (test) => {
      const model = new Map<bigint, Buffer>();
      let sequence = 0;
      let store = test.store;
      for (let round = 0; round < 12; round += 1) {
        const writers = await Promise.all([1, 2].map(() => openWriter(store, 1)));
        const commits: Promise<unknown>[] = [];
        for (let step = 0; step < 20; step += 1) {
          const writer = writers[randomInt(2)];
          if (writer === undefined) continue;
          const bytes = randomBytes(randomInt(1, 60_000));
          sequence += 1;
          const described = meta(sequence);
          writer.begin(randomBytes(20), described.number);
          writer.append(bytes.subarray(0, bytes.length >> 1));
          writer.append(bytes.subarray(bytes.length >> 1));
          if (randomInt(4) === 0) {
            writer.abort();
            continue;
          }
          commits.push(writer.commit(described, NONE, step === 0 ? 'flushed' : 'buffered'));
          model.set(described.number, bytes);
        }
        await Promise.all(commits);
        await Promise.all(writers.map((writer) => writer.close()));
        const oldest = Math.max(0, sequence - randomInt(60));
        await store.index.expire(1, { kind: 'number', before: meta(oldest).number });
        for (const number of model.keys()) if (number < meta(oldest).number) model.delete(number);
        if (randomInt(3) === 0) store = await test.reopen();
        const all = await store.index.byNumber(1, { limit: 10_000 });
        expect(all.map((record) => record.number)).toEqual([...model.keys()]);
        for (const record of all) {
          expect((await openReader(store, 1, key).header(record)).length).toBe(20);
          const bytes = await bytesOf(store, 1, record.number);
          expect(bytes?.equals(model.get(record.number) ?? NONE)).toBe(true);
        }
      }
    });
  });
}
