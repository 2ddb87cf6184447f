import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  KinesisVideoProducer,
  TRACK_TYPE,
  type Frame,
  type KinesisVideoStream,
} from '../../../lib/index.js';
import { syntheticFrames } from '../../support/frames.js';
import { ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS, putAll } from '../../support/upload.js';

const START = 1_700_000_000_000;
/** 40 s of 25 frames a second, a key frame a second. */
const FRAMES = [...syntheticFrames({ count: 1000, start: START, size: 300 })];

describe('pause and resume', () => {
  let service: ScriptedService;
  let producer: KinesisVideoProducer;
  let stream: KinesisVideoStream;

  beforeEach(async () => {
    service = await ScriptedService.start();
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
    });
    stream = await producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0 });
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    await service.close();
  });

  async function received(): Promise<number[]> {
    await stream.stop({ timeoutMs: 60_000 });
    return service.fragments.flatMap((fragment) => fragment.frames).sort((a, b) => a - b);
  }

  function numbers(from: number, to: number): number[] {
    return Array.from({ length: to - from }, (_, i) => from + i);
  }

  it('sends nothing of what comes meanwhile, and goes on at the next key frame', async () => {
    await putAll(stream, FRAMES.slice(0, 100));
    stream.pause();
    expect(stream.paused).toBe(true);
    await putAll(stream, FRAMES.slice(100, 500));
    stream.resume();
    await putAll(stream, FRAMES.slice(500, 600));
    expect(await received()).toEqual([...numbers(0, 100), ...numbers(500, 600)]);
  });

  it.each([
    ['long', 100, 505, 525],
    ['so short that it is within one fragment', 105, 110, 125],
  ])(
    'passes over frames that nothing can show: a pause that is %s',
    async (_how, from, to, next) => {
      await putAll(stream, FRAMES.slice(0, from));
      stream.pause();
      await putAll(stream, FRAMES.slice(from, to));
      stream.resume();
      // Nothing is missing within this one, but still before it.
      stream.pause({ preRollMs: 1000 });
      stream.resume();
      await putAll(stream, FRAMES.slice(to, 600));
      expect(await received()).toEqual([...numbers(0, from), ...numbers(next, 600)]);
    },
  );

  it('goes on at once where no frame came meanwhile', async () => {
    await putAll(stream, FRAMES.slice(0, 105));
    stream.pause();
    stream.resume();
    await putAll(stream, FRAMES.slice(105, 150));
    expect(await received()).toEqual(numbers(0, 150));
  });

  it('keeps sound, of which each frame can be begun at', async () => {
    const tracks = [{ trackId: 1, trackType: TRACK_TYPE.AUDIO, codecId: 'A_AAC' }];
    const sound = await producer.createStream({
      streamName: 'sound',
      tracks,
      contentType: 'audio/aac',
    });
    const frames = FRAMES.map((frame) => ({ ...frame, flags: 0 }));
    sound.pause();
    sound.pause({ preRollMs: 2000 });
    await putAll(sound, frames.slice(0, 500));
    sound.resume();
    await putAll(sound, frames.slice(500, 600));
    await sound.stop({ timeoutMs: 60_000 });
    const got = service.fragments.flatMap((fragment) => fragment.frames).sort((a, b) => a - b);
    expect(got).toEqual(numbers(449, 600));
  });

  it('keeps nothing of a group that is longer than its share, until the next one begins', async () => {
    stream.pause({ preRollMs: 1000 });
    const frameData = new Uint8Array(400_000);
    const put = (i: number, flags: number): void => {
      stream.putFrame({ frameData, flags, presentationTs: START + i * 40 });
    };
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1000; i += 1) put(i, i === 0 ? 1 : 0);
    globalThis.gc?.();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200e6);
    stream.resume();
    put(1000, 0);
    expect(stream.getMetrics().totalFrames).toBe(0);
    put(1001, 1);
    put(1002, 0);
    expect(stream.getMetrics().totalFrames).toBe(2);
  });

  it('sends the pre-roll first: at least so much, from a key frame on', async () => {
    stream.pause({ preRollMs: 10_000 });
    await putAll(stream, FRAMES.slice(0, 710));
    expect(stream.getMetrics().totalFrames).toBe(0);
    stream.resume();
    expect(stream.paused).toBe(false);
    await putAll(stream, FRAMES.slice(710));
    // 10 s before frame 709 is frame 459; the key frame before it is 450.
    expect(await received()).toEqual(numbers(450, 1000));
  });

  it('keeps copies, and not more than its share of the storage', async () => {
    stream.pause({ preRollMs: 1e9 });
    const frameData = new Uint8Array(40_000);
    for (let i = 0; i < 5000; i += 1) {
      const flags = i % 25 === 0 ? 1 : 0;
      stream.putFrame({ frameData, flags, presentationTs: START + i * 40 });
    }
    frameData.fill(9);
    stream.resume();
    const { totalFrames, overallViewSize } = stream.getMetrics();
    expect(totalFrames * 40_000).toBeLessThan(68 * 2 ** 20);
    expect(totalFrames * 40_000).toBeGreaterThan(60 * 2 ** 20);
    expect(overallViewSize).toBeGreaterThan(0);
  });

  it('tells of kept frames that are refused', async () => {
    const refused: Frame[] = [];
    stream.on('frameRefused', (_error: Error, frame: Frame) => refused.push(frame));
    stream.pause({ preRollMs: 10_000 });
    const bad = { frameData: new Uint8Array(0), presentationTs: START + 10 };
    await putAll(stream, [...FRAMES.slice(0, 1), bad, ...FRAMES.slice(1, 50)]);
    stream.resume();
    expect(refused).toEqual([bad]);
    expect(await received()).toEqual(numbers(0, 50));
    expect(() => {
      stream.pause({ preRollMs: -1 });
    }).toThrowError(/preRollMs is -1/);
  });
});
