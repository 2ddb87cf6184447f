import {
  GetMediaForFragmentListCommand,
  ListFragmentsCommand,
  type Fragment,
  type FragmentSelectorType,
  type KinesisVideoArchivedMediaClient,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { describe, expect, it } from 'vitest';
import { readMedia } from '../../../lib/parser/index.js';
import type { KvsService } from '../../../lib/service/index.js';
import { cluster, header } from '../../support/mkv.js';
import { archiveClient, bytesOf, createStream, putMedia, withService } from './helpers.js';

const START = 1_795_408_066_000;

/** Fragments of 2 s, one every 2 s of the producer's time. */
async function fill(service: KvsService, count: number): Promise<string[]> {
  await createStream(service, 'cam');
  const put = putMedia(service, 'cam');
  put.send(header());
  for (let index = 0; index < count; index += 1) {
    const blocks = [0, 500, 1000, 1500].map((time) => ({ time, data: Uint8Array.of(index) }));
    put.send(cluster(START + index * 2000, blocks));
  }
  put.end();
  await put.untilEnded();
  return put.acks
    .filter((ack) => ack.EventType === 'PERSISTED')
    .map((ack) => ack.FragmentNumber ?? '');
}

async function list(
  client: KinesisVideoArchivedMediaClient,
  type: FragmentSelectorType,
  from: number,
  to: number,
  page: number,
): Promise<Fragment[]> {
  const found: Fragment[] = [];
  let token: string | undefined;
  do {
    const answer = await client.send(
      new ListFragmentsCommand({
        StreamName: 'cam',
        MaxResults: page,
        NextToken: token,
        FragmentSelector: {
          FragmentSelectorType: type,
          TimestampRange: { StartTimestamp: new Date(from), EndTimestamp: new Date(to) },
        },
      }),
    );
    expect(answer.Fragments?.length).toBeLessThanOrEqual(page);
    found.push(...(answer.Fragments ?? []));
    token = answer.NextToken;
  } while (token !== undefined);
  return found;
}

describe('ListFragments', () => {
  it('lists by both times, both ends included, in pages', async () => {
    await withService({}, async (service) => {
      const numbers = await fill(service, 7);
      const client = archiveClient(service);
      const all = await list(client, 'PRODUCER_TIMESTAMP', START, START + 12_000, 3);
      expect(all.map((one) => one.FragmentNumber)).toEqual(numbers);
      expect(all[1]).toMatchObject({
        FragmentLengthInMilliseconds: 2000,
        FragmentSizeInBytes: cluster(
          START,
          [0, 1, 2, 3].map((time) => ({ time })),
        ).length,
        ProducerTimestamp: new Date(START + 2000),
      });
      const some = await list(client, 'PRODUCER_TIMESTAMP', START + 1, START + 4000, 100);
      expect(some.map((one) => one.FragmentNumber)).toEqual(numbers.slice(1, 3));
      const now = Date.now();
      const server = await list(client, 'SERVER_TIMESTAMP', now - 60_000, now + 1000, 2);
      expect(server.map((one) => one.FragmentNumber)).toEqual(numbers);
      expect(await list(client, 'SERVER_TIMESTAMP', 0, now - 60_000, 2)).toEqual([]);
      const plain = await client.send(new ListFragmentsCommand({ StreamName: 'cam' }));
      expect(plain.Fragments).toHaveLength(7);
      client.destroy();
    });
  });

  it('refuses tokens, ranges and counts that cannot be', async () => {
    await withService({}, async (service) => {
      await fill(service, 1);
      const client = archiveClient(service);
      for (const bad of [
        { NextToken: 'nonsense' },
        { MaxResults: 0 },
        { MaxResults: 1001 },
        {
          FragmentSelector: {
            FragmentSelectorType: 'SERVER_TIMESTAMP' as const,
            TimestampRange: { StartTimestamp: new Date(2000), EndTimestamp: new Date(1000) },
          },
        },
      ]) {
        await expect(
          client.send(new ListFragmentsCommand({ StreamName: 'cam', ...bad })),
        ).rejects.toMatchObject({ name: 'InvalidArgumentException' });
      }
      await expect(
        client.send(new ListFragmentsCommand({ StreamName: 'nobody' })),
      ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
      client.destroy();
    });
  });
});

describe('GetMediaForFragmentList', () => {
  it('sends the fragments named in order, and tells which are not there', async () => {
    await withService({}, async (service) => {
      const numbers = await fill(service, 4);
      const client = archiveClient(service);
      const [, second = '', third = '', fourth = ''] = numbers;
      const answer = await client.send(
        new GetMediaForFragmentListCommand({
          StreamName: 'cam',
          Fragments: [fourth, second, '12345', second],
        }),
      );
      expect(answer.ContentType).toBe('video/webm');
      const bytes: Uint8Array[] = [];
      for await (const part of bytesOf(answer.Payload)) bytes.push(Buffer.from(part));
      const media = Buffer.concat(bytes);
      const times: (number | undefined)[] = [];
      for await (const event of readMedia([media])) {
        if (event.kind === 'fragmentEnd') times.push(event.fragment.clusterTimecodeMs);
      }
      expect(times.filter((time) => time !== undefined)).toEqual([START + 2000, START + 6000]);
      const text = media.toString('latin1');
      expect(text).toContain('AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP');
      expect(text).toContain('AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE');
      expect(text).toContain('12345');
      expect(text).not.toContain(third);
      client.destroy();
    });
  });
});
