import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DeleteStreamCommand } from '@aws-sdk/client-kinesis-video';
import { describe, expect, it, vi } from 'vitest';
import { MKV_ID, readMedia } from '../../../lib/parser/index.js';
import { cluster, element, endOfFragment, header, simpleBlock } from '../../support/mkv.js';
import { tags, uint } from '../../support/mkv.js';
import { controlClient, createStream, getMedia, putMedia, withService } from './helpers.js';
import { temporaryDirectory } from './helpers.js';

const BLOCKS = [{ time: 0 }, { time: 40 }];

describe('Error acks that need more than a bad body', () => {
  it('4005 where one track is all that is allowed, as in 2018', async () => {
    await withService({ limits: { tracks: 1 } }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header({ tracks: [1, 2] }));
      await put.untilEnded();
      expect(put.acks).toEqual([
        { EventType: 'ERROR', ErrorId: 4005, ErrorCode: 'MORE_THAN_ALLOWED_TRACKS_FOUND' },
      ]);
      put.destroy();
    });
  });

  it('4007 where start time and time code together are no time', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam', {
        'x-amzn-fragment-timecode-type': 'RELATIVE',
        'x-amzn-producer-start-timestamp': '9007199254739',
      });
      put.send(header(), cluster(2000, BLOCKS));
      await put.untilEnded();
      expect(put.summary()).toEqual(['ERROR 2000 4007']);
      put.destroy();
      // A start that is no time by itself is refused before any media.
      const none = putMedia(service, 'cam', {
        'x-amzn-fragment-timecode-type': 'RELATIVE',
        'x-amzn-producer-start-timestamp': '999999999999999',
      });
      await none.until(({ status }) => status === 400);
      expect(none.head).toMatch(/InvalidArgumentException/);
      none.destroy();
    });
  });

  it('4507 where the stream was deleted before the first fragment, else 4008', async () => {
    await withService({}, async (service) => {
      const client = controlClient(service);
      const seen = new Set<string>();
      for (let round = 0; round < 300 && !seen.has('ERROR 4507'); round += 1) {
        const arn = await createStream(service, 'cam');
        const put = putMedia(service, 'cam');
        put.send(header(), cluster(0, BLOCKS));
        // The call and the deletion are under way at the same time, in either order.
        const gone = client.send(new DeleteStreamCommand({ StreamARN: arn }));
        await put.until(({ ended, text }) => ended || text.endsWith('}'));
        await gone;
        put.destroy();
        const error = put.acks.find((ack) => ack.EventType === 'ERROR');
        const told = error === undefined ? String(put.status) : `ERROR ${String(error.ErrorId)}`;
        expect(['ERROR 4507', 'ERROR 4008', '404']).toContain(told);
        seen.add(told);
      }
      expect([...seen]).toContain('ERROR 4507');
      client.destroy();
    });
  });

  it('5000 where the service itself fails, here its clock; what was whole stays', async () => {
    let broken = false;
    const clock = {
      mono: (): number => performance.now(),
      wall: (): number => {
        if (broken) throw new Error('the clock has stopped');
        return Date.UTC(2026, 0, 1);
      },
    };
    await withService({ clock }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(0, BLOCKS));
      await put.until((self) => self.count('BUFFERING') === 1);
      broken = true;
      put.send(cluster(1000, BLOCKS));
      await put.untilEnded();
      broken = false;
      expect(put.acks.find((ack) => ack.EventType === 'ERROR')).toMatchObject({
        ErrorId: 5000,
        ErrorCode: 'INTERNAL_ERROR',
      });
      expect(put.summary()).toContain('PERSISTED 0');
      put.destroy();
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 1);
      expect(media.length).toBeGreaterThan(0);
    });
  });
});

describe('Idle acks', () => {
  it('come while the producer is silent, until the connection is ended after 30 s', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      await withService({}, async (service) => {
        await createStream(service, 'cam');
        const put = putMedia(service, 'cam');
        put.send(header(), cluster(0, BLOCKS));
        await put.until((self) => self.count('BUFFERING') === 1);
        for (let idle = 1; idle <= 5; idle += 1) {
          vi.advanceTimersByTime(idle === 1 ? 10_000 : 5000);
          await put.until((self) => self.count('IDLE') === idle);
        }
        expect(put.acks.at(-1)).toEqual({ EventType: 'IDLE' });
        put.send(cluster(1000, BLOCKS));
        await put.until((self) => self.count('PERSISTED') === 1);
        vi.advanceTimersByTime(5000);
        expect(put.count('IDLE')).toBe(5);
        vi.advanceTimersByTime(35_000);
        await put.untilEnded();
        expect(put.count('PERSISTED')).toBe(1);
        put.destroy();
      });
    } finally {
      vi.useRealTimers();
    }
  });
});

