// The end of a stream at its edges: queued notes, written frames, wrong limits, who waits for room.
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KinesisVideoProducer, type Frame, type KinesisVideoStream } from '../../../lib/index.js';
import { anything } from '../../support/anything.js';
import { syntheticFrames } from '../../support/frames.js';
import { ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS } from '../../support/upload.js';

const START = 1_700_000_000_000;
const RAW = { streamName: 'camera', nalAdaptationFlags: 0 } as const;

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
  stream = await producer.createStream(RAW);
});

afterEach(async () => {
  await producer.close({ timeoutMs: 0 }).catch(() => undefined);
  await service.close();
});

function frames(count: number, first = 0): Frame[] {
  return [...syntheticFrames({ count, first, start: START + first * 40, size: 500 })];
}

function delivered(): Set<number> {
  return new Set(service.fragments.flatMap((fragment) => fragment.frames));
}

function lost(): number {
  return stream.gaps.reduce((sum, gap) => sum + gap.frames, 0);
}

describe('stop and start in one turn', () => {
  it.each(['start', 'reset'] as const)(
    '%s: the next stop waits for its own frames',
    async (how) => {
      const first = stream.stop();
      stream[how]();
      await first.catch(() => undefined);
      for (const frame of frames(100)) stream.putFrame(frame);
      await stream.stop();
      expect(delivered().size).toBe(100);
    },
  );

  it.each(['start', 'reset'] as const)('%s: close loses nothing untold', async (how) => {
    stream.stop().catch(() => undefined);
    stream[how]();
    for (const frame of frames(100)) stream.putFrame(frame);
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    expect(delivered().size + lost()).toBe(100);
  });

  it('starts again after an error that was final', async () => {
    service.script = ({ timecode }) => [
      `${JSON.stringify({ EventType: 'ERROR', FragmentTimecode: timecode, ErrorId: 5000 })}\r\n`,
    ];
    const final = await producer.createStream({
      ...RAW,
      streamName: 'final',
      restartOnError: false,
    });
    const closed = once(final, 'streamClosed');
    for (const frame of frames(60)) final.putFrame(frame);
    await closed;
    await expect(final.stop()).rejects.toMatchObject({ name: 'KvsError' });
    service.script = ({ timecode }) => [
      `${JSON.stringify({ EventType: 'PERSISTED', FragmentTimecode: timecode, FragmentNumber: '1' })}\r\n`,
    ];
    final.start();
    for (const frame of frames(30, 60)) final.putFrame(frame);
    await final.stop();
    expect([...delivered()].filter((index) => index >= 60)).toHaveLength(30);
  });
});

describe('stop with written frames', () => {
  it('takes what write() holds before it stops, and refuses what comes after', async () => {
    await service.close();
    const small = await producer.createStream({
      ...RAW,
      streamName: 'small',
      bufferDuration: 20_000,
    });
    const written = frames(1000);
    for (const frame of written) small.write(frame);
    expect(small.writableLength).toBeGreaterThan(100);
    await expect(small.stop({ timeoutMs: 20 })).rejects.toThrow(/written ones wait for room/);
    const refused = once(small, 'frameRefused');
    expect(() => small.putFrame(frames(1, 1000).at(0) ?? anything(null))).toThrow(/been stopped/);
    service = await ScriptedService.start({ port: Number(new URL(service.endpoint).port) });
    small.write(anything(frames(1, 1000)[0]));
    await small.stop();
    expect(delivered().size).toBe(1000);
    expect((await refused)[0]).toMatchObject({ status: 'STATUS_STREAM_HAS_BEEN_STOPPED' });
    expect(small.health.refusedFrames).toBe(1);
  }, 60_000);
});

