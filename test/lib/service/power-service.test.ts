import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileLib, type CompiledLib } from '../../support/compiled.js';
import { RecordedDisk } from '../../support/power/disk.js';
import { powerLibrary } from '../../support/power/library.js';
import { readLog, type Op } from '../../support/power/log.js';
import { newFaults } from '../../support/power/not-yet.js';
import { fastFolder, putState } from '../../support/power/place.js';
import { Random } from '../../support/power/random.js';
import { watchEnvironment } from '../../support/power/run.js';
import { createStream } from './helpers.js';
import { startProcess } from './process.js';
import { expectReadable, putTimes, type Acked } from './watched-service.js';

/* The whole service, as clients see it: its process is recorded while they send, with what left by
   its sockets, and started on what the disk may hold after the power failed. */

const STATES = process.env['KVS_SOAK'] === '1' ? 200 : 20;
const STREAMS = ['one', 'two'];
/** Times of a stream's fragments begin at its index times this. */
const APART = 1_000_000;
const library = powerLibrary();
const where = library.kind === 'built' ? 'power loss' : `power loss (${library.why})`;

interface AckAt {
  readonly at: number;
  readonly stream: string;
  readonly number: string;
  readonly time: number;
}

/** Persisted acks, each with the call before which it left the process. */
function acksIn(ops: readonly Op[]): AckAt[] {
  return ops.flatMap((op, at) => {
    if (op.kind !== 'told') return [];
    const text = Buffer.from(op.bytes).toString('latin1');
    return [...text.matchAll(/\{"EventType":"PERSISTED"[^}]*\}/g)].map(([json]) => {
      const ack: unknown = JSON.parse(json);
      const { FragmentNumber: number, FragmentTimecode: time } = Object(ack);
      return { at, number: String(number), time: Number(time), stream: streamOf(Number(time)) };
    });
  });
}

function streamOf(time: number): string {
  return STREAMS[Math.floor(time / APART)] ?? '';
}

describe.skipIf(library.kind === 'missing')(where, () => {
  let lib: CompiledLib | undefined;
  let folder = '';
  beforeAll(async () => {
    lib = await compileLib();
    folder = fastFolder();
  }, 60_000);
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await lib?.remove();
  });

  async function record(): Promise<Op[]> {
    if (lib === undefined || library.kind === 'missing') throw new Error('not compiled');
    const root = join(folder, 'data');
    const log = join(folder, 'log');
    mkdirSync(root);
    const env = watchEnvironment({ library: library.path, root, log });
    const service = await startProcess(lib, root, {}, { env });
    for (const name of STREAMS) await createStream(service, name);
    await Promise.all(
      STREAMS.map(async (name, index) => {
        const times = Array.from({ length: 12 }, (_, at) => index * APART + at * 1000);
        expect((await putTimes(service, name, times)).size).toBe(times.length);
      }),
    );
    await service.kill();
    return readLog(log);
  }

  it(
    `a service that is started on ${STATES} states of its disk has all that it acknowledged`,
    async () => {
      if (lib === undefined) throw new Error('not compiled');
      const ops = await record();
      const acks = acksIn(ops);
      expect(acks).toHaveLength(12 * STREAMS.length);
      const disk = new RecordedDisk(ops);
      const points = disk.points.filter((at) => at > (acks[0]?.at ?? 0));
      const wrong: string[] = [];
      for (let state = 0; state < STATES; state += 1) {
        const at = points[Math.floor((state * points.length) / STATES)] ?? 0;
        const root = join(folder, 'state');
        putState(root, disk.afterPowerLoss(at, 'journal', new Random(state)));
        const told = acks.filter((ack) => ack.at < at);
        await faultOf(lib, root, told).catch((error: unknown) => {
          wrong.push(`state ${state}, power lost before call ${at}: ${String(error)}`);
        });
        rmSync(root, { recursive: true });
      }
      expect(newFaults(wrong)).toEqual([]);
    },
    STATES * 30_000,
  );
});

/** Rejects where something that was acknowledged is not served, or a number does not grow. */
async function faultOf(lib: CompiledLib, root: string, told: readonly AckAt[]): Promise<void> {
  const service = await startProcess(lib, root);
  try {
    for (const name of STREAMS) {
      const acked: Acked = new Map<string, number>();
      for (const { stream, number, time } of told) if (stream === name) acked.set(number, time);
      if (acked.size === 0) continue;
      await expectReadable(service, name, acked);
      const next = await putTimes(service, name, [9 * APART]);
      const [number = '0'] = next.keys();
      for (const older of acked.keys()) expect(BigInt(number)).toBeGreaterThan(BigInt(older));
      await expectReadable(service, name, new Map([...acked, ...next]));
    }
  } finally {
    await service.kill();
  }
}
