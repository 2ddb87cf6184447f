import { GetMediaCommand } from '@aws-sdk/client-kinesis-video-media';
import type { StartSelector } from '@aws-sdk/client-kinesis-video-media';
import { describe, expect, it } from 'vitest';
import { readMedia, type FragmentMetadata } from '../../../lib/parser/index.js';
import type { KvsService } from '../../../lib/service/index.js';
import { cluster, element, header } from '../../support/mkv.js';
import { bytesOf, createStream, getMedia, mediaClient, putMedia, withService } from './helpers.js';

const BLOCKS = [{ time: 0 }, { time: 1000 }];
const START = 1_795_408_066_856;

/** Sends fragments at 0, 2000, … ms behind the producer's start. */
async function fill(service: KvsService, stream: string, count: number): Promise<void> {
  await createStream(service, stream);
  const put = putMedia(service, stream, {
    'x-amzn-fragment-timecode-type': 'RELATIVE',
    'x-amzn-producer-start-timestamp': '1795408066.856',
  });
  put.send(header());
  for (let index = 0; index < count; index += 1) put.send(cluster(index * 2000, BLOCKS));
  put.end();
  await put.untilEnded();
  expect(put.count('PERSISTED')).toBe(count);
}

async function fragmentsOf(media: Uint8Array): Promise<FragmentMetadata[]> {
  const fragments: FragmentMetadata[] = [];
  for await (const event of readMedia([media])) {
    if (event.kind === 'fragmentEnd') fragments.push(event.fragment);
  }
  return fragments;
}

async function times(
  service: KvsService,
  selector: StartSelector,
  count: number,
): Promise<(number | undefined)[]> {
  const media = await getMedia(service, 'cam', selector, count);
  return (await fragmentsOf(media)).map((fragment) => fragment.clusterTimecodeMs);
}

