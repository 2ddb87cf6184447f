import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MKV_ID } from '../../../lib/parser/index.js';
import { GUIDE_LIMITS, NO_LIMITS } from '../../../lib/service/limits.js';
import { MkvIngest } from '../../../lib/service/put/ingest.js';
import { SessionTimers } from '../../../lib/service/put/timers.js';
import { checkPlayable } from '../../../lib/service/hls/media.js';
import { collectGarbage } from '../../support/garbage.js';
import { cluster, element, header, tags } from '../../support/mkv.js';
import { createStream, getMedia, putMedia, withService } from './helpers.js';

/* What hostile shapes cost: time of the processor and heap for each byte, whatever the chunks. */

const IDLE = {
  fragmentStart: (): void => undefined,
  timecode: (): void => undefined,
  bytes: (): void => undefined,
  fragmentEnd: (): void => undefined,
};
const NO_TAGS = Object.fromEntries(
  Array.from({ length: 300 }, (_, index) => [`name-${String(index)}`, 'v'.repeat(180)]),
);
const SHAPES: readonly (readonly [string, Uint8Array])[] = [
  ['header', header({ codecPrivate: Buffer.alloc(1_000_000, 1) })],
  ['Tags', Buffer.concat([header(), cluster(0, [{ time: 0 }]), tags(NO_TAGS).subarray(0, -1)])],
  [
    'Cluster',
    Buffer.concat([header(), cluster(0, [{ time: 0, data: Buffer.alloc(1_000_000, 1) }])]),
  ],
  [
    'many Clusters, with an ack for each',
    Buffer.concat([
      header(),
      ...Array.from({ length: 5000 }, (_, at) => cluster(at, [{ time: 0 }])),
    ]),
  ],
];

describe.each(SHAPES)('%s', (_name, bytes) => {
  it.each([1, 7, 777, 65_536])('in chunks of %i bytes', (size) => {
    const ingest = new MkvIngest(IDLE, NO_LIMITS);
    collectGarbage();
    const heap = held();
    const cpu = process.cpuUsage();
    for (let at = 0; at < bytes.length; at += size) {
      // As the network gives them: each chunk is memory of its own.
      ingest.push(Uint8Array.from(bytes.subarray(at, at + size)));
    }
    const { user } = process.cpuUsage(cpu);
    collectGarbage();
    const grown = held() - heap;
    // It took 133 us a byte for Tags in single bytes, and 220 bytes of heap for one of the header.
    expect(user / bytes.length, 'us a byte').toBeLessThan(12);
    expect(grown, 'bytes held').toBeLessThan(8 * bytes.length + 2 ** 24);
    expect(ingest).toBeDefined();
  });
});

