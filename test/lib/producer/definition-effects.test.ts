// What the fields of a StreamDefinition do, seen from the service's side.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  KinesisVideoProducer,
  type KinesisVideoStream,
  type Logger,
  type StreamDefinition,
  type StreamErrorReport,
} from '../../../lib/index.js';
import { createKey, startService } from '../../../lib/service/index.js';
import { syntheticFrames, type SyntheticOptions } from '../../support/frames.js';
import { ack, ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS, putAll } from '../../support/upload.js';

const START = 1_700_000_000_000;

describe('a field of StreamDefinition', () => {
  let service: ScriptedService;
  let producer: KinesisVideoProducer;
  let stream: KinesisVideoStream;
  let warnings: string[] = [];

  beforeEach(async () => {
    service = await ScriptedService.start();
    warnings = [];
    const none = (): void => undefined;
    const warn = (text: string): void => void warnings.push(text);
    const logger: Logger = { debug: none, info: none, warn, error: none };
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
      logger,
    });
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    await service.close();
  });

  /** Uploads and answers the cluster times, counted from the first one. */
  async function upload(
    definition: StreamDefinition,
    frames: Partial<SyntheticOptions>,
  ): Promise<number[]> {
    stream = await producer.createStream({
      streamName: 'camera',
      nalAdaptationFlags: 0,
      ...definition,
    });
    await putAll(stream, syntheticFrames({ count: 100, start: START, size: 500, ...frames }));
    await stream.stop({ timeoutMs: 60_000 });
    return service.fragments.map(
      ({ timecode }) => timecode - (service.fragments[0]?.timecode ?? 0),
    );
  }

  it('keyFrameFragmentation false cuts at the first key frame after fragmentDuration', async () => {
    const every = { gop: 1, step: 40, count: 200 };
    expect(await upload({ keyFrameFragmentation: false }, every)).toEqual([0, 2000, 4000, 6000]);
  });

  it('fragmentDuration sets that length', async () => {
    const every = { gop: 1, step: 40, count: 200 };
    const definition = { keyFrameFragmentation: false, fragmentDuration: 4000 };
    expect(await upload(definition, every)).toEqual([0, 4000]);
  });

  it('minFragmentDuration lets key frames that come sooner pass; 0 lets none', async () => {
    const often = { gop: 10, step: 40, count: 100 };
    expect(await upload({}, often)).toEqual([0, 1200, 2400, 3600]);
    service.fragments.length = 0;
    stream.destroy();
    expect(await upload({ minFragmentDuration: 0 }, often)).toEqual([
      0, 400, 800, 1200, 1600, 2000, 2400, 2800, 3200, 3600,
    ]);
  });

  it('maxFragmentDuration cuts half a second before it', async () => {
    expect(await upload({ maxFragmentDuration: 3000 }, { gop: 1000, count: 150 })).toEqual([
      0, 2520, 5040,
    ]);
  });

  it('timecodeScale is the unit of times on the wire', async () => {
    // Acks are in milliseconds whatever the unit is.
    service.script = ({ timecode }) => [ack('PERSISTED', timecode * 10)];
    await upload({ timecodeScale: 10 }, {});
    expect(service.fragments.map((fragment) => fragment.timecode)).toEqual(
      [0, 1000, 2000, 3000].map((ms) => (START + ms) / 10),
    );
  });

  it('recalculateMetrics false keeps no running rates', async () => {
    await upload({ recalculateMetrics: false }, {});
    expect(stream.getMetrics()).toMatchObject({ totalFrames: 100, currentFrameRate: 0 });
  });

  it('avgBandwidthBps and bufferDuration are compared with the storage', async () => {
    await upload({ avgBandwidthBps: 100_000_000, bufferDuration: 120_000 }, {});
    expect(warnings.join('\n')).toMatch(/ask for 1500000000 bytes and the storage has 134217728/);
  });

  it('maxBandwidthBps holds a backlog back', async () => {
    const began = performance.now();
    await upload({ maxBandwidthBps: 1_600_000 }, { size: 6000 });
    const seconds = (performance.now() - began) / 1000;
    // 600 KB; a second's worth may go at once.
    expect(seconds).toBeGreaterThan(1.9);
    expect(seconds).toBeLessThan(40); // a busy machine takes its time
  });
});

describe('what a stream is created with', () => {
  let directory = '';

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-definition-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('reaches the service; allowStreamCreation false creates none, and says so', async () => {
    const keyFile = join(directory, 'keys.json');
    const keyId = await createKey(keyFile);
    const dataDir = join(directory, 'data');
    const service = await startService({ dataDir, keyFile, limits: 'off' });
    const producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      deviceInfo: { name: 'front-door-cam' },
    });
    const definition = {
      streamName: 'camera',
      nalAdaptationFlags: 0,
      contentType: 'application/x-radar',
      kmsKeyId: `arn:aws:kms:us-west-2:000000000000:key/${keyId}`,
      retentionPeriod: 48 * 3_600_000,
    };
    const frames = [...syntheticFrames({ count: 25, start: START })];
    const careful = await producer.createStream({ ...definition, allowStreamCreation: false });
    const report = new Promise<StreamErrorReport>((resolve) => {
      careful.once('streamErrorReport', resolve);
    });
    await putAll(careful, frames);
    expect(await report).toMatchObject({
      status: 'STATUS_DESCRIBE_STREAM_CALL_FAILED',
      result: 404,
    });
    careful.destroy();
    const stream = await producer.createStream(definition);
    await putAll(stream, frames);
    await stream.stop({ timeoutMs: 60_000 });
    const { endpoint } = service;
    const sdk = new KinesisVideoClient({ endpoint, region: 'us-west-2', credentials: CREDENTIALS });
    const found = await sdk.send(new DescribeStreamCommand({ StreamName: 'camera' }));
    expect(found.StreamInfo).toMatchObject({
      DeviceName: 'front-door-cam',
      MediaType: definition.contentType,
      KmsKeyId: definition.kmsKeyId,
      DataRetentionInHours: 48,
    });
    sdk.destroy();
    await producer.close();
    await service.close();
  });
});