describe('options that are wrong', () => {
  it.each([
    ['a text', { timeoutMs: '5000' }, /timeoutMs is the text '5000'; give a number/],
    ['a negative number', { timeoutMs: -1 }, /timeoutMs is -1/],
    ['another name', { timeout: 5 }, /'timeout' is not known; did you mean 'timeoutMs'\?/],
    ['no signal', { signal: 5 }, /signal is 5; give an AbortSignal/],
    ['no object', 5000, /options are 5000; give an object/],
  ])('stop nothing and close nothing: %s', async (_what, options, message) => {
    for (const frame of frames(60)) stream.putFrame(frame);
    await expect(stream.stop(anything(options))).rejects.toThrow(message);
    await expect(producer.close(anything(options))).rejects.toThrow(message);
    for (const frame of frames(40, 60)) stream.putFrame(frame);
    await producer.close();
    expect(delivered().size).toBe(100);
  });

  it('an undefined limit is the default one', async () => {
    await service.close();
    for (const frame of frames(30)) stream.putFrame(frame);
    const began = performance.now();
    await expect(producer.close({ timeoutMs: undefined })).rejects.toThrow(/within 10000 ms/);
    expect(performance.now() - began).toBeLessThan(20_000);
    service = await ScriptedService.start();
  }, 30_000);
});

describe('await using', () => {
  it('delivers what is buffered, of a stream and of a producer', async () => {
    {
      await using own = stream;
      for (const frame of frames(50)) own.putFrame(frame);
    }
    expect(stream.destroyed).toBe(true);
    expect(delivered().size).toBe(50);
    {
      await using all = await KinesisVideoProducer.create({
        endpoint: service.endpoint,
        credentials: CREDENTIALS,
      });
      const other = await all.createStream({ ...RAW, streamName: 'other' });
      for (const frame of frames(30, 50)) other.putFrame(frame);
    }
    expect(delivered().size).toBe(80);
  });
});

describe('who waits for drain', () => {
  it.each(['before', 'after'])('is told when the stream closes: asked %s', async (when) => {
    const before = when === 'before' ? once(stream, 'drain') : undefined;
    stream.destroy();
    await once(stream, 'close');
    await (before ?? once(stream, 'drain'));
    expect(() => stream.putFrame(frames(1)[0] ?? anything(null))).toThrow(/is closed/);
  });

  it('is told when the stream is stopped', async () => {
    await service.close();
    let room = true;
    for (const frame of frames(3000)) room &&= stream.putFrame(frame);
    expect(room).toBe(false);
    const drained = once(stream, 'drain');
    stream.stop().catch(() => undefined);
    await drained;
    await once(stream, 'drain');
    service = await ScriptedService.start();
  });
});

describe('written chunks', () => {
  it.each([
    ['bytes', Buffer.from([0, 0, 0, 1, 0x65]), /what was written is bytes/],
    ['text', 'abc', /of type string/],
    ['a number', 7, /of type number/],
  ])('that are no frames are an error of the stream: %s', async (_what, chunk, message) => {
    const failed = once(stream, 'error');
    stream.write(anything(chunk));
    const [error] = await failed;
    expect(error).toMatchObject({ status: 'STATUS_INVALID_ARG' });
    expect(String(error)).toMatch(message);
  });

  it('that are all refused make end() fail, and are told, counted and logged', async () => {
    const lines: string[] = [];
    const push = (line: string): void => void lines.push(line);
    await using other = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      logger: { debug: () => undefined, info: () => undefined, warn: push, error: push },
    });
    const own = await other.createStream({ streamName: 'avcc' });
    const avcc = frames(20).map((frame) => ({
      ...frame,
      flags: 1,
      frameData: Uint8Array.of(0, 0, 0, 2, 0x65, 1),
    }));
    for (const frame of avcc) own.write(frame);
    own.end();
    const [error] = await once(own, 'error');
    expect(String(error)).toMatch(/none of the frames that were written.*no start code/);
    expect(own.health.refusedFrames).toBe(20);
    expect(own.health.lastError?.status).toBe('STATUS_MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA');
    expect(lines.filter((line) => line.includes('is refused'))).toHaveLength(1);
  });
});

describe('listeners', () => {
  it('are all called, whatever one of them throws', async () => {
    let called = 0;
    stream.on('streamReady', () => {
      throw new Error('a listener');
    });
    stream.once('streamReady', () => (called += 1));
    stream.on('streamReady', () => void Promise.reject(new Error('x')).catch(() => undefined));
    stream.on('streamReady', () => (called += 1));
    for (const frame of frames(30)) stream.putFrame(frame);
    await stream.stop();
    expect(called).toBe(2);
  });
});
