import { readFileSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MKV_ID, writeHeader } from '../../../lib/parser/index.js';
import { startService } from '../../../lib/service/index.js';
import { checkOptions } from '../../../lib/service/options.js';
import { compileLib, type CompiledLib } from '../../support/compiled.js';
import { cluster, element, header, simpleBlock, tags, text, uint } from '../../support/mkv.js';
import { createStream, putMedia, temporaryDirectory, withService } from './helpers.js';
import { rss, startProcess, type ServiceProcess } from './process.js';

/* Each attack is made on a service in a process of its own, whose memory is measured, while a good
   producer goes on; it must not notice. */

const MB = 1024 * 1024;
const BLOCKS = [{ time: 0 }];
/** A size field of eight bytes that says the most that can be said. */
const HUGE = Uint8Array.of(0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe);

function repeated(bytes: Uint8Array, count: number): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, () => bytes));
}

/** `count` masters, each in the one before, none of which says where it ends. */
function nested(id: Uint8Array, count: number): Uint8Array {
  return repeated(Buffer.concat([id, HUGE]), count);
}

function idOf(id: number): Uint8Array {
  return writeHeader(id, 0).subarray(0, -1);
}

interface Attack {
  readonly name: string;
  readonly body: () => readonly Uint8Array[];
  /** The Error ack; undefined where the body is odd but good. */
  readonly error: number | undefined;
}

const START = [header(), cluster(0, BLOCKS)];

const ATTACKS: readonly Attack[] = [
  {
    name: '100,000 SimpleTags, one in the other',
    body: () =>
      [...START, idOf(MKV_ID.TAGS), HUGE, idOf(MKV_ID.TAG), HUGE].concat([
        nested(idOf(MKV_ID.SIMPLE_TAG), 100_000),
      ]),
    error: 4006,
  },
  {
    name: '100,000 Segments, one in the other',
    body: () => [header(), nested(idOf(MKV_ID.SEGMENT), 100_000)],
    error: 4006,
  },
  {
    name: '100,000 Clusters, one in the other',
    body: () => [header(), nested(idOf(MKV_ID.CLUSTER), 100_000)],
    error: 4006,
  },
  {
    name: '100,000 BlockGroups, one in the other',
    body: () =>
      [header(), writeHeader(MKV_ID.CLUSTER, undefined), uint(MKV_ID.TIMESTAMP, 0)].concat([
        nested(idOf(MKV_ID.BLOCK_GROUP), 100_000),
      ]),
    error: 4006,
  },
  {
    name: 'a million tags in one Tags',
    body: () => [
      ...START,
      element(MKV_ID.TAGS, [
        element(MKV_ID.TAG, [
          repeated(
            element(MKV_ID.SIMPLE_TAG, [text(MKV_ID.TAG_NAME, 'n'), text(MKV_ID.TAG_STRING, 'v')]),
            1_000_000,
          ),
        ]),
      ]),
    ],
    error: 4009,
  },
  {
    name: 'a million Tags of one tag',
    body: () => [...START, repeated(tags({ n: 'v' }), 1_000_000)],
    error: 4009,
  },
  {
    name: 'a header without end',
    body: () => [
      header().subarray(0, -20),
      ...Array.from({ length: 64 }, () =>
        repeated(element(MKV_ID.VOID, [Buffer.alloc(100)]), 10_000),
      ),
    ],
    error: 4006,
  },
  {
    name: 'an EBML header of 2^56 bytes',
    body: () => [idOf(MKV_ID.EBML), HUGE, ...Array.from({ length: 64 }, () => Buffer.alloc(MB))],
    error: 4006,
  },
  {
    name: 'a DocType of 2^56 bytes',
    body: () => [
      ...[idOf(MKV_ID.EBML), HUGE, idOf(MKV_ID.DOC_TYPE), HUGE],
      ...Array.from({ length: 64 }, () => Buffer.alloc(MB)),
    ],
    error: 4006,
  },
  {
    name: 'a million Tracks entries',
    body: () => [
      header().subarray(0, -40),
      ...[idOf(MKV_ID.TRACKS), HUGE],
      repeated(element(MKV_ID.TRACK_ENTRY, [uint(MKV_ID.TRACK_NUMBER, 1)]), 1_000_000),
    ],
    error: 4006,
  },
  {
    name: 'two million blocks without content',
    body: () => [...START, repeated(simpleBlock({ time: 0, data: Buffer.alloc(0) }), 2_000_000)],
    error: undefined,
  },
  {
    name: 'two million Voids',
    body: () => [...START, repeated(element(MKV_ID.VOID, []), 2_000_000)],
    error: undefined,
  },
  {
    name: '20,000 documents without a Cluster',
    body: () => [repeated(header(), 20_000)],
    error: undefined,
  },
];

