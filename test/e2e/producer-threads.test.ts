import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Frame } from '../../lib/base/media.js';
import { startService, type KvsService } from '../../lib/service/index.js';
import { syntheticFrames } from '../support/frames.js';
import { BUILT } from '../support/service-process.js';
import { expectStored, storedIn } from '../support/upload.js';

const WORKER = new URL('../support/upload-worker.mjs', import.meta.url);
const PACKAGE = pathToFileURL(fileURLToPath(new URL('../../dist/index.js', import.meta.url))).href;

describe.skipIf(!BUILT)('producers in threads and ending processes (needs npm run build)', () => {
  let directory = '';
  let service: KvsService;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-threads-'));
    service = await startService({ dataDir: join(directory, 'data'), limits: 'off' });
  });

  afterEach(async () => {
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('upload from two worker threads at once', async () => {
    const uploads = ['one', 'two'].map(async (streamName) => {
      const frames = [...syntheticFrames({ count: 100, start: 1_700_000_000_000 })];
      const workerData = { endpoint: service.endpoint, streamName, frames, exitInMidStream: false };
      const worker = new Worker(WORKER, { workerData });
      const exit = once(worker, 'exit');
      expect(await once(worker, 'message')).toEqual(['done']);
      expect(await exit).toEqual([0]);
      expectStored(await storedIn(service.endpoint, streamName), frames);
    });
    await Promise.all(uploads);
  });

  it.each([-3_600_000, 3_600_000])('upload with a clock that is %i ms off', async (clockOffMs) => {
    const frames = [...syntheticFrames({ count: 100, start: 1_700_000_000_000 })];
    await uploadStrictly({ frames, clockOffMs }, frames);
  });

  it.each([-3_600_000, 3_600_000])(
    'upload with a clock that was %i ms off and is set while nothing is sent',
    async (clockOffMs) => {
      const frames = [...syntheticFrames({ count: 50, start: 1_700_000_000_000 })];
      const more = [...syntheticFrames({ count: 50, start: 1_700_000_060_000, first: 50 })];
      await uploadStrictly({ frames, more, clockOffMs }, [...frames, ...more]);
    },
  );

  /** Uploads from a worker to a service that checks signatures, and compares. */
  async function uploadStrictly(what: object, frames: readonly Frame[]): Promise<void> {
    const strict = await startService({
      dataDir: join(directory, 'strict'),
      limits: 'off',
      credentials: { AKIDTEST: { secretAccessKey: 'secret', accountId: '123456789012' } },
    });
    try {
      const workerData = { endpoint: strict.endpoint, streamName: 'off', ...what };
      const worker = new Worker(WORKER, { workerData });
      expect(await once(worker, 'message')).toEqual(['done']);
      expectStored(await storedIn(strict.endpoint, 'off'), frames);
    } finally {
      await strict.close();
    }
  }

  it('let a worker exit in the middle of a stream', async () => {
    const frames = [...syntheticFrames({ count: 500, start: 1_700_000_000_000 })];
    const workerData = {
      endpoint: service.endpoint,
      streamName: 'cut',
      frames,
      exitInMidStream: true,
    };
    expect(await once(new Worker(WORKER, { workerData }), 'exit')).toEqual([0]);
  });

  async function run(program: string): Promise<unknown[]> {
    const file = join(directory, 'program.mjs');
    await writeFile(file, program);
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
    return once(child, 'exit');
  }

  it('let a process end by itself after close, and at once by process.exit', async () => {
    const begin = `
      import { KinesisVideoProducer } from ${JSON.stringify(PACKAGE)};
      const producer = await KinesisVideoProducer.create({
        endpoint: ${JSON.stringify(service.endpoint)},
        credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
      });
      const stream = await producer.createStream({ streamName: 'ends', nalAdaptationFlags: 0 });
      const frameData = new Uint8Array(1000);
      for (let i = 0; i < 100; i += 1) {
        stream.putFrame({ frameData, flags: i % 25 === 0 ? 1 : 0, presentationTs: 1e12 + i * 40 });
      }`;
    expect(await run(`${begin}\nawait producer.close();`)).toEqual([0, null]);
    expect(await run(`${begin}\nsetTimeout(() => process.exit(7), 100);`)).toEqual([7, null]);
  });
});
