// The end of a producer, a stream and a client, in whatever order and however often it is asked for.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CallbackMediaSource,
  KinesisVideoClient,
  KinesisVideoProducer,
  type KinesisVideoStream,
  type MediaSource,
} from '../../../lib/index.js';
import { syntheticFrames } from '../../support/frames.js';
import { ack, ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS, putAll } from '../../support/upload.js';

const FRAMES = [...syntheticFrames({ count: 100, start: 1_700_000_000_000, size: 500 })];
const RAW = { streamName: 'camera', nalAdaptationFlags: 0 } as const;

let service: ScriptedService;

beforeEach(async () => {
  service = await ScriptedService.start();
});

afterEach(async () => {
  await service.close();
});

async function open(): Promise<{ producer: KinesisVideoProducer; stream: KinesisVideoStream }> {
  const producer = await KinesisVideoProducer.create({
    endpoint: service.endpoint,
    credentials: CREDENTIALS,
    limits: 'off',
  });
  return { producer, stream: await producer.createStream(RAW) };
}

describe('close of a producer', () => {
  it('resolves at once after a stream was destroyed', async () => {
    const { producer, stream } = await open();
    stream.destroy();
    await producer.close();
  });

  it('called twice, resolves both times when everything is delivered', async () => {
    const { producer, stream } = await open();
    await putAll(stream, FRAMES);
    const first = producer.close();
    await producer.close();
    expect(service.fragments).toHaveLength(4);
    await first;
    await producer.close();
  });

  it('resolves without any time where nothing is left to deliver, however slow the machine', async () => {
    const { producer, stream } = await open();
    await once(stream, 'streamReady');
    const closing = producer.close({ timeoutMs: 0 });
    const until = performance.now() + 20;
    while (performance.now() < until);
    await closing;
  });

  it('rejects with the reason of its signal, and everything is freed', async () => {
    const { producer, stream } = await open();
    await service.close();
    for (const frame of FRAMES) stream.putFrame(frame);
    const control = new AbortController();
    const closing = producer.close({ signal: control.signal });
    const reason = new Error('no patience');
    control.abort(reason);
    await expect(closing).rejects.toBe(reason);
    expect(stream.destroyed).toBe(true);
    service = await ScriptedService.start();
  });
});

describe('what a stream holds when it ends', () => {
  it.each([
    [
      'its producer is closed',
      async (producer: KinesisVideoProducer) => producer.close({ timeoutMs: 0 }),
    ],
    ['it is destroyed', async (_: unknown, stream: KinesisVideoStream) => stream.destroy()],
    [
      'it is destroyed by a callback about what is dropped',
      async (_: unknown, stream: KinesisVideoStream) => {
        stream.once('droppedFragmentReport', () => stream.destroy());
        stream.reset();
        await once(stream, 'close');
      },
    ],
  ])('is a gap when %s', async (_how, end) => {
    const { producer, stream } = await open();
    const other = await producer.createStream({ ...RAW, streamName: 'other' });
    const ready = once(other, 'streamReady');
    await service.close();
    service = await ScriptedService.start({ port: Number(new URL(service.endpoint).port) });
    service.script = ({ timecode }, nth) => (nth === 1 ? [ack('PERSISTED', timecode)] : []);
    const persisted = once(stream, 'fragmentAckReceived');
    for (const frame of FRAMES) stream.putFrame(frame);
    await persisted;
    await Promise.resolve(end(producer, stream)).catch(() => undefined);
    const [gap, ...more] = stream.gaps;
    expect(more).toEqual([]);
    expect(gap).toMatchObject({
      from: 1_700_000_001_000,
      to: 1_700_000_004_000,
      frames: 75,
      reason: 'STATUS_UPLOAD_HANDLE_ABORTED',
    });
    // What the other was to be told is not lost with it.
    if (!other.destroyed) await ready;
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
  });
});

describe('a stream as a Writable', () => {
  it('is ended by a pipeline, and destroyed by the signal of one', async () => {
    const { producer, stream } = await open();
    await pipeline(Readable.from(FRAMES), stream);
    expect(service.fragments).toHaveLength(4);
    const other = await producer.createStream({ ...RAW, streamName: 'other' });
    const control = new AbortController();
    async function* endless(): AsyncGenerator<(typeof FRAMES)[number]> {
      for (const frame of FRAMES) {
        await sleep(2);
        yield frame;
      }
      control.abort();
      await sleep(10_000, undefined, { signal: control.signal });
    }
    const piping = pipeline(endless, other, { signal: control.signal });
    await expect(piping).rejects.toMatchObject({ name: 'AbortError' });
    expect(other.destroyed).toBe(true);
    await producer.close();
  });

  it('answers false to write() when it is full, and emits drain when there is room', async () => {
    const { producer, stream } = await open();
    await service.close();
    const small = await producer.createStream({
      ...RAW,
      streamName: 'full',
      bufferDuration: 20_000,
    });
    let written = 0;
    for (const frame of syntheticFrames({ count: 1000, start: 1_700_000_000_000, size: 500 })) {
      written += 1;
      if (!small.write(frame)) break;
    }
    // 80 % of 20 s are 400 frames; Node itself holds 16 more.
    expect(written).toBeGreaterThan(395);
    expect(written).toBeLessThan(470);
    expect(small.writableNeedDrain).toBe(true);
    expect(small.gaps).toEqual([]);
    stream.destroy();
    small.destroy();
    await producer.close();
    service = await ScriptedService.start();
  });
});

