// Complaints of docs/why.md about times, tracks and key frames, each against the service with its
// own limits.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  FRAME_FLAG,
  KinesisVideoProducer,
  TRACK_TYPE,
  type Clock,
  type FragmentCutReport,
  type Frame,
  type KinesisVideoStream,
} from '../../lib/index.js';
import { startService, type KvsService } from '../../lib/service/index.js';
import { frameBytes, frameIndex, syntheticFrames } from '../support/frames.js';
import { CREDENTIALS, expectStored, putAll, storedIn, type Stored } from '../support/upload.js';

const START = 1_700_000_000_000;
const RAW = { streamName: 'camera', nalAdaptationFlags: 0 } as const;

describe('media as encoders make them', () => {
  let directory = '';
  let service: KvsService;
  let producer: KinesisVideoProducer;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-why-'));
    service = await startService({ dataDir: join(directory, 'data') });
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function create(clock?: Clock): Promise<void> {
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      ...(clock === undefined ? {} : { clock }),
    });
  }

  async function deliver(stream: KinesisVideoStream): Promise<Stored> {
    await stream.stop({ timeoutMs: 60_000 });
    expect(stream.getMetrics()).toMatchObject({ errorAcks: 0, droppedFrames: 0 });
    return storedIn(service.endpoint, 'camera');
  }

  function indexes(stored: Stored): number[] {
    return stored.frames.map((frame) => frameIndex(frame.data)).sort((a, b) => a - b);
  }

  it('stores fragments whose key frames have one time, each under its own', async () => {
    await create();
    const stream = await producer.createStream({ ...RAW, minFragmentDuration: 0 });
    const times = [0, 0, 40, 40, 80, 120].map((time) => START + time);
    const frames = times.map((presentationTs, index) => ({
      frameData: frameBytes(index, 500),
      flags: FRAME_FLAG.KEY_FRAME ?? 0,
      presentationTs,
    }));
    await putAll(stream, frames);
    const stored = await deliver(stream);
    expect(indexes(stored)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(new Set(stored.fragments.map((one) => one.producerMs)).size).toBe(6);
    expect(stream.getMetrics().mendedTimecodes).toBe(2);
  });

  it('stores frames whose presentation time stands still while decoding goes on', async () => {
    await create();
    const stream = await producer.createStream(RAW);
    const frames = [...syntheticFrames({ count: 75, start: START })].map((frame, i) => ({
      ...frame,
      decodingTs: frame.presentationTs,
      presentationTs: i >= 30 && i < 45 ? START + 30 * 40 : frame.presentationTs,
    }));
    await putAll(stream, frames);
    expectStored(await deliver(stream), frames);
  });

  it('holds what a device takes before its clock is set, and stores it at the right time', async () => {
    // 1970 at boot; half a minute later the network sets the clock.
    let ahead = 0;
    const clock = { mono: () => performance.now(), wall: () => performance.now() + ahead };
    await create(clock);
    const stream = await producer.createStream(RAW);
    const frames = [...syntheticFrames({ count: 50, start: Math.ceil(clock.wall()) })];
    await putAll(stream, frames);
    expect(stream.getMetrics().totalSessions).toBe(0);
    ahead = START;
    const more = [
      ...syntheticFrames({ count: 50, start: Math.ceil(clock.wall()) + 5000, first: 50 }),
    ];
    await putAll(stream, more);
    const stored = await deliver(stream);
    expect(indexes(stored)).toHaveLength(100);
    for (const frame of stored.frames) {
      const put = [...frames, ...more][frameIndex(frame.data)]?.presentationTs ?? NaN;
      // The shift is whole milliseconds here and what the clock was set by.
      expect(Math.abs(frame.timecodeMs - (put < START ? put + START : put))).toBeLessThan(50);
    }
  });

  it('loses no video when audio falls silent and comes back', async () => {
    await create();
    const stream = await producer.createStream({
      ...RAW,
      tracks: [
        { trackId: 1 },
        { trackId: 2, trackType: TRACK_TYPE.AUDIO ?? 2, codecId: 'A_AAC', trackName: 'audio' },
      ],
    });
    const frames = [...syntheticFrames({ count: 200, start: START, size: 500 })].flatMap(
      (video, i): Frame[] => {
        const sound = { presentationTs: video.presentationTs, trackId: 2 };
        const silent = i >= 75 && i < 150;
        return silent ? [video] : [video, { ...sound, frameData: frameBytes(1000 + i, 100) }];
      },
    );
    await putAll(stream, frames);
    const stored = await deliver(stream);
    expect(indexes(stored)).toEqual(
      frames.map((frame) => frameIndex(frame.frameData)).sort((a, b) => a - b),
    );
    // A cut waits for the audio: one session.
    expect(stream.getMetrics().totalSessions).toBe(1);
  });

  it('cuts a GOP that is longer than the service takes, and says so once', async () => {
    await create();
    const stream = await producer.createStream(RAW);
    const cuts: FragmentCutReport[] = [];
    stream.on('fragmentCutReport', (report: FragmentCutReport) => cuts.push(report));
    const frames = [...syntheticFrames({ count: 750, start: START, gop: 375, size: 500 })];
    await putAll(stream, frames);
    expectStored(await deliver(stream), frames);
    expect(cuts).toHaveLength(1);
    expect(cuts[0]?.duration).toBeLessThan(10_000);
  });
});
