import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DefaultCallbackProvider,
  KinesisVideoProducer,
  type Credentials,
  type SessionEndedReport,
} from '../../lib/index.js';
import { startService, type KvsService } from '../../lib/service/index.js';
import { syntheticFrames } from '../support/frames.js';
import { CREDENTIALS, expectStored, storedIn } from '../support/upload.js';

describe('sessions of a long upload', () => {
  let directory = '';
  let service: KvsService;
  let producer: KinesisVideoProducer;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-rotation-'));
    service = await startService({ dataDir: join(directory, 'data') });
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
    });
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('follow on each other without a missing or doubled fragment', async () => {
    const stream = await producer.createStream({
      streamName: 'camera',
      nalAdaptationFlags: 0,
      sessionDuration: 1500,
    });
    const ends: SessionEndedReport[] = [];
    stream.on('sessionEnded', (report: SessionEndedReport) => ends.push(report));
    // In real time, a fragment a second.
    const frames = [...syntheticFrames({ count: 200, start: Date.now() })];
    for (const frame of frames) {
      stream.putFrame(frame);
      await sleep(frame.presentationTs - Date.now());
    }
    await stream.stop({ timeoutMs: 60_000 });
    expect(expectStored(await storedIn(service.endpoint, 'camera'), frames)).toBe(0);
    const { totalSessions, droppedFrames } = stream.getMetrics();
    expect(totalSessions).toBeGreaterThanOrEqual(4);
    expect(droppedFrames).toBe(0);
    expect(new Set(ends.map((end) => end.status))).toEqual(new Set(['STATUS_SUCCESS']));
  });

  it('change with tokens that expire, before they do, and lose nothing', async () => {
    // Four seconds in one: a token is renewed half a minute before its end, and each 10 s at most.
    const began = performance.now();
    const epoch = Date.now();
    const mono = (): number => (performance.now() - began) * 4;
    const wall = (): number => epoch + mono();
    let asked = 0;
    class ShortTokens extends DefaultCallbackProvider {
      override async getStreamingToken(): Promise<Credentials> {
        asked += 1;
        const expiration = new Date(wall() + 32_000);
        return { ...CREDENTIALS, sessionToken: `token-${asked}`, expiration };
      }
    }
    const { endpoint } = service;
    const callbackProvider = new ShortTokens({
      endpoint,
      region: 'us-west-2',
      credentials: CREDENTIALS,
    });
    const rotating = await KinesisVideoProducer.create({ callbackProvider, clock: { mono, wall } });
    const stream = await rotating.createStream({ streamName: 'tokens', nalAdaptationFlags: 0 });
    const errors: unknown[] = [];
    stream.on('streamErrorReport', (report) => errors.push(report));
    const frames = [...syntheticFrames({ count: 625, start: Math.trunc(wall()) })];
    for (const frame of frames) {
      stream.putFrame(frame);
      await sleep((frame.presentationTs - wall()) / 4);
    }
    await stream.stop({ timeoutMs: 60_000 });
    expect(expectStored(await storedIn(service.endpoint, 'tokens'), frames)).toBe(0);
    expect(stream.getMetrics().totalSessions).toBeGreaterThanOrEqual(3);
    expect(asked).toBeGreaterThanOrEqual(3);
    expect(errors).toEqual([]);
    await rotating.close();
  });

  it('end when the stream is idle, and begin again with its next key frame', async () => {
    const stream = await producer.createStream({
      streamName: 'events',
      nalAdaptationFlags: 0,
      idleDuration: 500,
    });
    const first = [...syntheticFrames({ count: 50, start: 1_700_000_000_000 })];
    for (const frame of first) stream.putFrame(frame);
    await new Promise((resolve) => stream.once('sessionEnded', resolve));
    expect(stream.getMetrics().bufferedFrames).toBe(0);
    const second = [...syntheticFrames({ count: 50, start: 1_700_000_060_000, first: 50 })];
    for (const frame of second) stream.putFrame(frame);
    await stream.stop({ timeoutMs: 60_000 });
    expect(expectStored(await storedIn(service.endpoint, 'events'), [...first, ...second])).toBe(0);
    expect(stream.getMetrics().totalSessions).toBe(2);
  });
});
