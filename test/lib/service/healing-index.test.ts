import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { expect, it } from 'vitest';
import { HealingIndex } from '../../../lib/service/store/healing-index.js';
import { LostFound } from '../../../lib/service/store/lost-found.js';
import { openIndex } from '../../../lib/service/store/open-index.js';
import { temporaryDirectory } from './helpers.js';

function key(stream: number, index: number): Uint8Array {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt8(0xf0, 0);
  bytes.writeUInt8(stream, 1);
  bytes.writeUInt32BE(index, 2);
  return bytes;
}

it('clears a large range and nothing else, and lets other writes in between', async () => {
  const directory = await temporaryDirectory();
  const warn = (): void => undefined;
  const index = await openIndex(directory, new LostFound(directory, warn), warn);
  try {
    const value = Uint8Array.of(1);
    for (const stream of [1, 2, 3]) {
      const ops = Array.from({ length: 5500 }, (_, at) => key(stream, at));
      await index.batch(ops.map((one) => ({ type: 'put', key: one, value })));
    }
    const order: string[] = [];
    const cleared = index.clear({ gte: key(2, 0), lt: key(3, 0) }).then(() => order.push('clear'));
    await new Promise((resolve) => setImmediate(resolve));
    await index.put(key(9, 0), value, { sync: true });
    order.push('put');
    await cleared;
    expect(order).toEqual(['put', 'clear']);
    const count = async (stream: number): Promise<number> =>
      (await index.keys({ gte: key(stream, 0), lt: key(stream + 1, 0) })).length;
    expect(await Promise.all([1, 2, 3, 9].map(count))).toEqual([5500, 0, 5500, 1]);
  } finally {
    await index.close();
    await rm(directory, { recursive: true, force: true });
  }
});

it('is read from all the while it is opened anew', async () => {
  const directory = await temporaryDirectory();
  const level = new ClassicLevel<Uint8Array, Uint8Array>(join(directory, 'index'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  const warnings: string[] = [];
  const index = new HealingIndex(level, directory, (warning) => warnings.push(warning));
  const batch = level.batch.bind(level);
  let failures = 0;
  // What a full disk does; disk-full.test.ts has a real one.
  Reflect.set(level, 'batch', (ops: readonly unknown[], ...rest: unknown[]): unknown => {
    if (ops.length > 0) return Reflect.apply(batch, level, [ops, ...rest]);
    return Promise.reject(new Error('IO error: No space left on device'));
  });
  try {
    const value = Uint8Array.of(7);
    const ops = Array.from({ length: 3000 }, (_, at) => key(1, at));
    await index.batch(ops.map((one) => ({ type: 'put', key: one, value })));
    const range = { gte: key(1, 0), lt: key(2, 0) };
    let healing = true;
    const reading = [1, 2, 3].map(async () => {
      let rounds = 0;
      for (; healing || rounds === 0; rounds += 1) {
        const [one, many, keys, entries] = await Promise.all([
          index.get(key(1, 5)),
          index.getMany([key(1, 1), key(3, 1)]),
          index.keys(range),
          index.entries({ ...range, reverse: true, limit: 10 }),
        ]);
        expect([one, ...many].map((bytes) => bytes?.[0])).toEqual([7, 7, undefined]);
        expect(keys).toHaveLength(3000);
        expect(entries.map(([name]) => name[5])).toEqual(
          ops
            .slice(-10)
            .reverse()
            .map((o) => o[5]),
        );
      }
      return rounds;
    });
    for (; failures < 5; failures += 1) {
      await expect(index.batch([])).rejects.toThrowError(/No space/);
      await index.put(key(9, failures), value);
    }
    healing = false;
    expect(Math.min(...(await Promise.all(reading)))).toBeGreaterThan(0);
    expect(warnings).toHaveLength(5);
  } finally {
    await index.close();
    await rm(directory, { recursive: true, force: true });
  }
});
