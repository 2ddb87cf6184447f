import { createHash, randomBytes, randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMedia } from '../../../lib/parser/index.js';
import { compileLib, type CompiledLib } from '../../support/compiled.js';
import { cluster, header } from '../../support/mkv.js';
import { startProcess } from './process.js';
import type { RawPutMedia } from '../../support/put-media.js';
import { createStream, getMedia, putMedia, temporaryDirectory, type Endpoint } from './helpers.js';

const STREAMS = ['a', 'b', 'c'];
const ROUNDS = Number(
  process.env['KVS_KILL_ROUNDS'] ?? (process.env['KVS_SOAK'] === '1' ? 200 : 10),
);

/** What was sent to one stream: content by time code, and which fragments were acknowledged. */
interface Ledger {
  readonly sent: Map<number, string>;
  readonly persisted: Map<string, number>;
  next: number;
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Sends fragments without a pause until the connection is gone. */
async function flood(put: RawPutMedia, ledger: Ledger): Promise<void> {
  put.send(header());
  try {
    for (;;) {
      const time = ledger.next;
      ledger.next += 1;
      const data = randomBytes(randomInt(1, 200_000));
      ledger.sent.set(time, hash(data));
      // Half of a fragment at a time, so that the end comes in the middle of one.
      const bytes = cluster(time, [{ time: 0, data }]);
      put.send(bytes.subarray(0, bytes.length / 2));
      const wanted = put.acks.length + 1;
      put.send(bytes.subarray(bytes.length / 2));
      await put.until(({ acks }) => acks.length >= wanted);
    }
  } catch {
    // The service was killed, which is what the test is about.
  }
  for (const ack of put.acks) {
    if (ack.EventType !== 'PERSISTED') continue;
    ledger.persisted.set(ack.FragmentNumber ?? '', ack.FragmentTimecode ?? -1);
  }
}

/** Reads everything back; gives how many fragments there are. */
async function verify(service: Endpoint, stream: string, ledger: Ledger): Promise<number> {
  const served = new Map<string, string>();
  const marker = putMedia(service, stream);
  const last = ledger.next;
  ledger.next += 1;
  const data = randomBytes(10);
  ledger.sent.set(last, hash(data));
  marker.send(header(), cluster(last, [{ time: 0, data }]));
  marker.end();
  await marker.untilEnded();
  const end = marker.acks.at(-1)?.FragmentNumber ?? '';
  expect(end).not.toBe('');
  const media = await getMedia(service, stream, { StartSelectorType: 'EARLIEST' }, end);
  for await (const event of readMedia([media])) {
    if (event.kind !== 'frame') continue;
    const content = hash(event.data);
    expect(content).toBe(ledger.sent.get(event.clusterTimecodeMs));
    served.set(event.fragment?.fragmentNumber ?? '', content);
  }
  for (const [number, time] of ledger.persisted) {
    expect(served.get(number), `fragment ${number} at ${String(time)}`).toBe(ledger.sent.get(time));
  }
  return served.size;
}

describe('kill -9', () => {
  let lib: CompiledLib | undefined;
  beforeAll(async () => {
    lib = await compileLib();
  });
  afterAll(async () => {
    await lib?.remove();
  });

  it(
    `${String(ROUNDS)} times under load: nothing acknowledged is lost, nothing is damaged`,
    async () => {
      if (lib === undefined) throw new Error('not compiled');
      const dataDir = await temporaryDirectory();
      const ledgers = new Map<string, Ledger>(
        STREAMS.map((name) => [name, { sent: new Map(), persisted: new Map(), next: 0 }]),
      );
      let sure = 0;
      let service = await startProcess(lib, dataDir);
      try {
        for (const name of STREAMS) await createStream(service, name);
        for (let round = 0; round < ROUNDS; round += 1) {
          const puts: RawPutMedia[] = [];
          const floods = [...ledgers].map(([name, ledger]) => {
            const put = putMedia(service, name);
            puts.push(put);
            return flood(put, ledger);
          });
          // So many at least, however slow the machine is; where then it is killed is chance.
          const least = randomInt(0, 5);
          sure += least;
          await Promise.all(
            puts.map((put) => put.until((self) => self.count('PERSISTED') >= least)),
          );
          await new Promise((resolve) => setTimeout(resolve, randomInt(1, 400)));
          await service.kill();
          await Promise.all(floods);
          service = await startProcess(lib, dataDir);
        }
        for (const [name, ledger] of ledgers) {
          expect(ledger.persisted.size).toBeGreaterThanOrEqual(Math.max(sure, 1));
          const count = await verify(service, name, ledger);
          expect(count).toBeGreaterThanOrEqual(ledger.persisted.size);
        }
      } finally {
        await service.kill();
        await rm(dataDir, { recursive: true, force: true });
      }
    },
    Math.max(300_000, ROUNDS * 5000),
  );
});