describe('attacks on PutMedia', () => {
  let lib: CompiledLib | undefined;
  let service: ServiceProcess | undefined;
  let dataDir = '';
  beforeAll(async () => {
    lib = await compileLib();
    dataDir = await temporaryDirectory();
    service = await startProcess(lib, dataDir);
    await createStream(service, 'good');
    await createStream(service, 'bad');
  });
  afterAll(async () => {
    await service?.kill();
    await lib?.remove();
    await rm(dataDir, { recursive: true, force: true });
  });

  it.each(ATTACKS)(
    '$name',
    async ({ body, error }) => {
      if (service === undefined) throw new Error('no service');
      const good = putMedia(service, 'good');
      good.send(header(), cluster(0, BLOCKS));
      const before = rss(service.pid);
      let most = 0;
      const { pid } = service;
      const watch = setInterval(() => {
        most = Math.max(most, rss(pid) - before);
      }, 5);
      const bad = putMedia(service, 'bad');
      try {
        for (const part of body()) {
          for (let at = 0; at < part.length; at += 65_536) bad.send(part.subarray(at, at + 65_536));
        }
        bad.end();
        await bad.untilEnded();
        good.send(cluster(1000, BLOCKS));
        good.end();
        await good.untilEnded();
      } finally {
        clearInterval(watch);
        bad.destroy();
        good.destroy();
      }
      expect(bad.status).toBe(200);
      const errors = bad.acks.filter((ack) => ack.EventType === 'ERROR');
      expect(errors.map((ack) => ack.ErrorId)).toEqual(error === undefined ? [] : [error]);
      expect(good.count('PERSISTED')).toBe(2);
      expect(most, 'grown by').toBeLessThan(120 * MB);
    },
    60_000,
  );
});

async function post(
  endpoint: string,
  path: string,
  body: string,
): Promise<{ status: number; type: string | null; text: string; head: string }> {
  const answer = await fetch(`${endpoint}${path}`, { method: 'POST', body });
  const head = JSON.stringify([...answer.headers]);
  const type = answer.headers.get('x-amzn-errortype');
  return { status: answer.status, type, text: await answer.text(), head };
}

