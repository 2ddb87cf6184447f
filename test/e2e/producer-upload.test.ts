import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  KinesisVideoProducer,
  type Frame,
  type ProducerOptions,
  type TimelineChange,
} from '../../lib/index.js';
import { startService, type KvsService } from '../../lib/service/index.js';
import { syntheticFrames } from '../support/frames.js';
import { ServiceProcess } from '../support/service-process.js';
import { AckLog, CREDENTIALS, expectStored, putAll, storedIn } from '../support/upload.js';

const RAW = { nalAdaptationFlags: 0, contentType: 'video/h264' } as const;

describe('a producer and a service', () => {
  let directory = '';
  let service: KvsService;
  let producer: KinesisVideoProducer | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-upload-'));
    service = await startService({ dataDir: join(directory, 'data'), limits: 'off' });
  });

  afterEach(async () => {
    await producer?.close().catch(() => undefined);
    producer = undefined;
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function create(more?: ProducerOptions): Promise<KinesisVideoProducer> {
    const options = {
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off' as const,
      ...more,
    };
    return (producer = await KinesisVideoProducer.create(options));
  }

  it('stores every frame of every fragment, once', async () => {
    const acks = new AckLog();
    const stream = await (
      await create()
    ).createStream({
      ...RAW,
      streamName: 'camera',
      callbacks: acks,
    });
    const frames = [...syntheticFrames({ count: 500, start: 1_700_000_000_000 })];
    await putAll(stream, frames);
    await stream.stop({ timeoutMs: 60_000 });
    const stored = await storedIn(service.endpoint, 'camera');
    expect(expectStored(stored, frames)).toBe(0);
    expect(stored.fragments).toHaveLength(20);
    expect(acks.persisted().size).toBe(20);
    expect(stream.getMetrics()).toMatchObject({
      totalFrames: 500,
      droppedFrames: 0,
      bufferedFrames: 0,
      persistedAcks: 20,
      totalSessions: 1,
    });
  });

  it('takes more than its storage holds from a pipeline, which waits for room', async () => {
    const deviceInfo = { storageInfo: { storageSize: 10 * 1024 * 1024 } };
    const stream = await (
      await create({ deviceInfo })
    ).createStream({ ...RAW, streamName: 'long' });
    const frames = [
      ...syntheticFrames({ count: 1500, start: 1_700_000_000_000, size: 30_000, gop: 30 }),
    ];
    await pipeline(Readable.from(frames), stream);
    const stored = await storedIn(service.endpoint, 'long');
    expect(expectStored(stored, frames)).toBe(0);
    expect(stream.destroyed).toBe(true);
  });

  it('drops nothing of an OFFLINE stream, however full it is', async () => {
    const deviceInfo = { storageInfo: { storageSize: 10 * 1024 * 1024 } };
    const stream = await (
      await create({ deviceInfo })
    ).createStream({
      ...RAW,
      streamName: 'offline',
      streamingType: 'OFFLINE',
      bufferDuration: 20_000,
    });
    // Frames of a megabyte: the room between the mark and the end of the storage is two of them.
    const frames = [
      ...syntheticFrames({
        count: 60,
        start: 1_700_000_000_000,
        size: 1_000_000,
        gop: 3,
        step: 500,
      }),
    ];
    const refused: unknown[] = [];
    stream.on('frameRefused', (error) => refused.push(error));
    await pipeline(Readable.from(frames), stream);
    expect(refused).toEqual([]);
    expect(stream.gaps).toEqual([]);
    expectStored(await storedIn(service.endpoint, 'offline'), frames);
  });

  it('runs several streams and several producers at once', async () => {
    const other = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
    });
    const own = await create();
    const uploads = [own, own, other, other].map(async (one, i) => {
      const stream = await one.createStream({ ...RAW, streamName: `camera-${i}` });
      const frames = [
        ...syntheticFrames({ count: 200, start: 1_700_000_000_000, first: i * 1000 }),
      ];
      await putAll(stream, frames);
      await stream.stop({ timeoutMs: 60_000 });
      expectStored(await storedIn(service.endpoint, `camera-${i}`), frames);
    });
    await Promise.all(uploads);
    expect(own.getMetrics().streams).toBe(2);
    await other.close();
  });

  it('goes on after stop, in a session of its own', async () => {
    const stream = await (await create()).createStream({ ...RAW, streamName: 'again' });
    const first = [...syntheticFrames({ count: 50, start: 1_700_000_000_000 })];
    await putAll(stream, first);
    await stream.stop({ timeoutMs: 60_000 });
    stream.start();
    const second = [...syntheticFrames({ count: 50, start: 1_700_000_100_000, first: 50 })];
    await putAll(stream, second);
    await stream.stop({ timeoutMs: 60_000 });
    expectStored(await storedIn(service.endpoint, 'again'), [...first, ...second]);
    expect(stream.getMetrics().totalSessions).toBe(2);
  });

  it('tags a stream that it creates, and fragments with their metadata', async () => {
    const stream = await (
      await create()
    ).createStream({
      ...RAW,
      streamName: 'tagged',
      retentionPeriod: 7_200_000,
      tags: { site: 'north' },
    });
    stream.putFragmentMetadata('lens', '24 mm', true);
    const frames = [...syntheticFrames({ count: 50, start: 1_700_000_000_000 })];
    await putAll(stream, frames);
    await stream.stop({ timeoutMs: 60_000 });
    const sdk = await import('@aws-sdk/client-kinesis-video');
    const client = new sdk.KinesisVideoClient({
      endpoint: service.endpoint,
      region: 'us-west-2',
      credentials: CREDENTIALS,
    });
    const name = { StreamName: 'tagged' };
    const { StreamInfo } = await client.send(new sdk.DescribeStreamCommand(name));
    expect(StreamInfo).toMatchObject({ DataRetentionInHours: 2, MediaType: 'video/h264' });
    const { Tags } = await client.send(new sdk.ListTagsForStreamCommand(name));
    expect(Tags).toEqual({ site: 'north' });
    client.destroy();
  });

  it('keeps within the limits of the service while a backlog is sent', async () => {
    const own = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
    });
    const stream = await own.createStream({ ...RAW, streamName: 'backlog' });
    const frames = [...syntheticFrames({ count: 375, start: 1_700_000_000_000 })];
    await putAll(stream, frames);
    const began = performance.now();
    await stream.stop({ timeoutMs: 60_000 });
    const seconds = (performance.now() - began) / 1000;
    expectStored(await storedIn(service.endpoint, 'backlog'), frames);
    // 15 fragments at 5 a second, 5 of which may go at once.
    expect(seconds).toBeGreaterThan(1.5);
    expect(seconds).toBeLessThan(40); // a busy machine takes its time
    await own.close();
  });

  it('keeps within them with fragments so small that many fit into one write', async () => {
    const own = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
    });
    const small = { ...RAW, streamName: 'small', minFragmentDuration: 0 };
    const stream = await own.createStream(small);
    const size = 1000;
    const frames = [
      ...syntheticFrames({ count: 30, start: 1_700_000_000_000, step: 200, gop: 1, size }),
    ];
    for (const frame of frames) stream.putFrame(frame);
    const began = performance.now();
    const ahead: number[] = [];
    stream.on('fragmentAckReceived', () => {
      const seconds = (performance.now() - began) / 1000;
      ahead.push(stream.getMetrics().transferredBytes / size - 5 * seconds);
    });
    await stream.stop({ timeoutMs: 60_000 });
    expect(performance.now() - began).toBeGreaterThan(4500);
    expect(Math.max(...ahead)).toBeLessThan(12);
    expectStored(await storedIn(service.endpoint, 'small'), frames);
    await own.close();
  });

  it('takes old recordings beside live media, each at its own time', async () => {
    const stream = await (await create()).createStream({ ...RAW, streamName: 'both' });
    const live = (from: number, first: number): Frame[] => [
      ...syntheticFrames({ count: 50, start: 1_700_000_000_000 + from, first }),
    ];
    const old = [...syntheticFrames({ count: 75, start: 1_600_000_000_000, first: 5000 })];
    const parts = [live(0, 0), old, live(2000, 50)];
    const changes: TimelineChange[] = [];
    stream.on('timelineChanged', (change: TimelineChange) => changes.push(change));
    for (const part of parts) await putAll(stream, part);
    await stream.stop({ timeoutMs: 60_000 });
    const stored = await storedIn(service.endpoint, 'both');
    expectStored(stored, parts.flat());
    expect(stored.fragments.map((fragment) => fragment.producerMs)).toEqual([
      1_600_000_000_000, 1_600_000_001_000, 1_600_000_002_000, 1_700_000_000_000, 1_700_000_001_000,
      1_700_000_002_000, 1_700_000_003_000,
    ]);
    expect(changes).toHaveLength(2);
  });

  it('keeps what it cannot deliver, says so when stop is out of time, and delivers it later', async () => {
    const process = await ServiceProcess.create(join(directory, 'late'));
    const late = await KinesisVideoProducer.create({
      endpoint: process.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
    });
    const stream = await late.createStream({ ...RAW, streamName: 'offline' });
    const frames = [...syntheticFrames({ count: 75, start: 1_700_000_000_000 })];
    await putAll(stream, frames);
    const late200 = stream.stop({ timeoutMs: 200 });
    await expect(late200).rejects.toThrowError(/75 frames in 3 fragments/);
    await expect(late200).rejects.toMatchObject({
      status: 'STATUS_OPERATION_TIMED_OUT',
      code: 0x0f,
      retryable: true,
    });
    await sleep(1800);
    await process.start();
    await stream.stop({ timeoutMs: 60_000 });
    expectStored(await storedIn(process.endpoint, 'offline'), frames);
    await late.close();
    await process.kill();
  });

  it('goes on after a stop that was out of time, and loses nothing that it held', async () => {
    const process = await ServiceProcess.create(join(directory, 'again'));
    const again = await KinesisVideoProducer.create({
      endpoint: process.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
    });
    const stream = await again.createStream({ ...RAW, streamName: 'again' });
    const frames = [...syntheticFrames({ count: 150, start: 1_700_000_000_000 })];
    const before = frames.slice(0, 75);
    // What comes after may be of any time, an earlier one too.
    const after = frames
      .slice(75)
      .map((frame) => ({ ...frame, presentationTs: frame.presentationTs - 60_000 }));
    await putAll(stream, before);
    await expect(stream.stop({ timeoutMs: 100 })).rejects.toMatchObject({
      status: 'STATUS_OPERATION_TIMED_OUT',
    });
    const stopping = stream.stop();
    stream.start();
    await expect(stopping).rejects.toThrowError(/was started again while it was being stopped/);
    await putAll(stream, after);
    await process.start();
    await stream.stop({ timeoutMs: 60_000 });
    expectStored(await storedIn(process.endpoint, 'again'), [...before, ...after]);
    expect(stream.gaps).toEqual([]);
    await again.close();
    await process.kill();
  });
});
