import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MKV_ID, writeHeader } from '../../../lib/parser/index.js';
import { AckError } from '../../../lib/service/errors.js';
import { GUIDE_LIMITS, NO_LIMITS } from '../../../lib/service/limits.js';
import { MkvIngest } from '../../../lib/service/put/ingest.js';
import { compileLib } from '../../support/compiled.js';
import { collectGarbage } from '../../support/garbage.js';
import { cluster, element, endOfFragment, header, tags, uint } from '../../support/mkv.js';
import { createStream, getMedia, putMedia, temporaryDirectory, withService } from './helpers.js';
import { rss, startProcess } from './process.js';

const BLOCKS = [{ time: 0, data: new Uint8Array(300) }, { time: 40 }];
const BODY = Buffer.concat([
  header({ tracks: [1, 2] }),
  tags({ a: 'b' }),
  cluster(0, BLOCKS),
  tags({ room: 'hall' }),
  endOfFragment(),
  cluster(2000, BLOCKS),
  header(),
  cluster(4000, BLOCKS),
]);

/** What an ingest makes of a body in these pieces: everything that it tells, bytes joined. */
function ingest(pieces: readonly Uint8Array[], limits = NO_LIMITS): string[] {
  const told: string[] = [];
  let bytes: Uint8Array[] = [];
  const target = {
    fragmentStart: (head: Uint8Array): void => {
      told.push(`start ${Buffer.from(head).toString('hex')}`);
      bytes = [];
    },
    timecode: (time: number): void => {
      told.push(`time ${String(time)}`);
    },
    bytes: (part: Uint8Array): void => {
      bytes.push(Uint8Array.from(part));
    },
    fragmentEnd: (whole: { duration: number; tags: Uint8Array }): void => {
      const own = Buffer.from(whole.tags).toString('hex');
      told.push(`end ${String(whole.duration)} ${own} ${Buffer.concat(bytes).toString('hex')}`);
    },
  };
  const reader = new MkvIngest(target, limits);
  try {
    for (const piece of pieces) reader.push(piece);
    reader.end();
  } catch (error) {
    if (!(error instanceof AckError)) throw error;
    told.push(`error ${String(error.id)}`);
  }
  return told;
}

