import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeStreamCommand, UpdateDataRetentionCommand } from '@aws-sdk/client-kinesis-video';
import { describe, expect, it } from 'vitest';
import { readMedia } from '../../../lib/parser/index.js';
import type { KvsService } from '../../../lib/service/index.js';
import { cluster, header } from '../../support/mkv.js';
import { controlClient, createStream, getMedia, putMedia, withService } from './helpers.js';

const HOUR = 3_600_000;

async function send(service: KvsService, times: readonly number[]): Promise<void> {
  const put = putMedia(service, 'cam');
  put.send(header());
  for (const time of times) put.send(cluster(time, [{ time: 0, data: new Uint8Array(1000) }]));
  put.end();
  await put.untilEnded();
}

async function stored(service: KvsService, count: number): Promise<(number | undefined)[]> {
  const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, count);
  const times: (number | undefined)[] = [];
  for await (const event of readMedia([media])) {
    if (event.kind === 'fragmentEnd') times.push(event.fragment.clusterTimecodeMs);
  }
  return times;
}

async function changeRetention(service: KvsService, sign: 1 | -1, hours: number): Promise<void> {
  const client = controlClient(service);
  const { StreamInfo: info } = await client.send(new DescribeStreamCommand({ StreamName: 'cam' }));
  await client.send(
    new UpdateDataRetentionCommand({
      StreamName: 'cam',
      CurrentVersion: info?.Version,
      Operation: sign === 1 ? 'INCREASE_DATA_RETENTION' : 'DECREASE_DATA_RETENTION',
      DataRetentionChangeInHours: hours,
    }),
  );
  client.destroy();
}

describe('retention', () => {
  it('frees what is too old, with its files, when retention is made shorter', async () => {
    let wall = Date.UTC(2026, 0, 1);
    const clock = { mono: (): number => performance.now(), wall: (): number => wall };
    await withService({ clock }, async (service, dataDir) => {
      await createStream(service, 'cam', 10);
      await send(service, [0, 2000]);
      wall += 5 * HOUR;
      await send(service, [4000]);
      expect(await stored(service, 3)).toEqual([0, 2000, 4000]);
      await changeRetention(service, -1, 6);
      expect(await stored(service, 1)).toEqual([4000]);
      wall += 5 * HOUR;
      await changeRetention(service, 1, 1);
      await changeRetention(service, -1, 2);
      const names = await readdir(join(dataDir, 'media', '1'));
      expect(names.filter((name) => name.endsWith('.media'))).toEqual([]);
      await send(service, [6000]);
      expect(await stored(service, 1)).toEqual([6000]);
    });
  });

  it('a stream that retains nothing keeps a buffer for readers, of limited size', async () => {
    await withService({ limits: { bufferBytes: 2500, fragmentRate: 1000 } }, async (service) => {
      await createStream(service, 'cam', 0);
      await send(service, [0, 2000]);
      expect(await stored(service, 2)).toEqual([0, 2000]);
      await send(service, [4000, 6000, 8000]);
      // Two fragments are within the limit; the sweep has run when the newest comes first.
      await expect.poll(() => stored(service, 2)).toEqual([6000, 8000]);
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(10_000, [{ time: 0 }]));
      put.end();
      await put.untilEnded();
      expect(put.summary()).toEqual(['BUFFERING 10000', 'RECEIVED 10000']);
    });
  });

  it('a buffer does not outlast its service', async () => {
    await withService({}, async (service, dataDir) => {
      await createStream(service, 'cam', 0);
      await send(service, [0, 2000]);
      await service.close();
      await withService({ dataDir }, async (next) => {
        await send(next, [8000]);
        expect(await stored(next, 1)).toEqual([8000]);
      });
    });
  });
});