function held(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('bytes of a Cluster', () => {
  it.each([1, 7, 777, 65_536])('are all given on, in order, from chunks of %i bytes', (size) => {
    const parts: Buffer[] = [];
    const ends: number[] = [];
    const target = {
      ...IDLE,
      bytes: (part: Uint8Array): void => void parts.push(Buffer.from(part)),
      fragmentEnd: (): void => void ends.push(Buffer.concat(parts).length),
    };
    const head = header();
    const clusters = [0, 1, 2].map((time) =>
      cluster(time, [{ time: 0, data: Buffer.alloc(3000 * (time + 1), time + 1) }]),
    );
    const body = Buffer.concat([head, ...clusters]);
    const ingest = new MkvIngest(target, NO_LIMITS);
    for (let at = 0; at < body.length; at += size) ingest.push(body.subarray(at, at + size));
    ingest.end();
    expect(Buffer.concat(parts).equals(Buffer.concat(clusters))).toBe(true);
    expect(ends).toHaveLength(3);
    expect(ends[0]).toBe(clusters[0]?.length);
  });
});

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

describe('readers', () => {
  /** A reader that asks for media and reads none. */
  function idle(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    const body = '{"StreamName":"cam","StartSelector":{"StartSelectorType":"EARLIEST"}}';
    socket.write(
      `POST /getMedia HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`,
    );
    socket.on('error', () => undefined);
    return new Promise((resolve) => {
      socket.once('readable', () => {
        resolve(socket);
      });
    });
  }

  it('who take nothing make room for others', async () => {
    const limits = { ...NO_LIMITS, getMediaReaders: 3, readerStall: 500 };
    await withService({ limits }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      const data = Buffer.alloc(8_000_000, 1);
      put.send(header(), cluster(0, [{ time: 0, data }]), cluster(1000, [{ time: 0, data }]));
      put.end();
      await put.untilEnded();
      for (let count = 0; count < 3; count += 1) await idle(service.port);
      const read = (): Promise<number> =>
        getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 1).then(
          ({ length }) => length,
          () => 0,
        );
      expect(await read()).toBe(0);
      await expect.poll(read, { timeout: 20_000, interval: 200 }).toBeGreaterThan(8_000_000);
      put.destroy();
    });
  }, 40_000);

  it('have a place for the longest time of a connection', async () => {
    const limits = { ...NO_LIMITS, readerDuration: 300 };
    await withService({ limits }, async (service) => {
      await createStream(service, 'cam');
      const answer = await fetch(`${service.endpoint}/getMedia`, {
        method: 'POST',
        body: '{"StreamName":"cam","StartSelector":{"StartSelectorType":"NOW"}}',
      });
      expect((await answer.arrayBuffer()).byteLength).toBe(0);
    });
    expect(GUIDE_LIMITS.readerStall).toBe(60_000);
  });
});

describe('numbers at the edge', () => {
  it.each([1e306, 2 ** 64, 2 ** 53, -1e-300, Number.MAX_VALUE])('a time of %d s', async (time) => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const range = { StartTimestamp: 0, EndTimestamp: time };
      for (const [path, more] of [
        [
          '/getMedia',
          { StartSelector: { StartSelectorType: 'SERVER_TIMESTAMP', StartTimestamp: time } },
        ],
        [
          '/getMedia',
          { StartSelector: { StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: time } },
        ],
        [
          '/listFragments',
          { FragmentSelector: { FragmentSelectorType: 'SERVER_TIMESTAMP', TimestampRange: range } },
        ],
        [
          '/getHLSStreamingSessionURL',
          {
            PlaybackMode: 'ON_DEMAND',
            HLSFragmentSelector: {
              FragmentSelectorType: 'SERVER_TIMESTAMP',
              TimestampRange: { StartTimestamp: time, EndTimestamp: time },
            },
          },
        ],
      ] as const) {
        const answer = await fetch(`${service.endpoint}${path}`, {
          method: 'POST',
          body: JSON.stringify({ StreamName: 'cam', ...more }),
        });
        expect(answer.status, path).toBe(400);
        expect(answer.headers.get('x-amzn-errortype')).toBe('InvalidArgumentException');
        await answer.body?.cancel();
      }
    });
  });

  it('a connection may last longer than timers of Node do', async () => {
    const told: string[] = [];
    const note = (what: string) => (): void => void told.push(what);
    const actions = { idle: note('idle'), silent: note('silent'), expired: note('expired') };
    const timers = new SessionTimers({ idleClose: 30_000, connectionDuration: 2 ** 31 }, actions);
    await new Promise((resolve) => setTimeout(resolve, 50));
    timers.stop();
    expect(told).toEqual([]);
  });

  it('codec private data of 3 MiB, and Tracks that are none, are told by name', () => {
    const big = header({ codecPrivate: Buffer.alloc(3 * 2 ** 20) });
    expect(() => {
      checkPlayable(big);
    }).toThrow(/MediaType|HLS takes|codec private data/);
    const bad = Buffer.concat([
      header().subarray(0, -20),
      element(MKV_ID.TRACKS, [
        element(MKV_ID.TRACK_ENTRY, [element(MKV_ID.TRACK_NUMBER, [Buffer.alloc(9)])]),
      ]),
    ]);
    expect(() => {
      checkPlayable(bad);
    }).toThrow(expect.objectContaining({ name: 'UnsupportedStreamMediaTypeException' }));
  });
});
