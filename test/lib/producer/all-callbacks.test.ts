// Every callback of docs/callbacks.md is called when it is said to be, with all of its fields.
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  FRAME_FLAG,
  KinesisVideoProducer,
  type ClientCallbackProvider,
  type Frame,
  type KinesisVideoStream,
  type ProducerOptions,
  type StreamCallbackProvider,
  type StreamDefinition,
} from '../../../lib/index.js';
import { frameBytes, syntheticFrames } from '../../support/frames.js';
import { ack, ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS, putAll } from '../../support/upload.js';

const START = 1_700_000_000_000;
const RAW = { streamName: 'camera', nalAdaptationFlags: 0 } as const;

let service: ScriptedService;
let producer: KinesisVideoProducer | undefined;

beforeEach(async () => {
  service = await ScriptedService.start();
});

afterEach(async () => {
  await producer?.close({ timeoutMs: 0 }).catch(() => undefined);
  producer = undefined;
  await service.close();
});

interface Scene {
  readonly options?: ProducerOptions;
  readonly definition?: StreamDefinition;
  /** What the service does before anything begins. */
  readonly prepare?: () => void;
  readonly act?: (stream: KinesisVideoStream) => void | Promise<void>;
  /** The fields of the report. */
  readonly report: object;
}

const frames = (more: Partial<Parameters<typeof syntheticFrames>[0]>): Frame[] => [
  ...syntheticFrames({ count: 100, start: START, size: 500, ...more }),
];
const isNumber: unknown = expect.any(Number);
const aStatus: unknown = expect.stringMatching(/^STATUS_/);
const put =
  (more: Partial<Parameters<typeof syntheticFrames>[0]> = {}) =>
  (stream: KinesisVideoStream): void => {
    for (const frame of frames(more)) stream.putFrame(frame);
  };
const unanswered = (): void => {
  service.script = () => [];
};
const nowhere = { endpoint: 'http://127.0.0.1:9' } as const;
const small = { deviceInfo: { storageInfo: { storageSize: 10 * 1024 * 1024 } } } as const;

const CLIENT: Readonly<Record<keyof Required<ClientCallbackProvider>, Scene>> = {
  clientReady: { report: { uptime: isNumber } },
  clientErrorReport: {
    options: {
      credentials: async () => {
        throw new Error('the vault is sealed');
      },
    },
    report: {
      status: 'STATUS_CLIENT_AUTH_CALL_FAILED',
      result: 10007,
      attempts: 5,
      message: expect.stringContaining('the vault is sealed'),
      cause: expect.any(Error),
    },
  },
  storageOverflowPressure: {
    options: { ...small, ...nowhere },
    act: put({ count: 250, size: 40_000 }),
    report: { remaining: isNumber },
  },
};

