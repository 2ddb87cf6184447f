import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  KinesisVideoProducer,
  type CallMessage,
  type FrameRefusedMessage,
  type KinesisVideoStream,
  type Meter,
  type MeterProvider,
  type NoteMessage,
  type StreamHealth,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { syntheticFrames } from '../../support/frames.js';
import { ack, allWell, ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS, putAll } from '../../support/upload.js';

const START = 1_700_000_000_000;
const FRAMES = [...syntheticFrames({ count: 100, start: START, size: 500 })];

describe('what a program can see of a stream', () => {
  let service: ScriptedService;
  let producer: KinesisVideoProducer;
  let stream: KinesisVideoStream;

  beforeEach(async () => {
    service = await ScriptedService.start();
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    await service.close();
  });

  async function open(more?: Partial<{ meterProvider: MeterProvider }>): Promise<void> {
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
      ...more,
    });
    stream = await producer.createStream({
      streamName: 'camera',
      nalAdaptationFlags: 0,
      bufferDuration: 20_000,
    });
  }

  it('health: idle, through streaming, to stopped', async () => {
    await open();
    const seen: StreamHealth[] = [];
    stream.on('health', (health: StreamHealth) => seen.push(health));
    expect(stream.health).toMatchObject({ condition: 'idle', backlogMs: 0, lastError: undefined });
    await putAll(stream, FRAMES);
    expect(stream.health).toMatchObject({ condition: 'connecting' });
    expect(stream.health.backlogBytes).toBeGreaterThan(100 * 500);
    await stream.stop({ timeoutMs: 60_000 });
    const conditions = seen.map((health) => health.condition);
    expect(conditions).toContain('streaming');
    expect(conditions.at(-1)).toBe('stopped');
    expect(stream.health).toMatchObject({ sessions: 1, backlogBytes: 0 });
  });

  it('health: failing with the error, and well again', async () => {
    let failed = false;
    service.script = (fragment) => {
      if (failed) return allWell(fragment);
      failed = true;
      return [ack('ERROR', fragment.timecode, { ErrorId: 5000, ErrorCode: 'X' })];
    };
    await open();
    const seen: StreamHealth[] = [];
    stream.on('health', (health: StreamHealth) => seen.push(health));
    await putAll(stream, FRAMES);
    await stream.stop({ timeoutMs: 60_000 });
    const failing = seen.find((health) => health.condition === 'failing');
    expect(failing?.lastError).toMatchObject({
      status: 'STATUS_ACK_ERR_ACK_INTERNAL_ERROR',
      retryable: true,
    });
    expect(Math.abs((failing?.lastErrorAt ?? 0) - Date.now())).toBeLessThan(10_000);
    expect(seen.at(-1)?.condition).toBe('stopped');
    expect(stream.gaps).toEqual([]);
  });

  it('health: behind, and the gaps of what did not fit', async () => {
    await service.close();
    await open();
    const frames = [...syntheticFrames({ count: 1000, start: START, size: 500 })];
    for (const frame of frames) stream.putFrame(frame);
    await new Promise((resolve) => stream.once('droppedFragmentReport', resolve));
    const { condition, unsentMs } = stream.health;
    expect(['behind', 'failing']).toContain(condition);
    expect(unsentMs).toBeGreaterThan(10_000);
    const [gap, ...more] = stream.gaps;
    expect(more).toEqual([]);
    expect(gap).toMatchObject({ from: START, frames: stream.getMetrics().droppedFrames });
    expect(gap?.to).toBeGreaterThan(START + 15_000);
    service = await ScriptedService.start();
  });

  it('health: behind, too, where storage is short and not time', async () => {
    service.script = () => [];
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      deviceInfo: { storageInfo: { storageSize: 10 * 2 ** 20 } },
    });
    await producer.createStream({ streamName: 'other', nalAdaptationFlags: 0 });
    stream = await producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0 });
    // 3 MB of the 5 that are its share: 12 s of the 120 that bufferDuration allows.
    const frames = [...syntheticFrames({ count: 300, start: START, size: 10_000 })];
    for (const frame of frames) stream.putFrame(frame);
    expect(stream.health).toMatchObject({ condition: 'behind' });
  });

  it('health: failing no longer, once the stream is ready and nothing waits', async () => {
    const { endpoint } = service;
    await service.close();
    await open();
    const seen: string[] = [];
    stream.on('health', (health: StreamHealth) => seen.push(health.condition));
    await eventually(() => {
      expect(stream.health.condition).toBe('failing');
    });
    service = await ScriptedService.start({ port: Number(new URL(endpoint).port) });
    await eventually(() => {
      expect(stream.health.condition).toBe('idle');
    });
    expect(stream.health.lastError?.status).toBe('STATUS_DESCRIBE_STREAM_CALL_FAILED');
    expect(seen).toEqual(['failing', 'idle']);
  });

  it('diagnostics channels', async () => {
    const notes: NoteMessage[] = [];
    const calls: CallMessage[] = [];
    const refused: FrameRefusedMessage[] = [];
    const listeners = [
      ['kinesis-video:note', listener(notes)],
      ['kinesis-video:call', listener(calls)],
      ['kinesis-video:frame-refused', listener(refused)],
    ] as const;
    for (const [name, listen] of listeners) subscribe(name, listen);
    try {
      await open();
      await putAll(stream, FRAMES);
      const empty = { frameData: new Uint8Array(0), presentationTs: START + 5000 };
      expect(() => stream.putFrame(empty)).toThrow();
      await stream.stop({ timeoutMs: 60_000 });
    } finally {
      for (const [name, listen] of listeners) unsubscribe(name, listen);
    }
    expect(calls.map(({ call, stream: of, result }) => [call, of, result])).toEqual([
      ['getSecurityToken', undefined, 200],
      ['createDevice', undefined, 200],
      ['describeStream', 'camera', 200],
      ['getStreamingEndpoint', 'camera', 200],
      ['getStreamingToken', 'camera', 200],
      ['putStream', 'camera', 200],
    ]);
    expect(notes.map(({ note }) => note.name)).toContain('clientReady');
    expect(notes.filter(({ note }) => note.name === 'fragmentAckReceived')).toHaveLength(12);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.error.status).toBe('STATUS_MKV_INVALID_FRAME_DATA');
  });

  it('figures for OpenTelemetry', async () => {
    const meter = new RecordingMeter();
    await open({ meterProvider: { getMeter: () => meter } });
    await putAll(stream, FRAMES);
    await stream.stop({ timeoutMs: 60_000 });
    const figures = meter.collect();
    expect(figures.get('kinesis_video.stream.frames camera')).toBe(100);
    expect(figures.get('kinesis_video.stream.backlog camera')).toBe(0);
    expect(figures.get('kinesis_video.stream.sessions camera')).toBe(1);
    await producer.close();
    expect(meter.collect().size).toBe(0);
  });
});

function listener<T>(into: T[]): (message: unknown) => void {
  const isMessage = (message: unknown): message is T => message !== undefined;
  return (message) => {
    if (isMessage(message)) into.push(message);
  };
}

/** A meter as OpenTelemetry's is: collects when asked. */
class RecordingMeter implements Meter {
  readonly #callbacks = new Set<Parameters<Meter['addBatchObservableCallback']>[0]>();

  createObservableGauge(name: string): unknown {
    return name;
  }

  createObservableCounter(name: string): unknown {
    return name;
  }

  addBatchObservableCallback(...[callback]: Parameters<Meter['addBatchObservableCallback']>): void {
    this.#callbacks.add(callback);
  }

  removeBatchObservableCallback(
    ...[callback]: Parameters<Meter['addBatchObservableCallback']>
  ): void {
    this.#callbacks.delete(callback);
  }

  collect(): Map<string, number> {
    const figures = new Map<string, number>();
    for (const callback of this.#callbacks) {
      callback({
        observe: (instrument, value, attributes) => {
          figures.set(`${String(instrument)} ${String(attributes['stream.name'])}`, value);
        },
      });
    }
    return figures;
  }
}
