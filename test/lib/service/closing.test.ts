import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startService } from '../../../lib/service/index.js';
import { cluster, header } from '../../support/mkv.js';
import { createStream, putMedia, temporaryDirectory } from './helpers.js';

/* The end of a service: what was whole is flushed, and acknowledged, before connections are closed. */

const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

/** Makes every flush of a file take that long, as a slow disk does. */
async function slowFlushes(directory: string, ms: number): Promise<void> {
  const file = await open(join(directory, 'probe'), 'w');
  const prototype: unknown = Object.getPrototypeOf(file);
  await file.close();
  if (typeof prototype !== 'object' || prototype === null) throw new Error('no file handles');
  for (const name of ['sync', 'datasync']) {
    const real: unknown = Reflect.get(prototype, name);
    if (typeof real !== 'function') throw new Error(`no ${name}`);
    Reflect.set(prototype, name, async function slow(this: unknown): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, ms));
      await Reflect.apply(real, this, []);
    });
    undo.push(() => Reflect.set(prototype, name, real));
  }
}

it('waits for flushes that run, so that no Persisted ack is lost', async () => {
  const directory = await temporaryDirectory();
  const service = await startService({ dataDir: directory, limits: 'off' });
  try {
    await createStream(service, 'cam');
    const first = putMedia(service, 'cam');
    first.send(header(), cluster(0, [{ time: 0 }]), cluster(1000, [{ time: 0 }]));
    await first.until((put) => put.count('PERSISTED') === 1);
    // Longer than connections are left open at the end otherwise.
    await slowFlushes(directory, 2000);
    first.send(cluster(2000, [{ time: 0 }]));
    await first.until((put) => put.count('RECEIVED') === 2);
    const closed = service.close();
    await first.untilEnded();
    expect(first.ended).toBe(true);
    expect(first.summary().filter((ack) => ack.startsWith('PERSISTED'))).toEqual([
      'PERSISTED 0',
      'PERSISTED 1000',
    ]);
    await closed;
    first.destroy();
  } finally {
    for (const one of undo.splice(0)) one();
    await service.close();
    await rm(directory, { recursive: true, force: true });
  }
}, 20_000);
