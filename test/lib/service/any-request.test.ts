import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Field } from '../../../lib/service/api/fields.js';
import { isDeeperThan } from '../../../lib/service/api/json-depth.js';
import type { Operation } from '../../../lib/service/api/operation.js';
import { OPERATIONS } from '../../../lib/service/api/operations.js';
import { startService, type KvsService } from '../../../lib/service/index.js';
import { createStream, temporaryDirectory } from './helpers.js';
import { valid } from './valid-input.js';

/* No request, whatever it holds, causes a rejection that nobody handles: with the log of API calls
   on, which writes down what was asked. */

const DEPTH = 20_000;
const deep = (open: string, close: string): string =>
  `${open.repeat(DEPTH)}1${close.repeat(DEPTH)}`;
const NESTED = [deep('[', ']'), deep('{"a":', '}'), deep('[{"a":[', ']}]').slice(0, 200_000)];

/** The JSON of values, with a text that is already JSON as one member more. */
function withMember(values: object, name: string, json: string): string {
  const text = JSON.stringify(values);
  const comma = text === '{}' ? '' : ',';
  return `${text.slice(0, -1)}${comma}${JSON.stringify(name)}:${json}}`;
}

/** Bodies of an operation, each odd in its own way. */
function bodies(operation: Operation): string[] {
  const good = valid(operation.fields);
  const names = [...Object.keys(operation.fields), 'Unknown', '__proto__', 'constructor'];
  const values = [...NESTED, 'null', '1e999', '-0', '"\\ud800\\u0000\\u2028"', '[]', '{}', 'true'];
  const within = Object.entries(operation.fields).flatMap(([name, field]: [string, Field]) =>
    ['object', 'map', 'list'].includes(field.type)
      ? NESTED.flatMap((json) =>
          [`{"Unknown":${json}}`, `[{"Unknown":${json}}]`].map((one) => [name, one] as const),
        )
      : [],
  );
  return [
    ...names.flatMap((name) => values.map((json) => withMember(good, name, json))),
    ...within.map(([name, json]) => withMember(good, name, json)),
    ...NESTED,
    '',
    'null',
    '"text"',
    '{"a":1,',
    '\u0000',
    '[{}]',
  ];
}

describe('any request', () => {
  let service: KvsService | undefined;
  let dataDir = '';
  const unhandled: unknown[] = [];
  const failures: string[] = [];
  const note = (error: unknown): void => void unhandled.push(error);

  beforeAll(async () => {
    process.on('unhandledRejection', note);
    dataDir = await temporaryDirectory();
    service = await startService({
      dataDir,
      limits: 'off',
      apiLog: join(dataDir, 'calls.log'),
      log: (level, message) => {
        if (level === 'error') failures.push(message);
      },
    });
    await createStream(service, '1');
  });
  afterAll(async () => {
    process.off('unhandledRejection', note);
    await rm(dataDir, { recursive: true, force: true });
  });

  it.each(OPERATIONS.filter(({ input }) => input === 'json'))(
    '$name: of any body',
    async (operation) => {
      for (const body of bodies(operation)) {
        const answer = await fetch(`${service?.endpoint ?? ''}${operation.path}`, {
          method: 'POST',
          body,
          signal: AbortSignal.timeout(5000),
        });
        expect(answer.status, body.slice(0, 80)).toBeLessThan(500);
        await answer.body?.cancel();
      }
      expect([unhandled, failures]).toEqual([[], []]);
    },
    60_000,
  );

  it.each(OPERATIONS.filter(({ input }) => input === 'headers'))(
    '$name: of any headers and any body',
    async ({ path, fields }) => {
      const names = Object.values(fields).flatMap((field) =>
        'header' in field && field.header !== undefined ? [field.header] : [],
      );
      const odd = ['', '1', '1e306', '-1', '9'.repeat(400), '\u00ff\u0080', 'x'.repeat(8000), '{'];
      for (const name of names) {
        for (const value of odd) {
          const head = `${names.map((one) => `${one}: ${one === name ? value : 'ABSOLUTE'}`).join('\r\n')}\r\n`;
          const answer = await raw(
            `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${head}Content-Length: 3\r\n\r\nabc`,
          );
          expect(answer, `${name}: ${value.slice(0, 40)}`).toMatch(/^HTTP\/1\.1 [24]/);
        }
      }
      expect([unhandled, failures]).toEqual([[], []]);
    },
  );

  it.each([
    'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET //%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'POST http://[::1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n',
    'CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'POST /listStreams HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\n{}',
    'POST /listStreams HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
    'POST /listStreams HTTP/1.1\r\nHost: localhost\r\nExpect: wonders\r\nContent-Length: 2\r\n\r\n{}',
    'POST /listStreams HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    'POST /listStreams HTTP/1.1\r\nHost: localhost\r\nOrigin: nonsense\r\nContent-Length: 2\r\n\r\n{}',
    'GET /hls/v1/x?SessionToken=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n',
    '\u0016\u0003\u0001',
  ])('the request %j', async (request) => {
    await raw(request);
    const after = await fetch(`${service?.endpoint ?? ''}/listStreams`, {
      method: 'POST',
      body: '{}',
    });
    expect(after.status).toBe(200);
    await after.body?.cancel();
    expect([unhandled, failures]).toEqual([[], []]);
  });

  it('is in the log of calls as one line of JSON', async () => {
    await service?.close();
    const lines = readFileSync(join(dataDir, 'calls.log'), 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(1000);
    for (const line of lines) expect(() => void JSON.parse(line)).not.toThrow();
    expect(lines.join('')).not.toContain('"Unknown":');
    expect(unhandled).toEqual([]);
  });

  /** What comes back until the service ends the connection, or for a while. */
  async function raw(request: string): Promise<string> {
    const socket = connect(service?.port ?? 0, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.setTimeout(300, () => socket.destroy());
    socket.write(Buffer.from(request, 'latin1'));
    let answer = '';
    socket.on('data', (bytes) => {
      answer += String(bytes);
      if (/\r\n\r\n/.test(answer) && !answer.startsWith('HTTP/1.1 100')) socket.destroy();
    });
    await new Promise((resolve) => socket.on('close', resolve));
    return answer;
  }
});

describe('a log of the user that throws', () => {
  it('ends no service', async () => {
    const dataDir = await temporaryDirectory();
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    let broken = false;
    const service = await startService({
      dataDir,
      credentials: { AKIAONE: { secretAccessKey: 's', accountId: '123456789012' } },
      log: () => {
        if (broken) throw new Error('the log is broken');
      },
    });
    try {
      broken = true;
      for (const path of ['/listStreams', '/putMedia', '/metrics.json', '/nothing']) {
        const answer = await fetch(`${service.endpoint}${path}`, { method: 'POST', body: '{}' });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        await answer.body?.cancel();
      }
    } finally {
      broken = false;
      await service.close();
      process.off('unhandledRejection', note);
      await rm(dataDir, { recursive: true, force: true });
    }
    expect(unhandled).toEqual([]);
  });
});

describe('isDeeperThan', () => {
  it.each([
    ['[[[1]]]', 3, false],
    ['[[[1]]]', 2, true],
    ['{"a":{"b":[]}}', 3, false],
    ['{"a":{"b":[]}}', 2, true],
    ['["[[[[","\\"[[[","\\\\"]', 1, false],
    ['[[],[],[]]', 2, false],
    ['"[[["', 0, false],
    ['', 0, false],
  ])('%s at %i', (json, most, deeper) => {
    expect(isDeeperThan(most, Buffer.from(json))).toBe(deeper);
  });
});
