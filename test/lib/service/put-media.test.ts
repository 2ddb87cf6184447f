import { describe, expect, it } from 'vitest';
import { readFrames, type FragmentMetadata } from '../../../lib/parser/index.js';
import {
  cluster,
  element,
  endOfFragment,
  header,
  simpleBlock,
  tags,
  text,
  uint,
} from '../../support/mkv.js';
import { MKV_ID } from '../../../lib/parser/index.js';
import { createStream, getMedia, putMedia, withService } from './helpers.js';

const BLOCKS = [{ time: 0 }, { time: 40, data: Uint8Array.of(7, 7) }];

describe('PutMedia', () => {
  it('acknowledges while the body is still coming', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      await put.until(({ status }) => status === 200);
      put.send(header());
      put.send(cluster(1000, BLOCKS));
      await put.until(({ acks }) => acks.length === 1);
      expect(put.summary()).toEqual(['BUFFERING 1000']);
      put.send(cluster(3000, BLOCKS));
      await put.until((self) => self.count('PERSISTED') === 1);
      expect(put.summary().filter((line) => line.endsWith(' 1000'))).toEqual([
        'BUFFERING 1000',
        'RECEIVED 1000',
        'PERSISTED 1000',
      ]);
      put.end();
      await put.untilEnded();
      expect(put.summary().slice(-2)).toEqual(['RECEIVED 3000', 'PERSISTED 3000']);
    });
  });

  it('gives fragment numbers of the recorded form, which only grow, also over restarts', async () => {
    const numbers: bigint[] = [];
    await withService({}, async (service, dataDir) => {
      await createStream(service, 'cam');
      const send = async (to: typeof service): Promise<void> => {
        const put = putMedia(to, 'cam');
        put.send(header(), cluster(0, BLOCKS), cluster(2000, BLOCKS));
        put.end();
        await put.untilEnded();
        const persisted = put.acks.filter((ack) => ack.EventType === 'PERSISTED');
        numbers.push(...persisted.map((ack) => BigInt(ack.FragmentNumber ?? '')));
      };
      await send(service);
      await send(service);
      await service.close();
      await withService({ dataDir }, send);
    });
    expect(numbers).toHaveLength(6);
    expect([...numbers].sort((a, b) => (a < b ? -1 : 1))).toEqual(numbers);
    for (const number of numbers) {
      expect(String(number)).toHaveLength(47);
      expect(number >> 156n).toBe(1n);
      const serverTime = Number((number >> 28n) & ((1n << 64n) - 1n));
      expect(Math.abs(serverTime - Date.now())).toBeLessThan(60_000);
    }
    const sequence = (index: number): bigint =>
      ((numbers[index] ?? 0n) >> 92n) & ((1n << 64n) - 1n);
    expect(sequence(1) - sequence(0)).toBe(1n);
  });

  it.each(['one byte at a time', 'whole'])('takes any split of the body: %s', async (how) => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      const body = Buffer.concat([
        header(),
        cluster(0, BLOCKS),
        tags({ room: 'hall' }),
        cluster(2000, BLOCKS),
      ]);
      if (how === 'whole') put.send(body);
      else for (const byte of body) put.send(Uint8Array.of(byte));
      put.end();
      await put.untilEnded();
      expect(put.count('PERSISTED')).toBe(2);
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 2);
      expect(media.includes(Buffer.from(cluster(0, BLOCKS)))).toBe(true);
      expect(media.includes(Buffer.from(cluster(2000, BLOCKS)))).toBe(true);
    });
  });

  it('ends a fragment at END_OF_FRAGMENT and persists it while the body stays open', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(5, BLOCKS), endOfFragment());
      await put.until((self) => self.count('PERSISTED') === 1);
      expect(put.ended).toBe(false);
      put.end();
      await put.untilEnded();
      expect(put.summary()).toEqual(['BUFFERING 5', 'RECEIVED 5', 'PERSISTED 5']);
    });
  });

  it('takes bodies of tags alone, and a tag before the first Cluster', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const alone = putMedia(service, 'cam');
      alone.send(endOfFragment());
      alone.end();
      await alone.untilEnded();
      expect(alone.status).toBe(200);
      expect(alone.acks).toEqual([]);
      const put = putMedia(service, 'cam');
      put.send(header(), endOfFragment(), cluster(5, BLOCKS));
      put.end();
      await put.untilEnded();
      expect(put.summary()).toEqual(['BUFFERING 5', 'RECEIVED 5', 'PERSISTED 5']);
    });
  });

  it('discards a fragment that was cut off by a reset or inside an element', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const reset = putMedia(service, 'cam');
      reset.send(header(), cluster(0, BLOCKS), cluster(2000, BLOCKS));
      await reset.until((self) => self.count('PERSISTED') === 1);
      reset.reset();
      const cut = putMedia(service, 'cam');
      cut.send(header(), cluster(4000, BLOCKS), cluster(6000, BLOCKS).subarray(0, -1));
      cut.end();
      await cut.untilEnded();
      expect(cut.summary()).toContain('PERSISTED 4000');
      expect(cut.summary()).toContain('ERROR 6000 4000');
      const last = putMedia(service, 'cam');
      last.send(header(), cluster(8000, BLOCKS));
      last.end();
      await last.untilEnded();
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 3);
      const times = await timecodes(media);
      expect(times).toEqual([0, 4000, 8000]);
    });
  });

  it('takes a Segment and Clusters of known size, and stores the Segment open', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const blocks = BLOCKS.map(simpleBlock);
      const sized = (time: number): Uint8Array =>
        element(MKV_ID.CLUSTER, [uint(MKV_ID.TIMESTAMP, time), ...blocks]);
      const parts = [header().subarray(header().indexOf(0xff) + 1), sized(0), sized(2000)];
      const put = putMedia(service, 'cam');
      put.send(
        element(MKV_ID.EBML, [text(MKV_ID.DOC_TYPE, 'matroska')]),
        element(MKV_ID.SEGMENT, parts),
      );
      put.end();
      await put.untilEnded();
      expect(put.count('PERSISTED')).toBe(2);
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 2);
      expect(await timecodes(media)).toEqual([0, 2000]);
    });
  });

  it('keeps the tags of each fragment with it', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header(), tags({ n: 'first' }), cluster(0, BLOCKS), tags({ n: 'second' }));
      put.send(cluster(2000, BLOCKS), tags({ late: 'yes' }), endOfFragment());
      await put.until((self) => self.count('PERSISTED') === 2);
      put.destroy();
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 2);
      const fragments: FragmentMetadata[] = [];
      for await (const frame of readFrames([media], { onFragmentEnd: (f) => fragments.push(f) })) {
        expect(frame.data.length).toBeGreaterThan(0);
      }
      const own = fragments.map((fragment) =>
        fragment.tags.filter(({ name }) => !name.startsWith('AWS_')),
      );
      expect(own).toEqual([
        [{ name: 'n', value: 'first' }],
        [
          { name: 'n', value: 'second' },
          { name: 'late', value: 'yes' },
        ],
      ]);
    });
  });

  it('sends no acks where none are wanted', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam', { 'x-amzn-fragment-acknowledgment-required': '0' });
      put.send(header(), cluster(0, BLOCKS));
      put.end();
      await put.untilEnded();
      expect(put.acks).toEqual([]);
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 1);
      expect(await timecodes(media)).toEqual([0]);
    });
  });

  it('answers Expect: 100-continue and sends no Persisted ack without retention', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam', 0);
      const put = putMedia(service, 'cam', { Expect: '100-continue' });
      await put.until(({ status }) => status === 200);
      put.send(header(), cluster(0, BLOCKS));
      put.end();
      await put.untilEnded();
      expect(put.summary()).toEqual(['BUFFERING 0', 'RECEIVED 0']);
    });
  });
});

