// Machines whose clock is wrong, with credentials that end by the service's clock.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KinesisVideoProducer, type Credentials } from '../../lib/index.js';
import { startService, type KvsService } from '../../lib/service/index.js';
import { syntheticFrames } from '../support/frames.js';
import { CREDENTIALS, expectStored, putAll, storedIn } from '../support/upload.js';

const HOUR = 3_600_000;

describe('a producer whose clock is off', () => {
  let directory = '';
  let service: KvsService;
  let producer: KinesisVideoProducer | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-clock-'));
    service = await startService({ dataDir: join(directory, 'data'), limits: 'off' });
  });

  afterEach(async () => {
    await producer?.close({ timeoutMs: 0 }).catch(() => undefined);
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  it.each([-25 * HOUR, -HOUR, HOUR - 10_000, HOUR, 25 * HOUR])(
    'by %i ms streams with credentials that last an hour',
    async (off) => {
      let asked = 0;
      const credentials = async (): Promise<Credentials> => {
        asked += 1;
        return { ...CREDENTIALS, expiration: new Date(Date.now() + HOUR) };
      };
      producer = await KinesisVideoProducer.create({
        endpoint: service.endpoint,
        credentials,
        limits: 'off',
        clock: { mono: () => performance.now(), wall: () => Date.now() + off },
      });
      const stream = await producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0 });
      const frames = [...syntheticFrames({ count: 100, start: 1_700_000_000_000 })];
      await putAll(stream, frames);
      await stream.stop({ timeoutMs: 60_000 });
      expectStored(await storedIn(service.endpoint, 'camera'), frames);
      // One for the producer, one for the stream; none of them over and over again.
      expect(asked).toBeLessThanOrEqual(3);
      expect(stream.getMetrics().totalSessions).toBe(1);
    },
  );
});
