import { GetMediaCommand } from '@aws-sdk/client-kinesis-video-media';
import { describe, expect, it } from 'vitest';
import { cluster, header } from '../../support/mkv.js';
import { bytesOf, createStream, getMedia, mediaClient, putMedia, withService } from './helpers.js';

describe('rates of PutMedia slow it down and are never an error', () => {
  it('fragments a second', async () => {
    await withService({ limits: { fragmentRate: 10 } }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header());
      const started = performance.now();
      // The first second's worth is free; each of the next five takes its tenth of a second.
      for (let time = 0; time < 17; time += 1) put.send(cluster(time, [{ time: 0 }]));
      put.end();
      await put.untilEnded();
      expect(put.count('PERSISTED')).toBe(17);
      expect(put.count('ERROR')).toBe(0);
      expect(performance.now() - started).toBeGreaterThan(450);
    });
  });

  it('bytes a second', async () => {
    const limits = { putMediaBytesPerSecond: 1_000_000, fragmentRate: 100 };
    await withService({ limits }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header());
      const started = performance.now();
      for (let time = 0; time < 8; time += 1) {
        put.send(cluster(time, [{ time: 0, data: new Uint8Array(200_000) }]));
      }
      put.end();
      await put.untilEnded();
      expect(put.count('PERSISTED')).toBe(8);
      expect(performance.now() - started).toBeGreaterThan(450);
    });
  });
});

describe('readers', () => {
  it('one that does not read holds nobody back', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header());
      const data = new Uint8Array(2_000_000);
      for (let time = 0; time < 20; time += 1) put.send(cluster(time, [{ time: 0, data }]));
      put.end();
      await put.untilEnded();
      expect(put.count('PERSISTED')).toBe(20);
      const stuck = mediaClient(service);
      const answer = await stuck.send(
        new GetMediaCommand({
          StreamName: 'cam',
          StartSelector: { StartSelectorType: 'EARLIEST' },
        }),
      );
      const all = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 20);
      expect(all.length).toBeGreaterThan(40_000_000);
      // The slow one gets everything too, when it begins to read.
      let read = 0;
      for await (const part of bytesOf(answer.Payload)) {
        read += part.length;
        if (read >= all.length) break;
      }
      expect(read).toBeGreaterThanOrEqual(all.length);
      stuck.destroy();
    });
  });

  it('are sent no more bytes a second than the limit', async () => {
    await withService(
      { limits: { getMediaBytesPerSecond: 1_000_000, fragmentRate: 100 } },
      async (service) => {
        await createStream(service, 'cam');
        const put = putMedia(service, 'cam');
        put.send(header());
        const data = new Uint8Array(400_000);
        for (let time = 0; time < 4; time += 1) put.send(cluster(time, [{ time: 0, data }]));
        put.end();
        await put.untilEnded();
        const started = performance.now();
        await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 4);
        expect(performance.now() - started).toBeGreaterThan(450);
      },
    );
  });
});