describe('GetMedia', () => {
  it('starts where each selector says', async () => {
    await withService({}, async (service) => {
      await fill(service, 'cam', 4);
      const all = await fragmentsOf(
        await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 4),
      );
      expect(all.map((fragment) => fragment.clusterTimecodeMs)).toEqual([0, 2000, 4000, 6000]);
      expect(all.map((fragment) => fragment.producerTimestampMs)).toEqual(
        [0, 2000, 4000, 6000].map((time) => START + time),
      );
      expect(all.at(-1)?.millisBehindNow).toBe(0);
      expect(all.map((fragment) => fragment.continuationToken)).toEqual(
        all.map((fragment) => fragment.fragmentNumber),
      );
      const third = all[2];
      const number = third?.fragmentNumber;
      expect(await times(service, { StartSelectorType: 'NOW' }, 1)).toEqual([6000]);
      expect(
        await times(
          service,
          { StartSelectorType: 'FRAGMENT_NUMBER', AfterFragmentNumber: number },
          2,
        ),
      ).toEqual([4000, 6000]);
      expect(
        await times(
          service,
          { StartSelectorType: 'CONTINUATION_TOKEN', ContinuationToken: number },
          1,
        ),
      ).toEqual([6000]);
      for (const [time, expected] of [
        [START + 2000, [2000, 4000]],
        [START + 3500, [2000, 4000]],
        [START - 5000, [0, 2000]],
      ] as const) {
        expect(
          await times(
            service,
            { StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: new Date(time) },
            2,
          ),
        ).toEqual(expected);
      }
      expect(
        await times(
          service,
          {
            StartSelectorType: 'SERVER_TIMESTAMP',
            StartTimestamp: new Date((all[0]?.serverTimestampMs ?? 0) - 1000),
          },
          4,
        ),
      ).toEqual([0, 2000, 4000, 6000]);
    });
  });

  it('writes chunks in the recorded layout', async () => {
    await withService({}, async (service) => {
      await fill(service, 'cam', 2);
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 2);
      const [first] = await fragmentsOf(media);
      const pair = (name: string, value: string): Uint8Array =>
        sized4(0x67c8, [
          sized4(0x45a3, [Buffer.from(`AWS_KINESISVIDEO_${name}`)]),
          sized4(0x4487, [Buffer.from(value)]),
        ]);
      const number = first?.fragmentNumber ?? '';
      expect(number).toMatch(/^\d{47}$/);
      const before = sized4(0x1254c367, [
        sized4(0x7373, [
          pair('FRAGMENT_NUMBER', number),
          pair('SERVER_TIMESTAMP', ((first?.serverTimestampMs ?? 0) / 1000).toFixed(3)),
          pair('PRODUCER_TIMESTAMP', (START / 1000).toFixed(3)),
        ]),
      ]);
      const after = sized4(0x1254c367, [
        sized4(0x7373, [
          pair('MILLIS_BEHIND_NOW', String(first?.millisBehindNow)),
          pair('CONTINUATION_TOKEN', number),
        ]),
      ]);
      const chunk = Buffer.concat([header(), before, cluster(0, BLOCKS), after]);
      expect(media.subarray(0, chunk.length).toString('hex')).toBe(chunk.toString('hex'));
      expect(media.subarray(chunk.length).indexOf(header())).toBe(0);
    });
  });

  it('keeps the answer open and sends each new fragment when it is durable', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const reading = getMedia(service, 'cam', { StartSelectorType: 'NOW' }, 3);
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(0, BLOCKS));
      for (const time of [2000, 4000, 6000]) {
        await put.until((self) => self.count('PERSISTED') === time / 2000 - 1);
        put.send(cluster(time, BLOCKS));
      }
      const fragments = await fragmentsOf(await reading);
      expect(fragments.map((fragment) => fragment.clusterTimecodeMs)).toEqual([0, 2000, 4000]);
      put.destroy();
    });
  });

  it('tells in band that a fragment is not there', async () => {
    await withService({}, async (service) => {
      await fill(service, 'cam', 1);
      const client = mediaClient(service);
      const answer = await client.send(
        new GetMediaCommand({
          StreamName: 'cam',
          StartSelector: { StartSelectorType: 'FRAGMENT_NUMBER', AfterFragmentNumber: '12345' },
        }),
      );
      const errors: unknown[] = [];
      for await (const event of readMedia(bytesOf(answer.Payload))) {
        if (event.kind === 'error') errors.push(event.error.status);
      }
      expect(errors).toEqual(['STATUS_NOT_FOUND']);
      client.destroy();
    });
  });

  it('takes no more readers than the limit when many come at once', async () => {
    await withService({ limits: { getMediaReaders: 3 } }, async (service) => {
      await createStream(service, 'cam');
      const gone = new AbortController();
      const body = JSON.stringify({
        StreamName: 'cam',
        StartSelector: { StartSelectorType: 'NOW' },
      });
      const answers = await Promise.all(
        Array.from({ length: 10 }, () =>
          fetch(`${service.endpoint}/getMedia`, { method: 'POST', body, signal: gone.signal }),
        ),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
      gone.abort();
    });
  });

  it('refuses unknown streams, missing values, and more readers than the limit', async () => {
    await withService({ limits: { getMediaReaders: 1, streamCallRate: 100 } }, async (service) => {
      await createStream(service, 'cam');
      const client = mediaClient(service);
      const ask = (name: string, selector: StartSelector): Promise<unknown> =>
        client.send(new GetMediaCommand({ StreamName: name, StartSelector: selector }));
      await expect(ask('nobody', { StartSelectorType: 'NOW' })).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
        $metadata: { httpStatusCode: 404 },
      });
      await expect(ask('cam', { StartSelectorType: 'FRAGMENT_NUMBER' })).rejects.toMatchObject({
        name: 'InvalidArgumentException',
      });
      await expect(ask('cam', { StartSelectorType: 'PRODUCER_TIMESTAMP' })).rejects.toMatchObject({
        name: 'InvalidArgumentException',
      });
      await ask('cam', { StartSelectorType: 'NOW' });
      await expect(ask('cam', { StartSelectorType: 'NOW' })).rejects.toMatchObject({
        name: 'ConnectionLimitExceededException',
      });
      client.destroy();
    });
  });
});

/** An element whose size takes four bytes. */
function sized4(id: number, parts: readonly Uint8Array[]): Uint8Array {
  const data = Buffer.concat(parts);
  const shortest = element(id, [data]);
  const idBytes = id.toString(16).length / 2;
  const size = Buffer.alloc(4);
  size.writeUInt32BE(0x1000_0000 + data.length);
  return Buffer.concat([shortest.subarray(0, idBytes), size, data]);
}
