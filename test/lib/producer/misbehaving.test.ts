// Parts that a user gives and that misbehave: none of them may harm the stream, the other streams,
// or the process (an error that nobody catches would end the test run).
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DefaultCallbackProvider,
  HttpPutMediaTransport,
  KinesisVideoProducer,
  type KinesisVideoStream,
  type Logger,
  type PutMediaTransport,
} from '../../../lib/index.js';
import { anything } from '../../support/anything.js';
import { syntheticFrames } from '../../support/frames.js';
import { ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS, putAll } from '../../support/upload.js';

const FRAMES = [...syntheticFrames({ count: 100, start: 1_700_000_000_000, size: 500 })];
const RAW = { streamName: 'camera', nalAdaptationFlags: 0 } as const;

let service: ScriptedService;
let producer: KinesisVideoProducer | undefined;
let lines: string[] = [];

const keep = (message: string): void => {
  lines.push(message);
};
const logger: Logger = { debug: () => undefined, info: keep, warn: keep, error: keep };

beforeEach(async () => {
  service = await ScriptedService.start();
  lines = [];
});

afterEach(async () => {
  await producer?.close({ timeoutMs: 0 }).catch(() => undefined);
  producer = undefined;
  await service.close();
});

/** Puts and stops, and expects every fragment to be persisted. */
async function expectUpload(stream: KinesisVideoStream): Promise<void> {
  await putAll(stream, FRAMES);
  await stream.stop({ timeoutMs: 60_000 });
  expect(stream.getMetrics()).toMatchObject({ persistedAcks: 4, droppedFrames: 0 });
}

function own(): { endpoint: string; region: string; credentials: typeof CREDENTIALS } {
  return { endpoint: service.endpoint, region: 'us-west-2', credentials: CREDENTIALS };
}

describe('platform functions', () => {
  const odd: Readonly<Record<string, () => number>> = {
    throws: () => {
      throw new Error('no battery');
    },
    'answers NaN': () => NaN,
    'answers less than nothing': () => -5,
  };

  it.each(Object.keys(odd))('getCurrentTime that %s: the system clock stands in', async (how) => {
    class Own extends DefaultCallbackProvider {
      getCurrentTime(): number {
        return odd[how]?.() ?? 0;
      }
    }
    producer = await KinesisVideoProducer.create({ callbackProvider: new Own(own()), logger });
    await expectUpload(await producer.createStream(RAW));
    expect(lines.join('\n')).toContain('getCurrentTime');
  });

  it.each(Object.keys(odd))('getRandomNumber that %s: Math.random stands in', async (how) => {
    class Own extends DefaultCallbackProvider {
      getRandomNumber(): number {
        return odd[how]?.() ?? 0;
      }
    }
    producer = await KinesisVideoProducer.create({ callbackProvider: new Own(own()), logger });
    await expectUpload(await producer.createStream(RAW));
    expect(lines.join('\n')).toContain('getRandomNumber');
  });

  it('that do their work are asked: time for stamps, two numbers at the start', async () => {
    const asked: string[] = [];
    class Own extends DefaultCallbackProvider {
      getCurrentTime(): number {
        asked.push('time');
        return 1_650_000_000_000;
      }
      getRandomNumber(): number {
        asked.push('random');
        return 7;
      }
    }
    producer = await KinesisVideoProducer.create({ callbackProvider: new Own(own()), logger });
    expect(asked.filter((one) => one === 'random')).toHaveLength(2);
    // Without times of their own, frames are stamped with the clock's.
    const stream = await producer.createStream({ ...RAW, frameTimecodes: false });
    await putAll(stream, FRAMES.slice(0, 25));
    await stream.stop({ timeoutMs: 60_000 });
    expect(service.fragments[0]?.timecode).toBe(1_650_000_000_000);
    expect(asked.filter((one) => one === 'random')).toHaveLength(2);
    expect(lines.join('\n')).not.toContain('getCurrentTime');
  });
});

