import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, DeleteStreamCommand } from '@aws-sdk/client-kinesis-video';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMedia } from '../../../lib/parser/index.js';
import { startService } from '../../../lib/service/index.js';
import { compileLib, type CompiledLib } from '../../support/compiled.js';
import { cluster, header } from '../../support/mkv.js';
import type { RawPutMedia } from '../../support/put-media.js';
import { startProcess, type ProcessHost, type ServiceProcess } from './process.js';
import { controlClient, createStream, getMedia, putMedia, withService } from './helpers.js';
import { temporaryDirectory, type Endpoint } from './helpers.js';

const HOUR = 3_600_000;
const KB = 1000;

function media(time: number, bytes: number): Uint8Array {
  return cluster(time, [{ time: 0, data: Buffer.alloc(bytes, time / 1000) }]);
}

/** Sends fragments of so many bytes one by one until one is refused or `most` are sent. */
async function fill(
  service: Endpoint,
  stream: string,
  bytes: number,
  most: number,
): Promise<RawPutMedia> {
  const put = putMedia(service, stream);
  put.send(header());
  for (let index = 0; index < most && !put.ended; index += 1) {
    put.send(media(index * 1000, bytes));
    await put.until(
      (self) => self.count('PERSISTED') >= index || self.count('ERROR') > 0 || self.ended,
    );
  }
  put.end();
  await put.untilEnded();
  put.destroy();
  return put;
}

/** Times of everything that is stored; each byte is compared with what was sent. */
async function stored(service: Endpoint, stream: string, last: string): Promise<number[]> {
  const bytes = await getMedia(service, stream, { StartSelectorType: 'EARLIEST' }, last);
  const times: number[] = [];
  for await (const event of readMedia([bytes])) {
    if (event.kind !== 'frame') continue;
    times.push(event.timecodeMs);
    expect(event.data.every((byte) => byte === (event.timecodeMs / 1000) % 256)).toBe(true);
  }
  return times;
}

function persisted(put: RawPutMedia): { readonly times: number[]; readonly last: string } {
  const acks = put.acks.filter((ack) => ack.EventType === 'PERSISTED');
  return {
    times: acks.map((ack) => ack.FragmentTimecode ?? -1),
    last: acks.at(-1)?.FragmentNumber ?? '',
  };
}

describe('disk quota', () => {
  it('gives 5001 to the fragment that finds no room, and keeps what was acknowledged', async () => {
    await withService({ diskQuota: 500 * KB }, async (service) => {
      await createStream(service, 'cam');
      const put = await fill(service, 'cam', 100 * KB, 20);
      const { times, last } = persisted(put);
      expect(times).toEqual([0, 1000, 2000, 3000]);
      const error = put.acks.find((ack) => ack.EventType === 'ERROR');
      expect(error).toMatchObject({
        ...{ FragmentTimecode: 4000, ErrorId: 5001, ErrorCode: 'ARCHIVAL_ERROR' },
        FragmentNumber: expect.stringMatching(/^\d{47}$/),
      });
      expect(await stored(service, 'cam', last)).toEqual(times);
    });
  });

  it('answers a new PutMedia with 503 while there is no room, and takes it when there is', async () => {
    let wall = Date.UTC(2026, 0, 1);
    const clock = { mono: (): number => performance.now(), wall: (): number => wall };
    await withService({ diskQuota: 300 * KB, clock }, async (service, dataDir) => {
      await createStream(service, 'old', 1);
      const arn = await createStream(service, 'new', 24);
      await fill(service, 'old', 140 * KB, 2);
      // Less than one per cent is left.
      await fill(service, 'new', 18 * KB, 1);
      const refused = putMedia(service, 'new');
      await refused.until(({ status, text }) => status === 200 || text.endsWith('}'));
      expect(refused.status).toBe(503);
      expect(refused.head).toMatch(/x-amzn-ErrorType: ServiceUnavailable/i);
      expect(refused.text).toContain('300000 bytes');
      refused.destroy();
      wall += 2 * HOUR;
      await service.close();
      // A sweep comes every ten seconds, and at the start.
      await withService({ dataDir, diskQuota: 300 * KB, clock }, async (next) => {
        const put = await fill(next, 'new', 100 * KB, 2);
        expect(persisted(put).times).toEqual([0, 1000]);
        const client = controlClient(next);
        await client.send(new DeleteStreamCommand({ StreamARN: arn }));
        client.destroy();
        expect(persisted(await fill(next, 'old', 140 * KB, 2)).times).toEqual([0, 1000]);
      });
    });
  });

  it('counts what lies on the disk, fragments that were given up not for longer than they lie', async () => {
    await withService({ diskQuota: 500 * KB }, async (service, dataDir) => {
      await createStream(service, 'cam');
      for (let round = 0; round < 10; round += 1) {
        const put = putMedia(service, 'cam');
        const whole = media(round * 1000, 20 * KB);
        put.send(header(), whole, media(round * 1000 + 500, 200 * KB).subarray(0, 150 * KB));
        await put.until((self) => self.count('PERSISTED') === 1);
        put.reset();
        await expect
          .poll(() => bytesBelow(join(dataDir, 'media')))
          .toBeLessThan(22 * KB * (round + 1));
      }
    });
  });

  it('counts what is sealed with its seals', async () => {
    await withService({ diskQuota: 10 * KB, limits: 'off' }, async (service, dataDir) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      // Record, table and seals make each of these several times longer.
      const bodies = Array.from({ length: 1000 }, (_, at) => media(at * 1000, 1));
      put.send(header(), ...bodies);
      await put.untilEnded();
      const taken = bytesBelow(join(dataDir, 'media'));
      expect(put.count('ERROR')).toBe(1);
      expect(put.count('PERSISTED')).toBeGreaterThan(20);
      expect(taken).toBeGreaterThan(9.6 * KB);
      expect(taken).toBeLessThanOrEqual(10 * KB);
      const plain = put.count('PERSISTED') * media(1000, 1).length;
      expect(plain).toBeLessThan(0.7 * taken);
    });
  });

  it('refuses quotas that are none', async () => {
    for (const diskQuota of [0, -1, Number.NaN]) {
      const start = startService({ dataDir: 'unused', diskQuota });
      await expect(start).rejects.toThrow(/diskQuota/);
    }
  });
});

