import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import {
  KinesisVideoProducer,
  type DroppedFragmentReport,
  type FragmentAck,
  type KinesisVideoStream,
  type StreamDefinition,
  type StreamErrorReport,
} from '../../../lib/index.js';
import { syntheticFrames } from '../../support/frames.js';
import { ack, allWell, ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS, putAll } from '../../support/upload.js';

/** How long something may take that is waited for; machines are busy. */

const START = 1_700_000_000_000;
const FRAMES = [...syntheticFrames({ count: 150, start: START, size: 500 })];
/** Cluster time of the third fragment of six. */
const THIRD = START + 2000;

describe('acks of a service', () => {
  let service: ScriptedService;
  let producer: KinesisVideoProducer;
  let stream: KinesisVideoStream;
  const errors: StreamErrorReport[] = [];
  const drops: DroppedFragmentReport[] = [];
  const acks: FragmentAck[] = [];

  beforeEach(async () => {
    for (const list of [errors, drops, acks]) list.length = 0;
    service = await ScriptedService.start();
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
    });
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    await service.close();
  });

  async function upload(more?: StreamDefinition): Promise<void> {
    stream = await producer.createStream({
      streamName: 'camera',
      nalAdaptationFlags: 0,
      callbacks: {
        streamErrorReport: (report) => errors.push(report),
        droppedFragmentReport: (report) => drops.push(report),
        fragmentAckReceived: (report) => acks.push(report),
      },
      ...more,
    });
    await putAll(stream, FRAMES);
    await stream.stop({ timeoutMs: 60_000 });
  }

  /** Numbers of the frames of all fragments for which an ack said Persisted. */
  function persistedFrames(): Set<number> {
    const times = new Set(acks.filter((a) => a.type === 'PERSISTED').map((a) => a.timecode));
    const whole = service.fragments.filter((fragment) => times.has(fragment.timecode));
    return new Set(whole.flatMap((fragment) => fragment.frames));
  }

  /** Answers the third fragment with an error once, and all else well. */
  function failThirdOnce(errorId: number): void {
    let failed = false;
    service.script = (fragment) => {
      if (fragment.timecode !== THIRD || failed) return allWell(fragment);
      failed = true;
      return [ack('ERROR', THIRD, { ErrorId: errorId, ErrorCode: 'INJECTED' })];
    };
  }

  const resent = [4000, 4003, 4008, 4500, 4501, 4502, 4503, 4504, 4505, 4506, 4507, 5000, 5001];
  it.each([...resent, 4999])('sends a fragment again after error %i', async (errorId) => {
    failThirdOnce(errorId);
    await upload();
    expect(persistedFrames().size).toBe(150);
    expect(drops).toEqual([]);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ timecode: THIRD, result: errorId });
    expect(service.sessions).toBe(2);
    expect(acks.find((one) => one.type === 'ERROR')).toMatchObject({
      timecode: THIRD,
      errorId,
      matched: true,
      status: errors[0]?.status,
    });
  });

  const lost = [4001, 4002, 4004, 4005, 4006, 4007, 4009, 4010, 4011, 4012];
  it.each(lost)('gives one fragment up after error %i, says so, and goes on', async (errorId) => {
    failThirdOnce(errorId);
    await upload();
    expect(persistedFrames().size).toBe(125);
    expect(drops).toHaveLength(1);
    expect(drops[0]).toMatchObject({ timecode: THIRD, frames: 25, sent: true });
    expect(drops[0]?.reason).toBe(errors[0]?.status);
    expect(service.fragments.filter((one) => one.timecode === THIRD)).toHaveLength(1);
  });

  it('ends a session in order: END_OF_FRAGMENT, the last ack, the terminating chunk', async () => {
    await upload();
    await producer.close();
    await eventually(() => {
      expect([service.sessions, service.ended]).toEqual([1, 1]);
    });
    expect(service.headers[0]).toMatchObject({
      'x-amzn-fragment-timecode-type': 'ABSOLUTE',
      'x-amzn-producer-start-timestamp': '1700000000.000',
      'x-amzn-fragment-acknowledgment-required': '1',
    });
  });

  it('frees by Received where nothing is retained', async () => {
    service.retentionHours = 0;
    service.script = ({ timecode }) => [ack('RECEIVED', timecode)];
    await upload();
    expect(stream.getMetrics()).toMatchObject({ receivedAcks: 6, bufferedFrames: 0 });
    expect(service.sessions).toBe(1);
  });

  it('frees by sending where no acks are asked for', async () => {
    service.script = () => [];
    await upload({ fragmentAcks: false });
    expect(service.headers[0]).toMatchObject({ 'x-amzn-fragment-acknowledgment-required': '0' });
    expect(new Set(service.fragments.flatMap((fragment) => fragment.frames)).size).toBe(150);
  });

  it('counts times from the first frame in relative mode', async () => {
    await upload({ absoluteFragmentTimes: false });
    expect(service.fragments.map((fragment) => fragment.timecode)).toEqual([
      0, 1000, 2000, 3000, 4000, 5000,
    ]);
    expect(service.headers[0]).toMatchObject({ 'x-amzn-fragment-timecode-type': 'RELATIVE' });
  });

  it('survives acks that are not acks, in any split', async () => {
    service.script = (fragment, nth) => {
      const good = allWell(fragment).join('');
      if (nth !== 2) return [good.slice(0, 7), good.slice(7, 60), good.slice(60)];
      return ['{"EventType":"NEWS"}', '{"x":[{"y":1}]}', good];
    };
    await upload();
    expect(persistedFrames().size).toBe(150);
    expect(errors.map((error) => error.status)).toContain('STATUS_INVALID_PARSED_ACK_TYPE');
  });

  it('carries fragment metadata, once and from then on', async () => {
    stream = await producer.createStream({ streamName: 'tags', nalAdaptationFlags: 0 });
    stream.putFragmentMetadata('once', '1');
    stream.putFragmentMetadata('always', '2', true);
    await putAll(stream, FRAMES.slice(0, 75));
    await stream.stop({ timeoutMs: 60_000 });
    expect(service.fragments.map((fragment) => Object.fromEntries(fragment.tags))).toEqual([
      { once: '1', always: '2' },
      { always: '2' },
      { always: '2' },
    ]);
  });

  it('makes an error of the service final where restartOnError is false', async () => {
    failThirdOnce(5000);
    await expect(upload({ restartOnError: false })).rejects.toMatchObject({
      status: 'STATUS_PUT_STREAM_CALL_FAILED',
    });
    expect(service.sessions).toBe(1);
    expect(drops.length).toBeGreaterThan(0);
  });
});
