import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DefaultCallbackProvider,
  KinesisVideoProducer,
  KvsError,
  NAL_ADAPTATION,
  type Frame,
  type KinesisVideoStream,
  type SkippedFramesReport,
  type StatusName,
  type StreamDefinition,
} from '../../lib/index.js';
import { startService, type KvsService } from '../../lib/service/index.js';
import { frameBytes, syntheticFrames } from '../support/frames.js';
import { CREDENTIALS, expectStored, putAll, storedIn } from '../support/upload.js';

const START = 1_700_000_000_000;

/** What `call` threw, which must be a `KvsError`. */
function thrownBy(call: () => unknown): KvsError {
  try {
    call();
  } catch (error) {
    if (error instanceof KvsError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** Lets a value of any type pass for a frame, as JavaScript callers do. */
function isFrame(value: unknown): value is Frame {
  return value !== undefined;
}

function expectError(error: KvsError, status: StatusName, code: number, text: RegExp): void {
  expect([error.status, error.code]).toEqual([status, code]);
  expect(error.message).toMatch(text);
  expect(error.message).toContain(status);
}

describe('bad input to a producer', () => {
  let directory = '';
  let service: KvsService;
  let producer: KinesisVideoProducer;
  let stream: KinesisVideoStream;
  const frames = [...syntheticFrames({ count: 50, start: START })];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-bad-'));
    service = await startService({ dataDir: join(directory, 'data'), limits: 'off' });
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
    });
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 60_000 }).catch(() => undefined);
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(more?: StreamDefinition): Promise<void> {
    stream = await producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0, ...more });
  }

  /** Puts the good frames with `bad` in the middle; all good ones must be stored. */
  async function putAround(bad: Frame): Promise<KvsError> {
    await putAll(stream, frames.slice(0, 30));
    const error = thrownBy(() => stream.putFrame(bad));
    await putAll(stream, frames.slice(30));
    await stream.stop({ timeoutMs: 60_000 });
    expectStored(await storedIn(service.endpoint, 'camera'), frames);
    expect(stream.getMetrics().putFrameErrors).toBe(1);
    return error;
  }

  it('skips frames before the first key frame and reports them once, with their number', async () => {
    const reports: SkippedFramesReport[] = [];
    await open({ callbacks: { skippedFramesReport: (report) => reports.push(report) } });
    const early = [...syntheticFrames({ count: 7, start: START - 280, first: 100 })];
    await putAll(
      stream,
      early.map((frame) => ({ ...frame, flags: 0 })),
    );
    await putAll(stream, frames);
    await stream.stop({ timeoutMs: 60_000 });
    expect(reports).toEqual([{ frames: 7, timecode: START - 280 }]);
    expect(stream.getMetrics().skippedFrames).toBe(7);
    expectStored(await storedIn(service.endpoint, 'camera'), frames);
  });

  it('refuses a frame that is older than the last one', async () => {
    await open();
    const error = await putAround({ frameData: frameBytes(99, 100), presentationTs: START + 1000 });
    const text = /presentationTs 1700000001000 ms on track 1 of stream 'camera'.*1700000001160 ms/;
    expectError(error, 'STATUS_MKV_INVALID_FRAME_TIMESTAMP', 0x32000002, text);
  });

  it('refuses an empty frame', async () => {
    await open();
    const bad = { frameData: new Uint8Array(0), presentationTs: START + 1170 };
    expectError(
      await putAround(bad),
      'STATUS_MKV_INVALID_FRAME_DATA',
      0x32000001,
      /empty \(0 bytes.*leave empty frames out/,
    );
  });

  it('refuses a frame that is longer than the buffer', async () => {
    await open();
    const bad = { frameData: frameBytes(1, 10), presentationTs: START + 1170, duration: 200_000 };
    expectError(
      await putAround(bad),
      'STATUS_MKV_INVALID_FRAME_DATA',
      0x32000001,
      /duration 200000 ms is longer than the stream's bufferDuration, 120000 ms/,
    );
  });

  it('refuses a key frame that is shown an hour after it is decoded', async () => {
    await open({ minFragmentDuration: 0 });
    const presentationTs = START + 3_601_170;
    const decodingTs = START + 1170;
    expectError(
      await putAround({ frameData: frameBytes(1, 10), presentationTs, decodingTs, flags: 1 }),
      'STATUS_MKV_PTS_DTS_ARE_NOT_SAME',
      0x32000011,
      /more than 10000 ms away from its decoding time 1700000001170 ms/,
    );
  });

  it('refuses Annex-B frames without a start code', async () => {
    await open({ nalAdaptationFlags: NAL_ADAPTATION.ANNEXB_NALS });
    const bad = { frameData: Uint8Array.of(9, 8, 7, 6, 5), presentationTs: START, flags: 1 };
    const error = thrownBy(() => stream.putFrame(bad));
    const text = /begins with 09 08 07 06, no start code.*leave ANNEXB_NALS out/;
    expectError(error, 'STATUS_MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA', 0x3200000d, text);
  });

  it('refuses a frame of a track that there is not, and one that is none', async () => {
    await open();
    const data = { frameData: frameBytes(1, 10), presentationTs: START };
    expectError(
      thrownBy(() => stream.putFrame({ ...data, trackId: 7 })),
      'STATUS_MKV_TRACK_INFO_NOT_FOUND',
      0x32000026,
      /on track 7.*it has 1\. Declare/,
    );
    expectError(
      thrownBy(() => stream.putFrame({ ...data, presentationTs: NaN })),
      'STATUS_INVALID_ARG',
      0x00000002,
      /presentationTs NaN ms/,
    );
    const untyped: unknown = { frameData: 'text', presentationTs: 1 };
    expectError(
      thrownBy(() => isFrame(untyped) && stream.putFrame(untyped)),
      'STATUS_INVALID_ARG',
      0x00000002,
      /frameData is a Uint8Array/,
    );
  });

  it('refuses a frame larger than the storage, and goes on', async () => {
    await producer.close();
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      deviceInfo: { storageInfo: { storageSize: 10 * 1024 * 1024 } },
    });
    await open();
    const bad = { frameData: new Uint8Array(12_000_000), presentationTs: START + 1170 };
    const error = await putAround(bad);
    const text = /12000000 bytes never fit the storage.*raise storageSize/;
    expectError(error, 'STATUS_STORE_OUT_OF_MEMORY', 0x5200002e, text);
  });

  it('tells a Writable of refused frames by an event, and stores the others', async () => {
    await open();
    const refused: unknown[] = [];
    stream.on('frameRefused', (error: KvsError, frame: Frame) => {
      refused.push([error.status, frame.presentationTs]);
    });
    for (const frame of frames.slice(0, 30)) stream.write(frame);
    stream.write({ frameData: new Uint8Array(0), presentationTs: START + 1170 });
    for (const frame of frames.slice(30)) stream.write(frame);
    stream.end();
    await once(stream, 'finish');
    expect(refused).toEqual([['STATUS_MKV_INVALID_FRAME_DATA', START + 1170]]);
    expectStored(await storedIn(service.endpoint, 'camera'), frames);
  });

  it('refuses frames after stop and after the stream is gone', async () => {
    await open();
    await stream.stop({ timeoutMs: 60_000 });
    const frame = { frameData: frameBytes(1, 10), presentationTs: START, flags: 1 };
    expectError(
      thrownBy(() => stream.putFrame(frame)),
      'STATUS_STREAM_HAS_BEEN_STOPPED',
      0x52000052,
      /start\(\) makes it take frames again/,
    );
    stream.destroy();
    await once(stream, 'close');
    expectError(
      thrownBy(() => stream.putFrame(frame)),
      'STATUS_INVALID_OPERATION',
      0x0000000d,
      /createStream\(\)/,
    );
    expect(stream.getMetrics().droppedFrames).toBe(0);
  });

  it('refuses metadata that breaks a rule', async () => {
    await open();
    expectError(
      thrownBy(() => {
        stream.putFragmentMetadata('AWS_X', 'v');
      }),
      'STATUS_INVALID_METADATA_NAME',
      0x52000077,
      /'AWS_X'/,
    );
    expectError(
      thrownBy(() => {
        stream.putFragmentMetadata('n', 'v'.repeat(257));
      }),
      'STATUS_MKV_INVALID_TAG_VALUE_LENGTH',
      0x32000021,
      /257 bytes/,
    );
  });
});

