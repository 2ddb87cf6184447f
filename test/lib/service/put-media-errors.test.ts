import { DeleteStreamCommand } from '@aws-sdk/client-kinesis-video';
import { describe, expect, it } from 'vitest';
import { MKV_ID, writeHeader } from '../../../lib/parser/index.js';
import type { ServiceOptions } from '../../../lib/service/index.js';
import { cluster, element, header, simpleBlock, tags, uint } from '../../support/mkv.js';
import type { RawPutMedia } from '../../support/put-media.js';
import { controlClient, createStream, getMedia, putMedia, withService } from './helpers.js';

const BLOCKS = [{ time: 0 }, { time: 40 }];

interface Case {
  readonly name: string;
  readonly parts: readonly Uint8Array[];
  readonly last: string;
  readonly limits?: ServiceOptions['limits'];
}

const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${String(index)}`, 'v']));

/** A SimpleBlock with a size of eight bytes: `a3 01 00 00 …`. */
function wideBlock(time: number): Uint8Array {
  const data = Buffer.alloc(500, 7);
  return Buffer.concat([
    writeHeader(MKV_ID.SIMPLE_BLOCK, data.length + 4, 9),
    blockHead(time),
    data,
  ]);
}

function blockHead(time: number): Uint8Array {
  return Uint8Array.of(0x81, time >> 8, time & 0xff, 0);
}

const CASES: readonly Case[] = [
  { name: 'text', parts: [Buffer.from('hello, this is no Matroska at all')], last: 'ERROR 4000' },
  { name: 'zero bytes', parts: [new Uint8Array(100)], last: 'ERROR 4000' },
  { name: 'an MP4 file', parts: [Buffer.from('\0\0\0\x20ftypisom')], last: 'ERROR 4000' },
  { name: 'another DocType', parts: [header({ docType: 'mp4' })], last: 'ERROR 4006' },
  { name: 'a Cluster without header', parts: [cluster(0, BLOCKS)], last: 'ERROR 4000' },
  {
    name: 'a body that begins in the middle of a Cluster, as of AWS’s client after an outage',
    parts: [wideBlock(40), wideBlock(80), cluster(2000, BLOCKS)],
    last: 'ERROR 4000',
  },
  {
    name: 'tags, then the middle of a Cluster',
    parts: [tags({ n: 'v' }), wideBlock(40), cluster(2000, BLOCKS)],
    last: 'ERROR 4000',
  },
  {
    name: 'a block behind the head and outside of any Cluster',
    parts: [header(), wideBlock(40)],
    last: 'ERROR 4006',
  },
  {
    name: 'an EBML head whose size cannot be, in pieces behind a Void',
    parts: [
      element(MKV_ID.VOID, [Buffer.alloc(3)]),
      ...[0x1a, 0x45, 0xdf, 0xa3, 0x01, 0xff, 0xff, 0xff].map((byte) => Uint8Array.of(byte)),
      Buffer.alloc(100, 0xfe),
    ],
    last: 'ERROR 4006',
  },
  { name: 'no tracks', parts: [header({ tracks: [] }), cluster(0, BLOCKS)], last: 'ERROR 4006' },
  { name: 'one track twice', parts: [header({ tracks: [1, 1] })], last: 'ERROR 4006' },
  {
    name: 'Tracks behind a Cluster',
    parts: [header(), cluster(0, BLOCKS), element(MKV_ID.TRACKS, [])],
    last: 'ERROR 0 4006',
  },
  {
    name: 'a Cluster without a time stamp',
    parts: [
      header(),
      element(MKV_ID.CLUSTER, [simpleBlock({ time: 0 })], 'unknown'),
      cluster(9, BLOCKS),
    ],
    last: 'ERROR 4006',
  },
  {
    name: 'a child larger than its Cluster',
    parts: [
      header(),
      writeHeader(MKV_ID.CLUSTER, 20),
      uint(MKV_ID.TIMESTAMP, 7),
      writeHeader(MKV_ID.SIMPLE_BLOCK, 1000),
    ],
    last: 'ERROR 7 4006',
  },
  {
    name: 'a header without end',
    parts: [header({ codecPrivate: new Uint8Array(5 * 1024 * 1024) })],
    last: 'ERROR 4006',
  },
  {
    name: 'time going back',
    parts: [header(), cluster(2000, BLOCKS), cluster(1999, BLOCKS)],
    last: 'ERROR 1999 4004',
  },
  {
    name: 'a fragment that is too long',
    parts: [header(), cluster(5, [{ time: 0 }, { time: 20_001 }])],
    last: 'ERROR 5 4002',
    limits: {},
  },
  {
    name: 'a fragment that is too large',
    parts: [header(), cluster(5, [{ time: 0, data: new Uint8Array(9000) }])],
    last: 'ERROR 5 4001',
    limits: { fragmentBytes: 2000 },
  },
  {
    name: 'too many tracks',
    parts: [header({ tracks: [1, 2, 3, 4] })],
    last: 'ERROR 4012',
    limits: {},
  },
  {
    name: 'too many tags',
    parts: [header(), tags(many(11))],
    last: 'ERROR 4009',
    limits: {},
  },
  {
    name: 'a million tags, without limits',
    parts: [header(), tags(many(9000))],
    last: 'ERROR 4009',
  },
  {
    name: 'a block of an unknown track',
    parts: [header(), cluster(5, [{ time: 0, track: 2 }])],
    last: 'ERROR 5 4010',
  },
  {
    name: 'a track without frames',
    parts: [header({ tracks: [1, 2] }), cluster(5, BLOCKS), cluster(6, BLOCKS)],
    last: 'ERROR 5 4011',
    limits: {},
  },
  {
    name: 'a time beyond 2^53',
    parts: [header(), cluster(2n ** 60n, BLOCKS)],
    last: 'ERROR 4006',
  },
];

describe('PutMedia Error acks', () => {
  it.each(CASES)('$name: $last', async ({ parts, last, limits }) => {
    await withService({ limits: limits ?? 'off' }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(...parts);
      await put.untilEnded();
      expect(put.status).toBe(200);
      expect(put.ended).toBe(true);
      expect(put.summary()).toContain(last);
      put.destroy();
    });
  });

  it('come last, when all that is stored was told: clients close when they read them', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(
        header(),
        cluster(0, BLOCKS),
        cluster(1000, BLOCKS),
        cluster(2000, [{ time: 0, track: 9 }]),
      );
      await put.untilEnded();
      const told = put.summary();
      expect(told.filter((ack) => ack.startsWith('PERSISTED'))).toEqual([
        'PERSISTED 0',
        'PERSISTED 1000',
      ]);
      expect(told.at(-1)).toBe('ERROR 2000 4010');
      put.destroy();
    });
  });

  it('keeps whole fragments from before the error, and other streams unharmed', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'good');
      await createStream(service, 'bad');
      const good = putMedia(service, 'good');
      good.send(header(), cluster(0, BLOCKS));
      const bad = putMedia(service, 'bad');
      bad.send(header(), cluster(0, BLOCKS), cluster(2000, BLOCKS), Buffer.alloc(50));
      await bad.untilEnded();
      expect(bad.summary()).toContain('PERSISTED 0');
      expect(bad.summary()).not.toContain('PERSISTED 2000');
      good.send(cluster(2000, BLOCKS));
      good.end();
      await good.untilEnded();
      expect(good.count('PERSISTED')).toBe(2);
      bad.destroy();
    });
  });

  it('4008 when the stream is deleted', async () => {
    await withService({}, async (service) => {
      const arn = await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(0, BLOCKS));
      await put.until(({ acks }) => acks.length > 0);
      const client = controlClient(service);
      await client.send(new DeleteStreamCommand({ StreamARN: arn }));
      client.destroy();
      await put.untilEnded();
      expect(put.summary().at(-1)).toBe('ERROR 0 4008');
      put.destroy();
    });
  });

  it('4003 when the connection has lasted its time', async () => {
    await withService({ limits: { connectionDuration: 50 } }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header());
      await put.untilEnded();
      expect(put.summary()).toEqual(['ERROR 4003']);
      put.destroy();
    });
  });

  it('ends a silent connection', async () => {
    await withService({ limits: { idleClose: 50 } }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header());
      await put.untilEnded();
      expect(put.ended).toBe(true);
      put.destroy();
    });
  });
});

describe('two connections', () => {
  it('takes the newest; the older finishes its fragment and gets 4003; a third is refused', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const older = putMedia(service, 'cam');
      older.send(header(), cluster(0, BLOCKS));
      await older.until((self) => self.count('BUFFERING') === 1);
      const newer = putMedia(service, 'cam');
      await newer.until(({ status }) => status === 200);
      const third = putMedia(service, 'cam');
      await third.until(({ status }) => status === 400);
      expect(third.head).toMatch(/x-amzn-ErrorType: ConnectionLimitExceededException/i);
      older.send(cluster(2000, BLOCKS));
      await older.untilEnded();
      expect(older.summary()).toEqual(['BUFFERING 0', 'RECEIVED 0', 'PERSISTED 0', 'ERROR 4003']);
      newer.send(header(), cluster(4000, BLOCKS));
      newer.end();
      await newer.untilEnded();
      expect(newer.count('PERSISTED')).toBe(1);
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 2);
      expect(media.length).toBeGreaterThan(0);
      for (const put of [older, newer, third]) put.destroy();
    });
  });

  it('of a broken connection nothing is left: after an abort the next is never refused', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const statuses: number[] = [];
      for (let round = 0; round < 60; round += 1) {
        const put = putMedia(service, 'cam');
        await put.until(({ status }) => status !== 0);
        statuses.push(put.status);
        // What was sent before the abort still has to be read, and is given up in its middle.
        const data = Buffer.alloc(200_000, round);
        put.send(
          header(),
          cluster(round * 1000, [
            { time: 0, data },
            { time: 40, data },
          ]),
        );
        if (round % 2 === 0) put.reset();
        else put.destroy();
      }
      expect([...new Set(statuses)]).toEqual([200]);
    });
  }, 30_000);
});

describe('PutMedia requests that are refused', () => {
  const refused = async (
    stream: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<RawPutMedia> => {
    let found: RawPutMedia | undefined;
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, stream, headers);
      await put.until(({ text }) => text.endsWith('}'));
      put.destroy();
      found = put;
    });
    if (found === undefined) throw new Error('no answer');
    return found;
  };

  it('names field, value and pattern of a bad stream name', async () => {
    const put = await refused('a/b', {});
    expect(put.status).toBe(400);
    expect(put.head).toMatch(/x-amzn-ErrorType: InvalidArgumentException/i);
    expect(put.text).toContain("Value 'a/b' at 'streamName'");
    expect(put.text).toContain('[a-zA-Z0-9_.-]+');
  });

  it('an unknown stream', async () => {
    const put = await refused('nobody', {});
    expect(put.status).toBe(404);
    expect(put.head).toMatch(/x-amzn-ErrorType: ResourceNotFoundException/i);
  });

  it('a time code type that is none, and a start time that is none', async () => {
    const kind = await refused('cam', { 'x-amzn-fragment-timecode-type': 'SOMETIMES' });
    expect(kind.text).toContain('fragmentTimecodeType');
    const start = await refused('cam', { 'x-amzn-producer-start-timestamp': 'yesterday' });
    expect(start.status).toBe(400);
    expect(start.text).toContain('producerStartTimestamp');
  });
});
