import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
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
  const { index } = await openIndex(directory, () => undefined);
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
      (await index.keys({ gte: key(stream, 0), lt: key(stream + 1, 0) }).all()).length;
    expect(await Promise.all([1, 2, 3, 9].map(count))).toEqual([5500, 0, 5500, 1]);
  } finally {
    await index.close();
    await rm(directory, { recursive: true, force: true });
  }
});