const STREAM: Readonly<Record<keyof Required<StreamCallbackProvider>, Scene>> = {
  streamReady: { report: { uptime: isNumber } },
  streamStateChanged: { report: { from: 'NEW', to: 'DESCRIBE' } },
  fragmentAckReceived: {
    act: put(),
    report: {
      type: 'BUFFERING',
      timecode: START,
      fragmentNumber: String(START),
      session: 1,
      errorId: 0,
      status: 'STATUS_SUCCESS',
      matched: true,
    },
  },
  streamClosed: {
    act: async (stream) => {
      put()(stream);
      await stream.stop();
    },
    report: { session: 1, status: 'STATUS_SUCCESS', dropped: 0 },
  },
  sessionEnded: {
    act: async (stream) => {
      put()(stream);
      await stream.stop();
    },
    report: { session: 1, status: 'STATUS_SUCCESS', result: 200 },
  },
  streamUnderflowReport: { act: put(), report: { session: 1 } },
  streamDataAvailable: {
    act: async (stream) => {
      put()(stream);
      await once(stream, 'streamUnderflowReport');
      put({ start: START + 4000 })(stream);
    },
    report: { session: 1, duration: isNumber, bytes: isNumber },
  },
  streamErrorReport: {
    prepare: () => {
      service.script = (fragment, nth) =>
        nth > 1 ? [] : [ack('ERROR', fragment.timecode, { ErrorId: 4002, ErrorCode: 'X' })];
    },
    act: put(),
    report: {
      session: 1,
      timecode: START,
      status: 'STATUS_ACK_ERR_FRAGMENT_DURATION_REACHED',
      result: 4002,
      attempts: isNumber,
    },
  },
  streamConnectionStale: {
    definition: { connectionStaleness: 300 },
    prepare: unanswered,
    act: put(),
    report: { session: 1, since: isNumber },
  },
  streamLatencyPressure: {
    options: nowhere,
    definition: { maxLatency: 2000 },
    act: put(),
    report: { duration: isNumber },
  },
  bufferDurationOverflowPressure: {
    options: nowhere,
    definition: { bufferDuration: 20_500 },
    act: put({ count: 500 }),
    report: { remaining: isNumber },
  },
  droppedFragmentReport: {
    options: nowhere,
    definition: { bufferDuration: 20_000 },
    act: put({ count: 550 }),
    report: {
      timecode: START,
      end: START + 1000,
      frames: 25,
      bytes: isNumber,
      sent: false,
      reason: aStatus,
    },
  },
  droppedFrameReport: {
    options: { ...small },
    // All that is held was sent and waits for its ack: none of it gives way, so the new frames do.
    prepare: unanswered,
    act: async (stream) => {
      for (const frame of frames({ count: 80, gop: 10, size: 200_000 })) {
        try {
          stream.putFrame(frame);
        } catch {
          return; // the report comes with the refusal
        }
        await sleep(10);
      }
    },
    report: {
      timecode: isNumber,
      trackId: 1,
      bytes: isNumber,
      reason: 'STATUS_STORE_OUT_OF_MEMORY',
    },
  },
  skippedFramesReport: {
    act: (stream) => {
      const [, second, third] = frames({});
      for (const frame of [second, third]) if (frame !== undefined) stream.putFrame(frame);
      put({ start: START + 1000 })(stream);
    },
    report: { frames: 2, timecode: START + 40 },
  },
  keyFrameMissingReport: {
    act: (stream) => {
      for (const frame of frames({ count: 300 })) stream.putFrame({ ...frame, flags: 0 });
    },
    report: { timecode: START, frames: 251, duration: 10_000 },
  },
  codecPrivateMissingReport: {
    act: put(),
    report: { timecode: START, trackId: 1 },
  },
  fragmentCutReport: {
    act: put({ count: 300, gop: 1000 }),
    report: { timecode: START + 9520, duration: 9520, bytes: isNumber },
  },
  timelineChanged: {
    act: (stream) => {
      put()(stream);
      put({ start: START + 3_600_000 })(stream);
    },
    report: { from: START + 99 * 40, to: START + 3_600_000 },
  },
};

async function open({ options, prepare }: Scene): Promise<KinesisVideoProducer> {
  prepare?.();
  const base = { endpoint: service.endpoint, credentials: CREDENTIALS, limits: 'off' as const };
  producer = await KinesisVideoProducer.create({ ...base, ...options });
  return producer;
}

describe('ClientCallbackProvider', () => {
  it.each(Object.entries(CLIENT))('%s', async (name, scene) => {
    let called: (report: unknown) => void = () => undefined;
    const report = new Promise((resolve) => {
      called = resolve;
    });
    const clientCallbackProvider = { [name]: called };
    const own = await open({ ...scene, options: { ...scene.options, clientCallbackProvider } });
    await scene.act?.(await own.createStream(RAW));
    expect(await report).toEqual(scene.report);
  });
});

describe('StreamCallbackProvider', () => {
  it.each(Object.entries(STREAM))('%s, by callback and by event', async (name, scene) => {
    const seen: (readonly [string, unknown, unknown])[] = [];
    const own = await open(scene);
    const stream = await own.createStream({
      ...RAW,
      ...scene.definition,
      callbacks: {
        [name]: (report: unknown, from: unknown) => seen.push(['callback', report, from]),
      },
    });
    EventEmitter.prototype.once.call(stream, name, (report: unknown) =>
      seen.push(['event', report, stream]),
    );
    await scene.act?.(stream);
    await expect.poll(() => seen.length).toBeGreaterThanOrEqual(2);
    expect(seen[0]).toEqual(['callback', scene.report, stream]);
    expect(seen[1]).toEqual(['event', scene.report, stream]);
  });
});

it.each([
  ['of bytes', frameBytes(25, 500), FRAME_FLAG.END_OF_FRAGMENT, 26],
  ['that is discardable, too', frameBytes(25, 500), FRAME_FLAG.END_OF_FRAGMENT | 2, 26],
  ['of no bytes', new Uint8Array(0), FRAME_FLAG.END_OF_FRAGMENT, 25],
])('a frame %s with END_OF_FRAGMENT needs no next one', async (_name, frameData, flags, stored) => {
  const own = await open({ report: {} });
  const stream = await own.createStream(RAW);
  const acks = once(stream, 'fragmentAckReceived');
  await putAll(stream, frames({ count: 25 }));
  stream.putFrame({ frameData, flags, presentationTs: START + 1000 });
  await acks;
  expect(service.fragments[0]?.frames).toHaveLength(stored);
});