describe('attacks on the control plane', () => {
  it('JSON of any depth and size is answered, never with a failure of the service', async () => {
    await withService({}, async ({ endpoint }) => {
      await createStream({ endpoint }, 'cam');
      const deep = (open: string, close: string): string =>
        `${open.repeat(20_000)}1${close.repeat(20_000)}`;
      const many = JSON.stringify(
        Object.fromEntries(
          Array.from({ length: 15_000 }, (_, index) => [`k${String(index)}`, 'v']),
        ),
      );
      for (const [path, body, type] of [
        ['/createStream', deep('[', ']'), 'SerializationException'],
        ['/createStream', `{"StreamName":${deep('[', ']')}}`, 'SerializationException'],
        ['/createStream', `{"StreamName":${deep('{"a":', '}')}}`, 'SerializationException'],
        [
          '/createStream',
          `{"StreamName":"x","Tags":{"k":${deep('[', ']')}}}`,
          'SerializationException',
        ],
        ['/createStream', '{"StreamName":[[["x"]]]}', 'InvalidArgumentException'],
        [
          '/createStream',
          `{"StreamName":"x","Tags":${many}}`,
          'TagsPerResourceExceededLimitException',
        ],
        [
          '/tagStream',
          `{"StreamName":"cam","Tags":${many}}`,
          'TagsPerResourceExceededLimitException',
        ],
        ['/getMedia', `{"StartSelector":${deep('{"a":', '}')}}`, 'SerializationException'],
        ['/createStream', `{"StreamName":"${'x'.repeat(8 * MB)}"}`, 'SerializationException'],
        ['/createStream', '{"StreamName":1e999}', 'InvalidArgumentException'],
        ['/createStream', '{"__proto__":{"StreamName":"x"}}', 'InvalidArgumentException'],
        ['/createStream', '\ufeff{"StreamName":"x\\ud800"}', 'InvalidArgumentException'],
      ] as const) {
        const answer = await post(endpoint, path, body);
        expect(answer.type, body.slice(0, 60)).toBe(type);
        expect(answer.text.length).toBeLessThan(4000);
      }
      const listed = await post(endpoint, '/listStreams', '{}');
      expect(listed.text).toContain('"cam"');
    });
  });

  it('names lead to no path but their own', async () => {
    const dump = await temporaryDirectory();
    try {
      await withService({ dump }, async (service, dataDir) => {
        for (const name of [
          '..',
          '.',
          '-rf',
          'CON',
          '..%2f..%2fx',
          '../x',
          'a/b',
          'a\\b',
          'a\0b',
          '',
        ]) {
          const made = await post(
            service.endpoint,
            '/createStream',
            JSON.stringify({ StreamName: name, DataRetentionInHours: 1 }),
          );
          const fits = /^[a-zA-Z0-9_.-]+$/.test(name);
          expect(made.status, name).toBe(fits ? 200 : 400);
          if (!fits) continue;
          const put = putMedia(service, name);
          put.send(header(), cluster(0, BLOCKS));
          put.end();
          await put.untilEnded();
          expect(put.count('PERSISTED'), name).toBe(1);
          put.destroy();
        }
        const dumped = ['-rf-1.mkv', '..-1.mkv', '.-1.mkv', 'CON-1.mkv'];
        expect(readdirSync(dump).sort()).toEqual(dumped.sort());
        const names = readdirSync(join(dataDir, 'media')).filter((name) => !name.endsWith('.json'));
        expect(names.sort()).toEqual(['1', '2', '3', '4']);
      });
    } finally {
      await rm(dump, { recursive: true, force: true });
    }
  });

  it('nothing that is sent gets into the head of an answer or another line of a log', async () => {
    const dataDir = await temporaryDirectory();
    const apiLog = join(dataDir, 'calls.log');
    const logged: string[] = [];
    try {
      await withService(
        { dataDir, apiLog, log: (_, message) => logged.push(message) },
        async (service) => {
          const evil = 'x\r\nx-injected: 1\r\n\r\n{"a":1}\n\u2028\u001b[2J';
          for (const [path, body] of [
            ['/createStream', { StreamName: evil }],
            ['/describeStream', { StreamName: 'cam', StreamARN: evil }],
            ['/listStreams', { NextToken: evil }],
            [
              '/createStream',
              { StreamName: 'cam', DeviceName: evil, MediaType: evil, KmsKeyId: evil },
            ],
          ] as const) {
            const answer = await post(service.endpoint, path, JSON.stringify(body));
            expect(answer.head).not.toContain('x-injected');
            expect(answer.text).not.toMatch(/[\u0000-\u001f]/);
            expect(answer.status).toBe(400);
          }
          const raw = await rawAnswer(
            service.port,
            'POST /a%0d%0ax-injected:%201 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \t"}\\\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
          );
          expect(raw.split('\r\n\r\n')[0]).not.toMatch(/^x-injected/im);
          const folded = await rawAnswer(
            service.port,
            'POST /putMedia HTTP/1.1\r\nHost: localhost\r\nx-amzn-stream-name: cam\r\n folded\r\nConnection: close\r\n\r\n',
          );
          expect(folded).toMatch(/^HTTP\/1\.1 400/);
        },
      );
      const lines = readFileSync(apiLog, 'utf8').trimEnd().split('\n');
      for (const line of lines) expect(() => void JSON.parse(line)).not.toThrow();
      expect(logged.join('')).not.toMatch(/[\u0000-\u001f]/);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

async function rawAnswer(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  let answer = '';
  for await (const bytes of socket) answer += String(bytes);
  return answer;
}

describe('slow senders', () => {
  it('a request whose head does not come, or whose JSON does not, is ended; media may take longer', async () => {
    await withService({ requestTimeoutMs: 500 }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header());
      const began = performance.now();
      const answers = await Promise.all([
        rawAnswer(service.port, 'POST /createStream HTTP/1.1\r\nHost: localhost\r\n'),
        rawAnswer(
          service.port,
          'POST /createStream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{',
        ),
      ]);
      expect(answers[0]).toMatch(/^HTTP\/1\.1 408/);
      expect(answers[1]).toContain('SerializationException');
      expect(performance.now() - began).toBeGreaterThan(499);
      put.send(cluster(0, [{ time: 0 }]));
      put.end();
      await put.untilEnded();
      expect(put.summary().at(-1)).toBe('PERSISTED 0');
      put.destroy();
    });
  });

  it('have half a minute unless told otherwise, and may not be given none', async () => {
    expect(checkOptions({ dataDir: 'd' }).requestTimeoutMs).toBe(30_000);
    for (const requestTimeoutMs of [0, -1, Number.NaN, 1.5, 2 ** 31]) {
      const start = startService({ dataDir: 'unused', requestTimeoutMs });
      await expect(start).rejects.toThrow(/requestTimeoutMs .* whole number of ms/);
    }
    const limits = { streamCallRate: Number.NaN };
    await expect(startService({ dataDir: 'unused', limits })).rejects.toThrow(
      /limits.streamCallRate/,
    );
    const odd = { tracks: 3, streamCalls: 1 };
    const start = startService({ dataDir: 'unused', limits: odd });
    await expect(start).rejects.toThrow(/limits.streamCalls is no limit/);
  });
});