describe('producer time', () => {
  const relative = (start: string, agent: string): Promise<number | undefined> =>
    producerTime({
      'x-amzn-fragment-timecode-type': 'RELATIVE',
      'x-amzn-producer-start-timestamp': start,
      'user-agent': agent,
    });

  it('reads unpadded milliseconds of AWS C clients, and decimals of everybody else', async () => {
    const agent = 'AWS-PRODUCER-SDK-KVS/1.6.0 GCC/12.2.0 Linux/6 x86_64';
    expect(await relative('1795408268.72', agent)).toBe(1_795_408_268_072 + 2000);
    expect(await relative('1795408268.72', 'curl/8')).toBe(1_795_408_268_720 + 2000);
    expect(await relative('1795408268.072', agent)).toBe(1_795_408_268_072 + 2000);
    expect(await relative('1795408268', 'curl/8')).toBe(1_795_408_268_000 + 2000);
  });

  it('takes absolute time codes from 1970 on', async () => {
    expect(await producerTime({})).toBe(2000);
  });
});

async function producerTime(
  headers: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  let found: number | undefined;
  await withService({}, async (service) => {
    await createStream(service, 'cam');
    const put = putMedia(service, 'cam', headers);
    put.send(header(), cluster(2000, BLOCKS));
    put.end();
    await put.untilEnded();
    const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 1);
    for await (const frame of readFrames([media])) found = frame.fragment?.producerTimestampMs;
  });
  return found;
}

async function timecodes(media: Uint8Array): Promise<(number | undefined)[]> {
  const times: (number | undefined)[] = [];
  for await (const frame of readFrames([media], {
    onFragmentEnd: (fragment) => times.push(fragment.clusterTimecodeMs),
  })) {
    expect(frame.data.length).toBeGreaterThan(0);
  }
  return times;
}
