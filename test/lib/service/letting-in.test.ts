import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { printable } from '../../../lib/base/printable.js';
import { logLine } from '../../../lib/cli/log-line.js';
import type { LogLevel, ServiceOptions } from '../../../lib/service/index.js';
import { signedFetch, signedHeaders } from '../../support/signed-fetch.js';
import { cluster, header } from '../../support/mkv.js';
import { CREDENTIALS, createStream, putMedia, withService } from './helpers.js';

/* Who is let in, and what those who are not may cost. */

const SECRET = CREDENTIALS.secretAccessKey;
const ACCOUNT = { secretAccessKey: SECRET, accountId: '123456789012' };
const KNOWN = { credentials: { [CREDENTIALS.accessKeyId]: ACCOUNT } };

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Sends a text on a connection of its own; gives what comes back until it is answered or closed. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.write(text);
  let answer = '';
  socket.on('data', (bytes) => (answer += String(bytes)));
  const answered = new Promise<void>((resolve) => {
    socket.on('data', () => {
      if (/\r\n\r\n/.test(answer)) resolve();
    });
  });
  await Promise.race([answered, once(socket, 'close')]);
  return answer;
}

function logged(lines: string[]): Pick<ServiceOptions, 'log'> {
  return {
    log: (level: LogLevel, message, detail) => {
      lines.push(`${level} ${message}`, logLine(level, message, detail));
    },
  };
}