it('a dump that cannot be written harms nobody', async () => {
  const directory = await temporaryDirectory();
  const warnings: string[] = [];
  writeFileSync(join(directory, 'file'), '');
  const dump = join(directory, 'file');
  try {
    await withService({ dump, log: (_, message) => warnings.push(message) }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(0, BLOCKS));
      put.end();
      await put.untilEnded();
      expect(put.count('PERSISTED')).toBe(1);
      expect(warnings.join()).toContain('dump of cam');
      put.destroy();
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

const GOLDEN = fileURLToPath(new URL('../../golden/mkv/', import.meta.url));

/** Every frame of a Matroska body: track, time, length and content. */
async function framesOf(bytes: Uint8Array): Promise<string[]> {
  const frames: string[] = [];
  for await (const event of readMedia([bytes])) {
    if (event.kind !== 'frame') continue;
    const hash = createHash('sha256').update(event.data).digest('hex').slice(0, 16);
    const { trackNumber, timecodeMs, keyFrame, durationMs } = event;
    frames.push([trackNumber, timecodeMs, keyFrame, durationMs, hash].join(' '));
  }
  return frames;
}

it('takes strings that end in NUL, and the children of a Cluster in any order', async () => {
  await withService({}, async (service) => {
    await createStream(service, 'cam');
    const put = putMedia(service, 'cam');
    const blocks = [simpleBlock({ time: 0 }), simpleBlock({ time: 40 })];
    const [first = new Uint8Array(), second = new Uint8Array()] = blocks;
    put.send(
      header({ docType: 'matroska\0' }),
      element(MKV_ID.CLUSTER, [first, uint(MKV_ID.TIMESTAMP, 5000), second]),
      tags({ 'room\0': 'hall\0' }),
      endOfFragment(),
      element(
        MKV_ID.CLUSTER,
        [element(MKV_ID.CRC32, [Buffer.alloc(4)]), uint(MKV_ID.POSITION, 0), second].concat([
          uint(MKV_ID.PREV_SIZE, 0),
          first,
          uint(MKV_ID.TIMESTAMP, 7000),
        ]),
        'unknown',
      ),
    );
    put.end();
    await put.untilEnded();
    expect(put.summary().filter((ack) => ack.startsWith('PERSISTED'))).toEqual([
      'PERSISTED 5000',
      'PERSISTED 7000',
    ]);
    const last = put.acks.at(-1)?.FragmentNumber ?? '';
    const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, last);
    const times: number[] = [];
    for await (const event of readMedia([media])) {
      if (event.kind !== 'frame') continue;
      times.push(event.timecodeMs);
      if (event.clusterTimecodeMs !== 5000) continue;
      expect(event.fragment?.tags).toEqual([{ name: 'room', value: 'hall' }]);
    }
    expect(times).toEqual([5000, 5040, 7040, 7000]);
    put.destroy();
  });
});

/* Clusters of known size that end anywhere, Cues, Void, CRC-32, lacing, BlockGroups, SeekHead. */
describe("every writer's dialect of Matroska comes back frame by frame", () => {
  it.each([
    ...['ffmpeg-file.mkv', 'ffmpeg-pipe.mkv', 'ffmpeg.webm', 'mkvmerge-blockgroups.mkv'],
    ...['mkvmerge-laced.mkv', 'putmedia.mkv', 'getmedia.mkv'],
  ])('%s', async (name) => {
    const file = readFileSync(join(GOLDEN, name));
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(file);
      put.end();
      await put.untilEnded();
      expect(put.count('ERROR'), JSON.stringify(put.acks.at(-1))).toBe(0);
      expect(put.count('PERSISTED')).toBeGreaterThan(0);
      const last = put.acks.at(-1)?.FragmentNumber ?? '';
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, last);
      const expected = await framesOf(file);
      expect(expected.length).toBeGreaterThan(0);
      expect(await framesOf(media)).toEqual(expected);
      put.destroy();
    });
  });
});
