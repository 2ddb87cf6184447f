// Error acks of each kind, put into the service's answers on their way.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KinesisVideoProducer, type StreamErrorReport } from '../../lib/index.js';
import { startService, type KvsService } from '../../lib/service/index.js';
import { FaultFront } from '../support/fault-front.js';
import { syntheticFrames } from '../support/frames.js';
import { AckLog, Detour, expectStored, putAll, storedIn } from '../support/upload.js';

const START = 1_700_000_000_000;
const FRAMES = [...syntheticFrames({ count: 150, start: START })];
/** Cluster time of the third fragment of six. */
const THIRD = START + 2000;
/** The fragment is sent again after these, and after any that is not known. */
const RESENT = [4000, 4003, 4008, 4500, 4501, 4502, 4503, 4504, 4505, 4506, 4507, 5000, 5001, 4999];
/** The fragment itself is at fault: it is given up. */
const LOST = [4001, 4002, 4004, 4005, 4006, 4007, 4009, 4010, 4011, 4012];

describe('an error ack of the service', () => {
  let directory = '';
  let service: KvsService;
  let front: FaultFront;
  let producer: KinesisVideoProducer;
  const acks = new AckLog();
  let reports: StreamErrorReport[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-error-acks-'));
    service = await startService({ dataDir: join(directory, 'data'), limits: 'off' });
    front = await FaultFront.start(service.port);
    const callbackProvider = new Detour(service.endpoint, front.endpoint);
    producer = await KinesisVideoProducer.create({ callbackProvider, limits: 'off' });
    acks.acks.length = 0;
    reports = [];
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    await front.close();
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Uploads; the first ack of the third fragment becomes an error. */
  async function upload(errorId: number): Promise<void> {
    let failed = false;
    front.tamper = (ack) => {
      if (failed || !ack.includes(`"FragmentTimecode":${THIRD}`)) return ack;
      failed = true;
      const fields = { EventType: 'ERROR', FragmentTimecode: THIRD, FragmentNumber: '1' };
      return JSON.stringify({ ...fields, ErrorId: errorId, ErrorCode: 'INJECTED' });
    };
    const stream = await producer.createStream({
      streamName: 'camera',
      nalAdaptationFlags: 0,
      callbacks: acks,
    });
    stream.on('streamErrorReport', (report: StreamErrorReport) => reports.push(report));
    await putAll(stream, FRAMES);
    await stream.stop({ timeoutMs: 60_000 }).catch(() => undefined);
    expect(stream.getMetrics().bufferedFrames).toBe(0);
    expect(reports.find((report) => report.result === errorId)).toMatchObject({ timecode: THIRD });
    expect(stream.gaps.map((gap) => gap.from)).toEqual(LOST.includes(errorId) ? [THIRD] : []);
  }

  it.each(RESENT)('%i loses nothing', async (errorId) => {
    await upload(errorId);
    const doubtful = FRAMES.map((frame) => frame.presentationTs);
    expectStored(await storedIn(service.endpoint, 'camera'), FRAMES, doubtful);
  });

  it.each(LOST)('%i costs that fragment at most, and is told', async (errorId) => {
    await upload(errorId);
    const { fragments } = await storedIn(service.endpoint, 'camera');
    const times = new Set(fragments.map((fragment) => fragment.producerMs));
    for (const time of [0, 1000, 3000, 4000, 5000]) expect(times).toContain(START + time);
  });
});
