import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import {
  KinesisVideoProducer,
  type KinesisVideoStream,
  type StreamDefinition,
} from '../../lib/index.js';
import { startService, type KvsService } from '../../lib/service/index.js';
import { FaultProxy } from '../support/faults.js';
import { syntheticFrames } from '../support/frames.js';
import { AckLog, Detour, expectStored, storedIn } from '../support/upload.js';

const FRAMES = [...syntheticFrames({ count: 400, start: 1_700_000_000_000, size: 8000 })];
const HALF = FRAMES.length / 2;

describe('a producer behind a bad network', () => {
  let directory = '';
  let service: KvsService;
  let proxy: FaultProxy;
  let producer: KinesisVideoProducer;
  const acks = new AckLog();

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-faults-'));
    service = await startService({ dataDir: join(directory, 'data'), limits: 'off' });
    proxy = await FaultProxy.start(service.port);
    const callbackProvider = new Detour(service.endpoint, proxy.endpoint);
    producer = await KinesisVideoProducer.create({ callbackProvider, limits: 'off' });
    acks.acks.length = 0;
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    await proxy.close();
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(more?: StreamDefinition): Promise<KinesisVideoStream> {
    return producer.createStream({
      streamName: 'camera',
      nalAdaptationFlags: 0,
      callbacks: acks,
      ...more,
    });
  }

  /** Puts the frames from `from` to `to` at a pace that the connection sees parts of. */
  async function put(stream: KinesisVideoStream, from: number, to: number): Promise<void> {
    for (let i = from; i < to; i += 1) {
      const frame = FRAMES[i];
      if (frame !== undefined) stream.putFrame(frame);
      if (i % 10 === 0) await sleep(2);
    }
  }

  /** Cluster times of fragments that have begun and whose Persisted ack has not come. */
  function unsure(upTo: number): number[] {
    const persisted = acks.persisted();
    const keys = FRAMES.slice(0, upTo).filter((frame) => frame.flags === 1);
    return keys.map((frame) => frame.presentationTs).filter((time) => !persisted.has(time));
  }

  async function finish(stream: KinesisVideoStream, doubtful: readonly number[]): Promise<number> {
    await stream.stop({ timeoutMs: 60_000 });
    const twice = expectStored(await storedIn(service.endpoint, 'camera'), FRAMES, doubtful);
    expect(stream.getMetrics()).toMatchObject({ droppedFrames: 0, bufferedFrames: 0 });
    return twice;
  }

  /** A reset counts only when it hits a connection: waits for the `count`-th. */
  async function connected(count: number): Promise<void> {
    await eventually(() => expect(proxy.connections).toBe(count));
  }

  it('recovers from resets', async () => {
    const stream = await open();
    await put(stream, 0, HALF);
    await connected(1);
    const doubtful = unsure(HALF);
    proxy.reset();
    await put(stream, HALF, HALF + 100);
    await connected(2);
    doubtful.push(...unsure(HALF + 100));
    proxy.reset();
    await put(stream, HALF + 100, FRAMES.length);
    await finish(stream, doubtful);
    expect(proxy.connections).toBeGreaterThanOrEqual(3);
  });

  it('gives up a silent connection by its own watch, and says so once', async () => {
    let stale = 0;
    const stream = await open({ connectionStaleness: 1000 });
    stream.on('streamConnectionStale', () => (stale += 1));
    await put(stream, 0, HALF);
    await once(stream, 'fragmentAckReceived');
    const doubtful = unsure(FRAMES.length);
    proxy.passage = 'blackhole';
    await put(stream, HALF, FRAMES.length);
    await once(stream, 'sessionEnded');
    proxy.passage = 'pass';
    await finish(stream, doubtful);
    expect(stale).toBeGreaterThanOrEqual(1);
    expect(stream.getMetrics().staleEvents).toBe(stale);
  });

  it('sends again what was stored but whose acks were swallowed, and doubles only that', async () => {
    const stream = await open({ connectionStaleness: 1000 });
    await put(stream, 0, 50);
    await once(stream, 'fragmentAckReceived');
    proxy.passage = 'swallow-answers';
    const doubtful = unsure(FRAMES.length);
    await put(stream, 50, FRAMES.length);
    await once(stream, 'sessionEnded');
    proxy.passage = 'pass';
    const twice = await finish(stream, doubtful);
    expect(twice).toBeGreaterThan(0);
  });

  it('waits for a network that refuses connections', async () => {
    proxy.refusing = true;
    const stream = await open();
    await put(stream, 0, FRAMES.length);
    await eventually(() => expect(proxy.connections).toBeGreaterThan(1));
    proxy.refusing = false;
    await finish(stream, []);
  });

  it('gets everything through a slow link', async () => {
    proxy.rate = 3_000_000;
    const stream = await open();
    await put(stream, 0, FRAMES.length);
    await finish(stream, []);
    expect(proxy.connections).toBe(1);
  });
});