describe('ingest', () => {
  it('finds the same in every two-way split and byte by byte', () => {
    const whole = ingest([BODY]);
    expect(whole.filter((line) => line.startsWith('end'))).toHaveLength(3);
    for (let at = 1; at < BODY.length; at += 1) {
      expect(ingest([BODY.subarray(0, at), BODY.subarray(at)])).toEqual(whole);
    }
    expect(ingest(Array.from(BODY, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  it('a frame that says it lasts for ever gives the fragment a length that can be stored', () => {
    const group = element(MKV_ID.BLOCK_GROUP, [
      element(MKV_ID.BLOCK, [Uint8Array.of(0x81, 0, 0, 0, 9)]),
      uint(MKV_ID.BLOCK_DURATION, 2 ** 53 - 1),
    ]);
    const body = Buffer.concat([
      header({ scale: 1_000_000_000 }),
      element(MKV_ID.CLUSTER, [uint(MKV_ID.TIMESTAMP, 0), group]),
    ]);
    const end = ingest([body]).find((line) => line.startsWith('end')) ?? '';
    expect(Number(end.split(' ')[1])).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('takes any bytes: an Error ack or fragments, never anything else', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(BODY.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(BODY.length),
        fc.boolean(),
        (changes, cut, guide) => {
          const body = Buffer.from(BODY);
          for (const [at, value] of changes) body[at] = value;
          const limits = guide ? GUIDE_LIMITS : NO_LIMITS;
          const told = ingest([body.subarray(0, cut), body.subarray(cut)], limits);
          const whole = ingest([body], limits);
          expect(told.filter((line) => !line.startsWith('error'))).toEqual(
            whole.filter((line) => !line.startsWith('error')),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('holds no memory while an element without end comes in', async () => {
    const huge: readonly (readonly [string, Uint8Array])[] = [
      [
        'a block',
        Buffer.concat([
          header(),
          cluster(0, []),
          writeHeader(MKV_ID.SIMPLE_BLOCK, 2 ** 40),
          Uint8Array.of(0x81, 0, 0, 0),
        ]),
      ],
      ['a Void', Buffer.concat([header(), cluster(0, []), writeHeader(MKV_ID.VOID, 2 ** 40)])],
      [
        'an attachment behind a Cluster',
        Buffer.concat([header(), cluster(0, BLOCKS), writeHeader(MKV_ID.ATTACHMENTS, 2 ** 40)]),
      ],
    ];
    for (const [name, start] of huge) {
      let taken = 0;
      const reader = new MkvIngest(
        {
          fragmentStart: () => undefined,
          timecode: () => undefined,
          bytes: (part) => {
            taken += part.length;
          },
          fragmentEnd: () => undefined,
        },
        NO_LIMITS,
      );
      reader.push(start);
      collectGarbage();
      const before = process.memoryUsage().arrayBuffers;
      for (let count = 0; count < 512; count += 1) reader.push(new Uint8Array(65_536));
      // Buffers are freed in the background, a moment after their collection.
      const grown = (): number => {
        collectGarbage();
        return process.memoryUsage().arrayBuffers - before;
      };
      await expect.poll(grown, { message: name }).toBeLessThan(1024 * 1024);
      expect(taken >= 512 * 65_536 || name.startsWith('an attachment')).toBe(true);
    }
  });
});

/** How many files a process may have open here; Node asks for as many as are allowed. */
function openFiles(): number {
  const limits = existsSync('/proc/self/limits') ? readFileSync('/proc/self/limits', 'utf8') : '';
  const [, most = 'unlimited'] = /^Max open files +\S+ +(\S+)/m.exec(limits) ?? [];
  return most === 'unlimited' ? Infinity : Number(most);
}

describe('hostile clients', () => {
  it('10,000 idle connections, the service in a process of its own', async (context) => {
    const files = openFiles();
    context.skip(files < 10_500, `needs 10,500 open files, and may have ${files} (ulimit -n)`);
    const lib = await compileLib();
    const dataDir = await temporaryDirectory();
    const service = await startProcess(lib, dataDir);
    const sockets: Socket[] = [];
    try {
      await createStream(service, 'cam');
      const before = rss(service.pid);
      const { port } = new URL(service.endpoint);
      for (let count = 0; count < 10_000; count += 500) {
        const batch = Array.from({ length: 500 }, () => open(Number(port)));
        sockets.push(...(await Promise.all(batch)));
      }
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(0, BLOCKS));
      put.end();
      await put.untilEnded();
      expect(put.count('PERSISTED')).toBe(1);
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 1);
      expect(media.length).toBeGreaterThan(300);
      expect(sockets.filter((socket) => !socket.destroyed).length).toBe(10_000);
      expect(rss(service.pid) - before).toBeLessThan(400 * 1024 * 1024);
    } finally {
      for (const socket of sockets) socket.destroy();
      await service.kill();
      await lib.remove();
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it('headers without end, and lines that are no HTTP', async () => {
    await withService({}, async (service) => {
      for (const text of [
        `POST /putMedia HTTP/1.1\r\nHost: x\r\n${'x-more: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(2000)}\r\n`,
        'hello\r\n\r\n',
        `POST /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
      ]) {
        const socket = await open(service.port);
        socket.write(text);
        let answer = '';
        socket.on('data', (bytes) => (answer += String(bytes)));
        // From Node 24 the rest, which nobody reads, makes the end of the connection a reset.
        await new Promise((resolve) => socket.once('close', resolve));
        expect(answer).toMatch(/^HTTP\/1.1 4\d\d/);
      }
      await createStream(service, 'still-there');
    });
  });

  it('chunked encoding that breaks off or lies harms nobody', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      for (const garbage of ['zz\r\n', 'fffffffffffffffff\r\n', '-1\r\n']) {
        const put = putMedia(service, 'cam');
        put.send(header(), cluster(randomInt(1000), BLOCKS));
        await put.until(({ acks }) => acks.length > 0);
        put.raw(Buffer.from(garbage));
        await put.untilEnded();
        expect(put.count('PERSISTED')).toBe(0);
      }
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(5000, BLOCKS));
      put.end();
      await put.untilEnded();
      expect(put.count('PERSISTED')).toBe(1);
    });
  });
});

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      resolve(socket);
    });
    socket.on('error', reject);
  });
}