describe('a transport', () => {
  const inner = new HttpPutMediaTransport({ userAgent: 'own/1' });

  async function open(transport: PutMediaTransport): Promise<KinesisVideoStream> {
    producer = await KinesisVideoProducer.create({ ...own(), transport, logger, limits: 'off' });
    return producer.createStream(RAW);
  }

  it.each([
    ['throws', thrown],
    ['answers nothing', () => undefined],
    ['answers an object without wake', () => ({ abort: () => undefined })],
  ])('whose open %s is asked again', async (_how, answer: () => unknown) => {
    let left = 2;
    const stream = await open({
      open: (request, io) => {
        left -= 1;
        return left >= 0 ? anything(answer()) : inner.open(request, io);
      },
    });
    await expectUpload(stream);
    expect(left).toBe(-1);
  });

  it('that never says a word is given up, and asked again', async () => {
    let aborted = 0;
    const silent = { wake: () => undefined, abort: () => (aborted += 1) };
    let first = true;
    const stream = await open({
      open: (request, io) => {
        if (!first) return inner.open(request, io);
        first = false;
        return silent;
      },
    });
    await expectUpload(stream);
    expect(aborted).toBe(1);
    expect(lines.join('\n')).toContain('has not connected within 10000 ms');
  });

  it('whose wake and abort throw ends no call of the stream', async () => {
    const stream = await open({
      open: (request, io) => {
        const session = inner.open(request, io);
        return {
          wake: () => {
            session.wake();
            throw new Error('wake');
          },
          abort: () => {
            session.abort();
            throw new Error('abort');
          },
        };
      },
    });
    await putAll(stream, FRAMES);
    await once(stream, 'fragmentAckReceived');
    stream.putFrame({ frameData: new Uint8Array(1), flags: 8, presentationTs: 1_700_000_004_000 });
    await stream.stop({ timeoutMs: 60_000 });
    stream.start();
    await putAll(stream, FRAMES);
    await once(stream, 'fragmentAckReceived');
    stream.destroy();
    expect(producer?.getMetrics().streams).toBe(0);
    expect(lines.join('\n')).toMatch(/wake/);
    expect(lines.join('\n')).toMatch(/abort/);
  });
});

function thrown(): never {
  throw new Error('no network stack');
}

it('a meter provider that throws costs its figures, and nothing else', async () => {
  for (const part of ['getMeter', 'createObservableGauge', 'removeBatchObservableCallback']) {
    const meter = {
      createObservableGauge: String,
      createObservableCounter: String,
      addBatchObservableCallback: () => undefined,
      removeBatchObservableCallback: () => undefined,
      [part]: thrown,
    };
    const meterProvider = { getMeter: () => meter, [part]: thrown };
    const one = await KinesisVideoProducer.create({ ...own(), meterProvider, logger });
    await one.createStream(RAW);
    await one.close();
    expect(one.getMetrics().streams).toBe(1);
  }
  expect(lines.join('\n')).toContain('no network stack');
});

describe('a callback that calls back in', () => {
  async function open(): Promise<KinesisVideoStream> {
    producer = await KinesisVideoProducer.create({ ...own(), logger, limits: 'off' });
    return producer.createStream(RAW);
  }

  it('puts the next frame', async () => {
    const stream = await open();
    let next = 50;
    stream.on('fragmentAckReceived', () => {
      const frame = FRAMES[next];
      next += 1;
      if (frame !== undefined) stream.putFrame(frame);
    });
    await putAll(stream, FRAMES.slice(0, 50));
    await expect.poll(() => stream.getMetrics().totalFrames).toBeGreaterThan(52);
    await stream.stop({ timeoutMs: 60_000 });
    expect(stream.getMetrics().droppedFrames).toBe(0);
  });

  it.each(['reset', 'stop', 'start', 'pause', 'destroy', 'end', 'close'] as const)(
    'calls %s, in each callback that there is',
    async (call) => {
      const stream = await open();
      const again = (): void => {
        if (call === 'close') void producer?.close({ timeoutMs: 100 }).catch(() => undefined);
        else if (call === 'stop') stream.stop({ timeoutMs: 100 }).catch(() => undefined);
        else stream[call]();
      };
      const names = ['streamStateChanged', 'streamReady', 'fragmentAckReceived'] as const;
      const left = new Set<string>(names);
      for (const name of names) {
        stream.on(name, () => {
          if (!left.delete(name)) return;
          again();
        });
      }
      stream.on('error', () => undefined);
      for (const frame of FRAMES) if (!stream.destroyed) stream.putFrame(frame);
      await expect.poll(() => left.size < names.length).toBe(true);
      // Whatever became of that stream, its producer or another works on.
      if (call === 'close') producer = await KinesisVideoProducer.create(own());
      const other = await producer?.createStream({ ...RAW, streamName: 'other' });
      if (other === undefined) throw new Error('no producer');
      await expectUpload(other);
    },
  );
});