describe('bad arguments', () => {
  it.each([
    [{ streamName: 'a/b' }, 'STATUS_INVALID_ARG', 0x2, /'a\/b' has '\/' at position 1/],
    [{ streamName: '' }, 'STATUS_INVALID_STREAM_NAME_LENGTH', 0x52000009, /1 to 256/],
    [
      { streamName: 'a'.repeat(257) },
      'STATUS_INVALID_STREAM_NAME_LENGTH',
      0x52000009,
      /257 bytes; at most 256/,
    ],
    [{ retentionPeriod: 1000 }, 'STATUS_INVALID_RETENTION_PERIOD', 0x5200004c, /whole hours/],
    [
      { nalAdaptationFlags: 24 },
      'STATUS_MKV_BOTH_ANNEXB_AND_AVCC_SPECIFIED',
      0x3200000f,
      /one format/,
    ],
    [{ timecodeScale: 0 }, 'STATUS_MKV_INVALID_TIMECODE_SCALE', 0x3200000a, /0\.3052 to 1000/],
    [{ fragmentDuration: 10 }, 'STATUS_MKV_INVALID_CLUSTER_DURATION', 0x32000003, /1000 to 20000/],
    [
      { streamingType: 'OFFLINE', retentionPeriod: 0 },
      'STATUS_OFFLINE_MODE_WITH_ZERO_RETENTION',
      0x5200007b,
      /at least one hour/,
    ],
    [
      { contentType: 'v'.repeat(129) },
      'STATUS_MKV_INVALID_CONTENT_TYPE_LENGTH',
      0x32000004,
      /129 bytes/,
    ],
    [
      { codecId: 'v'.repeat(33) },
      'STATUS_MKV_INVALID_CODEC_ID_LENGTH',
      0x32000006,
      /tracks\[0\]\.codecId/,
    ],
    [{ tracks: [] }, 'STATUS_TRACK_INFO_MISSING', 0x52000079, /1 to 3/],
    [
      { tracks: [{ trackId: 1 }, { trackId: 2 }, { trackId: 3 }, { trackId: 4 }] },
      'STATUS_MAX_TRACK_COUNT_EXCEEDED',
      0x5200007a,
      /4 entries/,
    ],
    [
      { tracks: [{ trackId: 1 }, { trackId: 1 }] },
      'STATUS_DUPLICATE_TRACK_ID_FOUND',
      0x52000081,
      /1, 1/,
    ],
    [{ tags: { '': 'x' } }, 'STATUS_INVALID_TAG_NAME_LEN', 0x5200003b, /1 to 128/],
  ] satisfies [StreamDefinition, StatusName, number, RegExp][])(
    'refuses %j',
    async (definition, status, code, text) => {
      const producer = await KinesisVideoProducer.create({
        endpoint: 'http://127.0.0.1:9',
        credentials: CREDENTIALS,
        limits: 'off',
      });
      try {
        const error: unknown = await producer.createStream(definition).catch((e: unknown) => e);
        if (!(error instanceof KvsError)) throw new Error('it was not refused');
        expectError(error, status, code, text);
      } finally {
        await producer.close();
      }
    },
  );

  it('refuses two streams of one name, and more than streamCount', async () => {
    const producer = await KinesisVideoProducer.create({
      endpoint: 'http://127.0.0.1:9',
      credentials: CREDENTIALS,
      deviceInfo: { streamCount: 2 },
    });
    await producer.createStream({ streamName: 'one' });
    await expect(producer.createStream({ streamName: 'one' })).rejects.toMatchObject({
      status: 'STATUS_DUPLICATE_STREAM_NAME',
    });
    await producer.createStream();
    await expect(producer.createStream()).rejects.toMatchObject({
      status: 'STATUS_MAX_STREAM_COUNT',
    });
    await producer.close();
    await expect(producer.createStream()).rejects.toMatchObject({
      status: 'STATUS_INVALID_OPERATION',
    });
  });

  it.each([
    [{ credentials: { accessKeyId: 'AK ID', secretAccessKey: 'x' } }, 'STATUS_INVALID_ARG'],
    [{ credentials: { accessKeyId: 'AKID', secretAccessKey: '' } }, 'STATUS_INVALID_AUTH_LEN'],
    [{ endpoint: '127.0.0.1:8443' }, 'STATUS_INVALID_ARG'],
    [{ deviceInfo: { storageInfo: { storageSize: 1 } } }, 'STATUS_INVALID_STORAGE_SIZE'],
    [{ deviceInfo: { streamCount: 0 } }, 'STATUS_MIN_STREAM_COUNT'],
    [{ deviceInfo: { streamCount: 129 } }, 'STATUS_MAX_STREAM_COUNT'],
    [{ deviceInfo: { name: 'n'.repeat(129) } }, 'STATUS_INVALID_DEVICE_NAME_LENGTH'],
    [{ deviceInfo: { clientId: 'n'.repeat(129) } }, 'STATUS_INVALID_CLIENT_ID_STRING_LENGTH'],
    [{ callbackProvider: new DefaultCallbackProvider(), region: 'x' }, 'STATUS_INVALID_ARG'],
    [
      { callbackProvider: new DefaultCallbackProvider(), endpoint: 'http://127.0.0.1:9' },
      'STATUS_INVALID_ARG',
    ],
    [{ callbackProvider: new DefaultCallbackProvider(), ca: 'PEM' }, 'STATUS_INVALID_ARG'],
  ] as const)('refuses the producer options %j', async (options, status) => {
    await expect(KinesisVideoProducer.create(options)).rejects.toMatchObject({ status });
  });
});
