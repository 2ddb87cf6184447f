import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KinesisVideoProducer } from '../../lib/index.js';
import { syntheticFrames } from '../support/frames.js';
import { BUILT, ServiceProcess } from '../support/service-process.js';
import { AckLog, CREDENTIALS, expectStored, storedIn } from '../support/upload.js';

describe.skipIf(!BUILT)('kill -9 of the service in mid upload (needs npm run build)', () => {
  let directory = '';
  let service: ServiceProcess;
  let producer: KinesisVideoProducer;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-crash-'));
    service = await ServiceProcess.create(join(directory, 'data'));
    await service.start();
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
    });
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    await service.kill();
    await rm(directory, { recursive: true, force: true });
  });

  it('loses and damages nothing, and doubles only what was not acknowledged', async () => {
    const acks = new AckLog();
    const stream = await producer.createStream({
      streamName: 'camera',
      nalAdaptationFlags: 0,
      callbacks: acks,
    });
    const start = 1_700_000_000_000;
    const frames = [...syntheticFrames({ count: 1000, start, size: 12_000 })];
    const unsure: number[] = [];
    const killAt = new Set([180, 430, 700]);
    for (const [i, frame] of frames.entries()) {
      stream.putFrame(frame);
      if (i % 10 === 0) await sleep(8);
      if (!killAt.has(i)) continue;
      await service.kill();
      // What is unacknowledged now may have been made durable before the process died.
      const persisted = acks.persisted();
      for (const { presentationTs, flags } of frames.slice(0, i + 1)) {
        if (flags === 1 && !persisted.has(presentationTs)) unsure.push(presentationTs);
      }
      await service.start();
    }
    await stream.stop({ timeoutMs: 60_000 });
    const stored = await storedIn(service.endpoint, 'camera');
    expectStored(stored, frames, unsure);
    expect(acks.persisted().size).toBe(40);
    expect(stream.getMetrics()).toMatchObject({ droppedFrames: 0, bufferedFrames: 0 });
    expect(stream.getMetrics().totalSessions).toBeGreaterThan(1);
  });
});