function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.endsWith('.json'))
    .map((name) => statSync(join(directory, name)))
    .filter((found) => found.isFile())
    .reduce((sum, found) => sum + found.size, 0);
}

describe('a disk that fails', () => {
  let lib: CompiledLib | undefined;
  beforeAll(async () => {
    lib = await compileLib();
  });
  afterAll(async () => {
    await lib?.remove();
  });

  async function withProcess(
    dataDir: string,
    host: ProcessHost,
    use: (service: ServiceProcess) => Promise<void>,
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    if (lib === undefined) throw new Error('not compiled');
    const service = await startProcess(lib, dataDir, options, host);
    try {
      await use(service);
    } finally {
      await service.kill();
    }
  }

  it('a file that cannot grow costs its own stream an Error ack, and no other stream anything', async () => {
    const dataDir = await temporaryDirectory();
    try {
      await withProcess(dataDir, { fileBytes: 4 * 1024 * 1024 }, async (service) => {
        await createStream(service, 'large');
        await createStream(service, 'small');
        const small = putMedia(service, 'small');
        small.send(header(), media(0, 10 * KB));
        const large = await fill(service, 'large', 1000 * KB, 20);
        expect(large.summary().some((ack) => /^ERROR \d+ 5001$/.test(ack))).toBe(true);
        const { times, last } = persisted(large);
        expect(times.length).toBeGreaterThan(2);
        expect(await stored(service, 'large', last)).toEqual(times);
        small.send(media(1000, 10 * KB));
        small.end();
        await small.untilEnded();
        expect(persisted(small).times).toEqual([0, 1000]);
        small.destroy();
        // The next connection goes on in a file of its own.
        const again = await fill(service, 'large', 1000 * KB, 2);
        expect(persisted(again).times).toEqual([0, 1000]);
      });
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it('a log of calls that cannot grow holds whole lines, and no call fails for it', async () => {
    const dataDir = await temporaryDirectory();
    try {
      const apiLog = join(dataDir, 'calls.log');
      await withProcess(
        join(dataDir, 'data'),
        { fileBytes: 64 * 1024 },
        async ({ endpoint }) => {
          for (let call = 0; call < 200; call += 1) {
            const answer = await fetch(`${endpoint}/listStreams`, { method: 'POST', body: '{}' });
            expect(await answer.text()).toBe('{"StreamInfoList":[]}');
          }
          const text = (): string => readFileSync(apiLog, 'utf8');
          expect(text().length).toBeGreaterThan(60 * 1024);
          await expect.poll(() => text().endsWith('\n')).toBe(true);
          for (const line of text().trimEnd().split('\n')) {
            expect(JSON.parse(line)).toMatchObject({ eventName: 'ListStreams' });
          }
        },
        { apiLog },
      );
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it.runIf(canMount())(
    'a disk without room: Error acks, reads go on, and media are taken again when there is room',
    async () => {
      await withSmallDisk(24, async (disk) => {
        const filler = join(disk, 'filler');
        await withProcess(join(disk, 'data'), {}, async (service) => {
          await createStream(service, 'cam');
          await createStream(service, 'other');
          await createStream(service, 'third');
          // When it is gone there is more room than the index needs to be opened anew.
          writeFileSync(filler, Buffer.alloc(12_000_000));
          const put = await fill(service, 'cam', 500 * KB, 40);
          expect(put.summary().some((ack) => /^ERROR \d+ 5001$/.test(ack))).toBe(true);
          const { times, last } = persisted(put);
          expect(times.length).toBeGreaterThan(2);
          expect(await stored(service, 'cam', last)).toEqual(times);
          // Not even a byte: the index cannot be written either.
          fillUp(join(disk, 'rest'));
          const none = await fill(service, 'other', 500 * KB, 2);
          expect(none.count('PERSISTED')).toBe(0);
          expect(none.status === 503 || none.acks.at(-1)?.ErrorId === 5001).toBe(true);
          expect(await firstRefusal(service)).toMatchObject({
            ...{ name: 'ServiceUnavailable', $metadata: { httpStatusCode: 503 } },
            message: expect.stringContaining('disk'),
          });
          // Now that the index has failed, a first connection is told before it sends its body.
          const refused = putMedia(service, 'third');
          await refused.until(({ text, ended }) => ended || text.endsWith('}'));
          expect(refused.status).toBe(503);
          expect(refused.head).toMatch(/x-amzn-ErrorType: ServiceUnavailable/i);
          refused.destroy();
          rmSync(filler);
          rmSync(join(disk, 'rest'));
          const again = await fill(service, 'other', 500 * KB, 3);
          expect(again.summary().at(-1)).toBe('PERSISTED 2000');
          expect(await stored(service, 'other', persisted(again).last)).toEqual([0, 1000, 2000]);
          expect(await stored(service, 'cam', last)).toEqual(times);
        });
        await withProcess(join(disk, 'data'), {}, async (service) => {
          const { last } = persisted(await fill(service, 'other', 10 * KB, 1));
          expect(await stored(service, 'other', last)).toEqual([0, 1000, 2000, 0]);
        });
      });
    },
  );

  it.runIf(canMount())(
    'an index that could not be written loses nothing of what is acknowledged afterwards',
    async () => {
      await withSmallDisk(16, async (disk) => {
        let last = '';
        await withProcess(join(disk, 'data'), {}, async (service) => {
          await createStream(service, 'cam');
          await createStream(service, 'other');
          const put = putMedia(service, 'cam');
          put.send(header(), media(0, 100), media(1000, 100));
          await put.until((self) => self.count('PERSISTED') === 1);
          fillUp(join(disk, 'rest'));
          // The fragment fits into the last page of its file; its header does not into the index.
          put.send(header({ codecPrivate: Buffer.alloc(500 * KB, 7) }), media(2000, 100));
          put.end();
          await put.untilEnded();
          put.destroy();
          expect(put.summary()).toContain('ERROR 2000 5001');
          rmSync(join(disk, 'rest'));
          const again = await fill(service, 'other', 10 * KB, 5);
          expect(persisted(again).times).toHaveLength(5);
          ({ last } = persisted(again));
        });
        await withProcess(join(disk, 'data'), {}, async (service) => {
          expect(await stored(service, 'other', last)).toEqual([0, 1000, 2000, 3000, 4000]);
        });
      });
    },
  );
});

/** Makes streams until one is refused; the index may still have room for some. */
async function firstRefusal(service: Endpoint): Promise<unknown> {
  const client = controlClient(service);
  try {
    for (let index = 0; index < 1000; index += 1) {
      await client.send(new CreateStreamCommand({ StreamName: `more${String(index)}` }));
    }
    return undefined;
  } catch (error) {
    return error;
  } finally {
    client.destroy();
  }
}

function fillUp(path: string): void {
  for (let size = 1_000_000; size >= 1; size = Math.floor(size / 4)) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // No room for so many bytes; fewer may still fit.
    }
  }
}

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'kvs-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function withSmallDisk(
  megabytes: number,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kvs-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(megabytes)}m`, 'tmpfs', folder]);
  try {
    await use(folder);
  } finally {
    execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  }
}