describe('a paused stream', () => {
  it('refuses what is no frame, and any frame once it is gone', async () => {
    const { producer, stream } = await open();
    stream.pause({ preRollMs: 1000 });
    const odd: unknown = { frameData: 'text', presentationTs: 0, flags: 1 };
    expect(() => Reflect.apply(stream.putFrame.bind(stream), undefined, [odd])).toThrowError(
      expect.objectContaining({ status: 'STATUS_INVALID_ARG' }),
    );
    stream.destroy();
    const [frame] = FRAMES;
    if (frame === undefined) throw new Error('no frame');
    expect(() => stream.putFrame(frame)).toThrowError(
      expect.objectContaining({ status: 'STATUS_INVALID_OPERATION' }),
    );
    await producer.close();
  });

  it('that is stopped refuses frames', async () => {
    const { producer, stream } = await open();
    stream.pause({ preRollMs: 1000 });
    await stream.stop();
    const [frame] = FRAMES;
    if (frame === undefined) throw new Error('no frame');
    expect(() => stream.putFrame(frame)).toThrowError(
      expect.objectContaining({ status: 'STATUS_STREAM_HAS_BEEN_STOPPED' }),
    );
    await producer.close();
  });
});

it.each([undefined, null, 7, 'frame'])('putFrame(%j) is refused with a KvsError', async (odd) => {
  const { producer, stream } = await open();
  expect(() => Reflect.apply(stream.putFrame.bind(stream), undefined, [odd])).toThrowError(
    expect.objectContaining({ status: 'STATUS_INVALID_ARG' }),
  );
  await producer.close();
});

describe('the end of a client', () => {
  const feed = async (): Promise<void> => undefined;

  /** A source whose `stop` does what it is told. */
  class Stubborn extends CallbackMediaSource implements MediaSource {
    readonly #stop: () => Promise<void>;

    constructor(stop: () => Promise<void>) {
      super({ nalAdaptationFlags: 0 }, feed);
      this.#stop = stop;
    }

    override async stop(): Promise<void> {
      return this.#stop();
    }
  }

  async function client(stop: () => Promise<void>): Promise<KinesisVideoClient> {
    const made = await KinesisVideoClient.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
    });
    const stubborn = await made.registerMediaSource('stubborn', new Stubborn(stop));
    const good = await made.registerMediaSource('good', new CallbackMediaSource(RAW, feed));
    await putAll(stubborn, FRAMES);
    await putAll(good, FRAMES);
    return made;
  }

  it('stops every stream although a source fails to stop, and passes its error on', async () => {
    const reason = new Error('the camera is stuck');
    const made = await client(() => Promise.reject(reason));
    await expect(made.stopAllMediaSources({ timeoutMs: 60_000 })).rejects.toBe(reason);
    expect(service.fragments).toHaveLength(8);
    await expect(made.close()).rejects.toBe(reason);
  });

  it('passes over a stream that is gone already', async () => {
    const made = await client(() => Promise.resolve());
    const [source] = made.mediaSources;
    const gone = await made.registerMediaSource('gone', new CallbackMediaSource(RAW, feed));
    gone.destroy();
    await made.stopAllMediaSources({ timeoutMs: 60_000 });
    expect(service.fragments).toHaveLength(8);
    expect(source?.isStopped()).toBe(true);
    await made.close();
  });

  it.each(['stopAllMediaSources', 'close'] as const)(
    '%s keeps to its time-out although a source never stops',
    async (call) => {
      const made = await client(() => new Promise(() => undefined));
      const began = performance.now();
      await expect(made[call]({ timeoutMs: 300 })).rejects.toMatchObject({
        status: 'STATUS_OPERATION_TIMED_OUT',
      });
      expect(performance.now() - began).toBeLessThan(9000);
      expect(service.fragments).toHaveLength(8);
      if (call !== 'close') await made.close({ timeoutMs: 0 }).catch(() => undefined);
    },
  );
});
