// Complaints of docs/why.md about the life of streams, each against the service.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KinesisVideoProducer, type Credentials } from '../../lib/index.js';
import { startService, type KvsService } from '../../lib/service/index.js';
import { FaultProxy } from '../support/faults.js';
import { syntheticFrames } from '../support/frames.js';
import { CREDENTIALS, Detour, expectStored, storedIn } from '../support/upload.js';

const START = 1_700_000_000_000;
const RAW = { streamName: 'camera', nalAdaptationFlags: 0 } as const;

describe('a stream that nobody has to start again', () => {
  let directory = '';
  let service: KvsService;
  let producer: KinesisVideoProducer;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-why-'));
    service = await startService({ dataDir: join(directory, 'data'), limits: 'off' });
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function create(): Promise<void> {
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
    });
  }

  it('takes frames with neither network, credentials nor stream, and delivers them all', async () => {
    const proxy = await FaultProxy.start(service.port);
    proxy.refusing = true;
    let sealed = true;
    const credentials = async (): Promise<Credentials> => {
      if (sealed) throw new Error('the vault is sealed');
      return CREDENTIALS;
    };
    const callbackProvider = new Detour(proxy.endpoint, proxy.endpoint, credentials);
    producer = await KinesisVideoProducer.create({ callbackProvider, limits: 'off' });
    const stream = await producer.createStream(RAW);
    const frames = [...syntheticFrames({ count: 250, start: START })];
    for (const frame of frames) stream.putFrame(frame);
    expect(stream.getMetrics()).toMatchObject({ bufferedFrames: 250, totalSessions: 0 });
    sealed = false;
    await expect.poll(() => proxy.connections).toBeGreaterThan(0);
    proxy.refusing = false;
    await stream.stop({ timeoutMs: 60_000 });
    expect(expectStored(await storedIn(service.endpoint, 'camera'), frames)).toBe(0);
    await proxy.close();
  });

  it('gives all storage back over 1,000 streams that were created, filled and destroyed', async () => {
    await create();
    const frames = [...syntheticFrames({ count: 10, start: START, size: 20_000 })];
    const before = producer.getMetrics();
    for (let i = 0; i < 1000; i += 1) {
      const stream = await producer.createStream({ ...RAW, streamName: `camera-${i}` });
      for (const frame of frames) stream.putFrame(frame);
      stream.destroy();
    }
    await expect.poll(() => producer.getMetrics().streams).toBe(0);
    const { contentStoreAllocatedSize, contentStoreAvailableSize } = producer.getMetrics();
    expect(contentStoreAllocatedSize).toBe(before.contentStoreAllocatedSize);
    expect(contentStoreAvailableSize).toBe(before.contentStoreAvailableSize);
  });
});