describe('log lines', () => {
  it('cannot be forged by what clients write', async () => {
    const lines: string[] = [];
    const forged = 'x\nerror: \u001b[2Jclosed\u009b31m\u2028info: forged';
    await withService(logged(lines), async (service) => {
      const make = { StreamName: 'cam', DataRetentionInHours: 1, KmsKeyId: forged };
      const made = await fetch(`${service.endpoint}/createStream`, {
        method: 'POST',
        body: JSON.stringify(make),
      });
      expect(made.status).toBe(200);
      await createStream(service, 'other');
      const first = putMedia(service, 'cam');
      first.send(header(), cluster(0, [{ time: 0 }]));
      await first.untilEnded();
      expect(first.acks.at(-1)?.ErrorId).toBe(4502);
      const second = putMedia(service, 'other');
      second.send(Buffer.concat([header()].map((bytes) => replaced(bytes, 'a\nb\u001b[2'))));
      second.end();
      await second.untilEnded();
      expect(second.acks.at(-1)?.ErrorId).toBe(4006);
      first.destroy();
      second.destroy();
    });
    const told = lines.filter((line) => line.includes('PutMedia error'));
    expect(told).toHaveLength(4);
    for (const line of lines) {
      expect(line.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    }
    expect(told.join('')).toContain('x\\u000aerror: \\u001b[2Jclosed\\u009b31m\\u2028info: forged');
    expect(told.join('')).toContain('a\\u000ab\\u001b[2');
  });

  it('leave letters of every script as they are', () => {
    expect(printable('Straße 道 – ok "{}"')).toBe('Straße 道 – ok "{}"');
    expect(printable('a\tb\u202ec\u007f')).toBe('a\\u0009b\\u202ec\\u007f');
  });
});

/** A header whose DocType is another of the same length. */
function replaced(bytes: Uint8Array, docType: string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  return Buffer.from(text.replace('matroska', docType.padEnd(8, ' ').slice(0, 8)), 'latin1');
}

describe('an open service', () => {
  it('answers those alone who call it by a name of this machine', async () => {
    await withService({}, async ({ port }) => {
      const ask = (host: string, path: string, method = 'GET'): Promise<string> =>
        exchange(
          port,
          `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
        );
      for (const host of ['localhost', `127.0.0.1:${String(port)}`, '[::1]:80', '127.1.2.3']) {
        expect(await ask(host, '/metrics.json'), host).toMatch(/^HTTP\/1\.1 200/);
        expect(await ask(host, '/listStreams', 'POST'), host).toMatch(/^HTTP\/1\.1 200/);
      }
      const foreign = ['evil.example', `evil.example:${String(port)}`, '127.0.0.1.evil.example'];
      for (const host of [...foreign, '0.0.0.0', '192.168.1.7', 'localhost.', '[', 'a b']) {
        for (const path of ['/metrics.json', '/metrics']) {
          expect(await ask(host, path), `${host} ${path}`).toMatch(/^HTTP\/1\.1 400/);
        }
        expect(await ask(host, '/listStreams', 'POST'), host).toMatch(/^HTTP\/1\.1 400/);
        expect(await ask(host, '/putMedia', 'POST'), host).toMatch(/^HTTP\/1\.1 400/);
      }
    });
  });
});

describe('temporary keys', () => {
  const end = Date.parse('2026-12-31T00:00:00Z');
  const temporary = { ...ACCOUNT, sessionToken: 'token/+=', expiration: end };

  it('need their token, and end', async () => {
    let wall = end - 1000;
    const clock = { mono: (): number => performance.now(), wall: (): number => wall };
    const credentials = { ASIATEMP: temporary, AKIALONG: ACCOUNT };
    await withService({ credentials, clock }, async ({ endpoint }) => {
      const call = async (keys: object, body: object = {}): Promise<string> => {
        const url = new URL('/listStreams', endpoint);
        const all = { accessKeyId: 'ASIATEMP', secretAccessKey: SECRET, ...keys };
        const headers = await signedHeaders(all, url, 'POST', body, {}, new Date(wall));
        const init = { method: 'POST', headers, body: JSON.stringify(body) };
        const answer = await fetch(url, init);
        await answer.text();
        const type = answer.headers.get('x-amzn-errortype') ?? '';
        return `${String(answer.status)} ${type}`.trim();
      };
      expect(await call({ sessionToken: 'token/+=' })).toBe('200');
      expect(await call({})).toBe('403 UnrecognizedClientException');
      expect(await call({ sessionToken: 'other' })).toBe('403 UnrecognizedClientException');
      const long = { accessKeyId: 'AKIALONG' };
      expect(await call(long)).toBe('200');
      expect(await call({ ...long, sessionToken: 'any' })).toBe('403 UnrecognizedClientException');
      wall = end;
      expect(await call({ sessionToken: 'token/+=' })).toBe('403 ExpiredTokenException');
      expect(await call(long)).toBe('200');
    });
  });
});

describe('somebody who is not known', () => {
  const post = (authorization: string, length: number): string =>
    'POST /listStreams HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n' +
    `Authorization: ${authorization}\r\nX-Amz-Date: ${amzDate()}\r\nContent-Length: ${String(length)}\r\n\r\n`;
  const amzDate = (): string => new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const claim = (key: string, scope = 'us-west-2/kinesisvideo'): string =>
    `AWS4-HMAC-SHA256 Credential=${key}/${amzDate().slice(0, 8)}/${scope}/aws4_request, ` +
    `SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;

  it('is refused by the head of the request: key, date and scope, before any body', async () => {
    await withService(KNOWN, async ({ port, endpoint }) => {
      const key = CREDENTIALS.accessKeyId;
      for (const [authorization, type] of [
        [claim('AKIANOBODY'), 'UnrecognizedClientException'],
        [claim(key, 'eu-west-1/kinesisvideo'), 'InvalidSignatureException'],
        [claim(key, 'us-west-2/s3'), 'InvalidSignatureException'],
        [claim(key).replace(/\/20\d{6}\//, '/20200101/'), 'InvalidSignatureException'],
        ['Basic x', 'IncompleteSignatureException'],
      ] as const) {
        const answer = await exchange(port, post(authorization, 200_000));
        expect(answer, authorization).toMatch(/^HTTP\/1\.1 40/);
        expect(answer).toContain(type);
      }
      // A hash that is signed in a header proves the caller before the body has come.
      const url = new URL('/listStreams', endpoint);
      const signed = await signedHeaders(CREDENTIALS, url, 'POST', {});
      const forged = (signed['authorization'] ?? '').replace(
        /Signature=.*/,
        `Signature=${'0'.repeat(64)}`,
      );
      const head = Object.entries({ ...signed, authorization: forged, 'content-length': '2' });
      const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      expect(await exchange(port, `POST /listStreams HTTP/1.1\r\n${lines}\r\n`)).toContain(
        'InvalidSignatureException',
      );
      // What may be good is asked for its body.
      expect(await exchange(port, post(claim(key), 2))).toMatch(/^HTTP\/1\.1 100 Continue/);
    });
  });

  it('holds little of the memory, however many send bodies that do not end', async () => {
    await withService({ ...KNOWN, limits: 'off' }, async ({ port, endpoint }) => {
      const answers: string[] = [];
      const head = post(claim(CREDENTIALS.accessKeyId), 250_000).replace(/Expect.*\r\n/, '');
      for (let count = 0; count < 120; count += 1) {
        const socket = connect(port, '127.0.0.1');
        sockets.push(socket);
        socket.on('error', () => undefined);
        socket.on('data', (bytes) => answers.push(String(bytes)));
        socket.write(head);
        socket.write(Buffer.alloc(249_000, ' '));
      }
      // 16 MiB are 67 of these bodies; those that find no room are told to come again.
      await expect.poll(() => answers.length, { timeout: 20_000 }).toBeGreaterThan(40);
      for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 503/);
      expect(answers.join('')).toContain('ServiceUnavailable');
      const good = await signedFetch(CREDENTIALS, `${endpoint}/listStreams`, {});
      expect(good.status).toBe(200);
    });
  }, 30_000);
});

describe('connections', () => {
  async function open(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  it.each([{ connectionsPerAddress: 3 }, { connections: 3 }])('are at most %j', async (limits) => {
    const lines: string[] = [];
    await withService({ limits, ...logged(lines) }, async ({ port }) => {
      const kept = [await open(port), await open(port), await open(port)];
      for (let more = 0; more < 3; more += 1) {
        const refused = await open(port);
        refused.resume();
        await once(refused, 'close');
      }
      const [first] = kept;
      first?.destroy();
      const call = 'POST /listStreams HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}';
      await expect.poll(() => exchange(port, call)).toMatch(/^HTTP\/1\.1 200/);
    });
    expect(lines.filter((line) => line.startsWith('error connections are refused'))).toHaveLength(
      1,
    );
  });
});

describe('plain HTTP off this machine', () => {
  it('is warned of, with the way to HTTPS', async () => {
    const lines: string[] = [];
    await withService({ ...KNOWN, host: '0.0.0.0', ...logged(lines) }, () => Promise.resolve());
    expect(lines.join('')).toMatch(/warn plain HTTP on 0\.0\.0\.0: .*kvs serve --tls/);
    const quiet: string[] = [];
    await withService({ ...KNOWN, ...logged(quiet) }, () => Promise.resolve());
    await withService({ ...KNOWN, host: '0.0.0.0', tls: 'generated', ...logged(quiet) }, () =>
      Promise.resolve(),
    );
    expect(quiet.join('')).not.toContain('plain HTTP');
  });
});
