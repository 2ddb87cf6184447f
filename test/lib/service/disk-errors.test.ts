import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileLib, type CompiledLib } from '../../support/compiled.js';
import { callsSeen, giveOrder, makeControl } from '../../support/power/faults.js';
import type { CallKind, Order } from '../../support/power/faults.js';
import { powerLibrary } from '../../support/power/library.js';
import { fastFolder } from '../../support/power/place.js';
import { watchEnvironment } from '../../support/power/run.js';
import { createStream } from './helpers.js';
import { startProcess, type ServiceProcess } from './process.js';
import { expectReadable, putTimes, type Acked } from './watched-service.js';

const library = powerLibrary();
const where = library.kind === 'built' ? 'a disk' : `a disk (${library.why})`;
const CHANGES: readonly CallKind[] = ['write', 'truncate', 'rename', 'unlink', 'mkdir', 'rmdir'];

/** What becomes of the calls of a service, and whether it can still read then. */
const ERRORS: readonly { readonly name: string; readonly order: Order; readonly reads: boolean }[] =
  [
    {
      name: 'that cannot write media (EIO)',
      order: { kinds: ['write'], action: 'EIO', path: '.media' },
      reads: true,
    },
    {
      name: 'that cannot flush media (EIO)',
      order: { kinds: ['sync'], action: 'EIO', path: '.media' },
      reads: true,
    },
    {
      name: 'that cannot write the index (EIO)',
      order: { kinds: ['write'], action: 'EIO', path: '/index/' },
      reads: true,
    },
    {
      name: 'that cannot flush the index (EIO)',
      order: { kinds: ['sync'], action: 'EIO', path: '/index/' },
      reads: true,
    },
    {
      name: 'without room (ENOSPC)',
      order: { kinds: ['write', 'mkdir'], action: 'ENOSPC' },
      reads: true,
    },
    {
      name: 'that was mounted anew for reading only (EROFS)',
      order: { kinds: CHANGES, action: 'EROFS' },
      reads: true,
    },
    {
      name: 'of which no more files can be opened (EMFILE)',
      order: { kinds: ['open'], action: 'EMFILE' },
      reads: false,
    },
  ];

/** Calls before which the process ends. */
const KILLS: readonly { readonly name: string; readonly order: Order }[] = [
  {
    name: 'in the middle of a write of media',
    order: { kinds: ['write'], action: 'tear', path: '.media', skip: 4 },
  },
  {
    name: 'at a flush of media',
    order: { kinds: ['sync'], action: 'kill', path: '.media', skip: 2 },
  },
  {
    name: 'in the middle of a write of the index',
    order: { kinds: ['write'], action: 'tear', path: '/index/', skip: 5 },
  },
  {
    name: 'at a flush of the index',
    order: { kinds: ['sync'], action: 'kill', path: '/index/', skip: 5 },
  },
];

describe.skipIf(library.kind === 'missing')(where, () => {
  const acked: Acked = new Map<string, number>();
  let lib: CompiledLib | undefined;
  let folder = '';
  let control = '';
  let service: ServiceProcess | undefined;
  let time = 0;
  beforeAll(async () => {
    lib = await compileLib();
    folder = fastFolder();
    control = join(folder, 'control');
    mkdirSync(join(folder, 'data'));
    await createStream(await start(), 'cam');
  }, 120_000);
  afterAll(async () => {
    await service?.kill();
    rmSync(folder, { recursive: true, force: true });
    await lib?.remove();
  });

  /** Kills the service, if there is one, and starts it on the same data, with all calls done. */
  async function start(): Promise<ServiceProcess> {
    if (lib === undefined || library.kind === 'missing') throw new Error('not compiled');
    await service?.kill();
    makeControl(control);
    const root = join(folder, 'data');
    const env = watchEnvironment({ library: library.path, root, control });
    service = await startProcess(lib, root, {}, { env });
    return service;
  }

  /** Puts some fragments; gives how many were acknowledged. */
  async function put(to: ServiceProcess, count: number): Promise<number> {
    const times = Array.from({ length: count }, () => (time += 1000));
    const told = await putTimes(to, 'cam', times);
    const newest = [...acked.keys()].map(BigInt).reduce((a, b) => (a > b ? a : b), 0n);
    for (const [number, at] of told) {
      expect(BigInt(number)).toBeGreaterThan(newest);
      acked.set(number, at);
    }
    return told.size;
  }

  it.each(ERRORS)(
    '$name: nothing acknowledged is lost, and all goes on when it is well again',
    async ({ order, reads }) => {
      const now = service ?? (await start());
      expect(await put(now, 3)).toBe(3);
      giveOrder(control, order);
      const before = new Map(acked);
      await put(now, 2);
      if (reads) await expectReadable(now, 'cam', before);
      const answer = await fetch(`${now.endpoint}/listStreams`, { method: 'POST', body: '{}' });
      expect(answer.status).toBe(200);
      expect(callsSeen(control)).toBeGreaterThan(0);
      giveOrder(control);
      expect(await put(now, 2)).toBe(2);
      await expectReadable(now, 'cam', acked);
    },
    120_000,
  );

  it('the next start has all of it', async () => {
    await expectReadable(await start(), 'cam', acked);
  }, 120_000);

  it.each(KILLS)(
    'a process that ends $name has lost nothing that it acknowledged',
    async ({ order }) => {
      const killed = await start();
      giveOrder(control, order);
      expect(await put(killed, 40)).toBeLessThan(40);
      const next = await start();
      expect(await put(next, 1)).toBe(1);
      await expectReadable(next, 'cam', acked);
    },
    120_000,
  );
});
