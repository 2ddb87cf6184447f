// Calls of a stream that the guide's C++ and Java producers have, and what a first user reaches for.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KinesisVideoProducer, type KinesisVideoStream } from '../../../lib/index.js';
import { frameBytes, syntheticFrames } from '../../support/frames.js';
import { ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS, putAll } from '../../support/upload.js';

const START = 1_700_000_000_000;
const FRAMES = [...syntheticFrames({ count: 100, start: START, size: 300 })];
const RAW = { streamName: 'camera', nalAdaptationFlags: 0 } as const;

let service: ScriptedService;
let producer: KinesisVideoProducer;
let stream: KinesisVideoStream;

beforeEach(async () => {
  service = await ScriptedService.start();
  producer = await KinesisVideoProducer.create({
    endpoint: service.endpoint,
    credentials: CREDENTIALS,
  });
  stream = await producer.createStream(RAW);
});

afterEach(async () => {
  await producer.close({ timeoutMs: 0 }).catch(() => undefined);
  await service.close();
});

it('ready() resolves when the service is known, and at once from then on', async () => {
  expect(stream.state).not.toBe('READY');
  await stream.ready();
  expect(stream.state).toBe('READY');
  await stream.ready({ timeoutMs: 0 });
});

it('ready() rejects when its signal says so, after its time, and when the stream is closed', async () => {
  const away = await KinesisVideoProducer.create({
    endpoint: 'http://127.0.0.1:1',
    credentials: CREDENTIALS,
  });
  const never = await away.createStream(RAW);
  const control = new AbortController();
  const stopped = never.ready({ signal: control.signal });
  control.abort(new Error('enough'));
  await expect(stopped).rejects.toThrow('enough');
  await expect(never.ready({ signal: control.signal })).rejects.toThrow('enough');
  await expect(never.ready({ timeoutMs: 20 })).rejects.toMatchObject({
    status: 'STATUS_OPERATION_TIMED_OUT',
  });
  const waiting = expect(never.ready()).rejects.toThrow(/'camera' was closed before it was ready/);
  await away.close({ timeoutMs: 0 }).catch(() => undefined);
  await waiting;
  await expect(never.ready()).rejects.toMatchObject({ status: 'STATUS_INVALID_OPERATION' });
});

it('figures of a stream and a producer are there after their end', async () => {
  await putAll(stream, FRAMES);
  await stream.stop();
  expect(stream.health).toMatchObject({ condition: 'stopped', state: 'STOPPED' });
  expect(stream.state).toBe('STOPPED');
  await producer.close();
  expect(stream.getMetrics()).toMatchObject({ totalFrames: 100, droppedFrames: 0 });
  expect(producer.getMetrics()).toMatchObject({ streams: 1 });
});

it('getStream finds a stream that is open', async () => {
  expect(producer.getStream('camera')).toBe(stream);
  expect(producer.getStream('camera-2')).toBeUndefined();
  stream.destroy();
  expect(producer.getStream('camera')).toBeUndefined();
});

it('a frame with key: true is a key frame', async () => {
  const keyed = FRAMES.map(({ flags = 0, ...frame }) => ({ ...frame, key: flags === 1 }));
  await putAll(stream, keyed);
  await stream.stop();
  expect(service.fragments.flatMap((fragment) => fragment.frames)).toHaveLength(100);
  expect(service.fragments).toHaveLength(4);
});

it('key must be a boolean, and a frame without its fields is told so by their names', () => {
  const frame = { frameData: frameBytes(1, 10), presentationTs: START };
  const put = (wrong: object): void => {
    Reflect.apply(stream.putFrame.bind(stream), undefined, [{ ...frame, ...wrong }]);
  };
  expect(() => {
    put({ key: 'true' });
  }).toThrow(/key is true; give true or false/);
  expect(() => {
    put({ frameData: 'text' });
  }).toThrow(/refused: frameData must be a Uint8Array/);
  expect(() => {
    put({ presentationTs: '5' });
  }).toThrow(/refused: presentationTs must be/);
  expect(() => {
    put({ decodingTs: '5' });
  }).toThrow(/refused: decodingTs must be/);
});

it('putEvent marks a fragment for an image and a notification', async () => {
  expect(() => {
    stream.putEvent('NOTIFICATION');
  }).toThrow(/no frame was put yet/);
  await putAll(stream, FRAMES.slice(0, 25));
  stream.putEvent(['IMAGE_GENERATION', 'NOTIFICATION'], {
    imagePrefix: 'door/',
    metadata: { who: 'cat' },
  });
  expect(() => {
    stream.putEvent('NOTIFICATION');
  }).toThrow(/waits for the next fragment already/);
  expect(() => {
    Reflect.apply(stream.putEvent.bind(stream), undefined, ['IMAGE']);
  }).toThrow(/'IMAGE' is no event; give IMAGE_GENERATION or NOTIFICATION/);
  await putAll(stream, FRAMES.slice(25));
  await stream.stop();
  const tagged = service.fragments.map((fragment) => [...fragment.tags.keys()]);
  expect(tagged.map((names) => names.filter((name) => name.startsWith('AWS')))).toEqual([
    [],
    [
      'AWS_KINESISVIDEO_IMAGE_GENERATION',
      'AWS_KINESISVIDEO_IMAGE_PREFIX',
      'AWS_KINESISVIDEO_NOTIFICATION',
    ],
    [],
    [],
  ]);
  expect(service.fragments[1]?.tags.get('who')).toBe('cat');
});

it.each([{ hard: true }, {}])('resetConnection(%j) opens another session', async (how) => {
  await putAll(stream, FRAMES.slice(0, 50));
  await expect.poll(() => service.sessions).toBe(1);
  await expect.poll(() => stream.getMetrics().bufferedFragments).toBeLessThan(2);
  stream.resetConnection(how);
  await putAll(stream, FRAMES.slice(50));
  await stream.stop();
  expect(service.sessions).toBe(2);
  const stored = new Set(service.fragments.flatMap((fragment) => fragment.frames));
  expect(stored.size).toBe(100);
});

it('gatherMs is an option; beside a transport it is refused', async () => {
  await expect(
    Reflect.apply(KinesisVideoProducer.create.bind(KinesisVideoProducer), undefined, [
      { gatherMs: '5' },
    ]),
  ).rejects.toThrow(/gatherMs is '5'; give milliseconds, 0 to 10,000/);
  const transport = { open: () => ({ wake: () => undefined, abort: () => undefined }) };
  await expect(KinesisVideoProducer.create({ gatherMs: 5, transport })).rejects.toThrow(
    /gatherMs beside transport has no effect/,
  );
  const own = await KinesisVideoProducer.create({
    endpoint: service.endpoint,
    credentials: CREDENTIALS,
    gatherMs: 0,
  });
  const live = await own.createStream({ ...RAW, streamName: 'live' });
  await putAll(live, FRAMES);
  await live.stop();
  await own.close();
});
