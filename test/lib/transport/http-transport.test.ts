import { createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpPutMediaTransport } from '../../../lib/transport/index.js';
import { WriteSize } from '../../../lib/transport/write-size.js';
import {
  BodyIo,
  collect,
  CREDENTIALS,
  listen,
  pattern,
  putMediaRequest,
  serve,
  until,
  type TestServer,
} from './put-media-server.js';

const NOTHING = new Uint8Array(0);
const NOTHING_RECEIVED: Buffer = Buffer.alloc(0);

function transport(): HttpPutMediaTransport {
  return new HttpPutMediaTransport({ userAgent: 'test/1', bufferSize: 16_384, lingerMs: 100 });
}

describe('HttpPutMediaTransport', () => {
  let server: TestServer | undefined;

  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  it('carries the body unchanged and ends with the status of the answer', async () => {
    const body = pattern(3_000_001);
    let received: Buffer = NOTHING_RECEIVED;
    server = await serve((request, answer) => {
      void collect(request).then((bytes) => {
        received = bytes;
        answer.end();
      });
    });
    const io = new BodyIo(body, 'end');
    transport().open(putMediaRequest(server.endpoint), io);
    expect(await io.ending).toEqual({ result: 200, cause: undefined });
    expect(received.equals(body)).toBe(true);
    expect(io.opened).toBe(1);
  });

  it('hands over acks while the body is still open', async () => {
    server = await serve((request, answer) => {
      request.once('data', () => answer.write('{"EventType":"BUFFERING"}'));
      request.once('end', () => answer.end('{"EventType":"PERSISTED"}'));
    });
    const io = new BodyIo(pattern(1000), 'open');
    const session = transport().open(putMediaRequest(server.endpoint), io);
    await until(() => io.acks.length > 0);
    expect(Buffer.concat(io.acks).toString()).toBe('{"EventType":"BUFFERING"}');
    io.after = 'end';
    session.wake();
    expect((await io.ending).result).toBe(200);
    expect(Buffer.concat(io.acks).toString()).toContain('PERSISTED');
  });

  it('reads only as much as the socket takes, and never reuses a buffer that it holds', async () => {
    const body = pattern(24_000_000);
    let received: Buffer = NOTHING_RECEIVED;
    let resume: () => void = () => undefined;
    server = await serve((request, answer) => {
      request.pause();
      resume = () => {
        void collect(request).then((bytes) => {
          received = bytes;
          answer.end();
        });
      };
    });
    const io = new BodyIo(body, 'end');
    transport().open(putMediaRequest(server.endpoint), io);
    await until(() => io.taken > 0);
    let seen = -1;
    await until(() => {
      const still = seen === io.taken;
      seen = io.taken;
      return still;
    });
    expect(io.taken).toBeLessThan(body.length);
    resume();
    expect((await io.ending).result).toBe(200);
    expect(received.equals(body)).toBe(true);
  });

  it('takes 128 KiB for a write, and 512 KiB once the link is fast', async () => {
    server = await serve((request, answer) => {
      void collect(request).then(() => answer.end());
    });
    const sizes: number[] = [];
    class SizeIo extends BodyIo {
      override read(into: Uint8Array): number {
        sizes.push(into.length);
        return super.read(into);
      }
    }
    const io = new SizeIo(pattern(8_000_000), 'end');
    new HttpPutMediaTransport({ userAgent: 'test/1' }).open(putMediaRequest(server.endpoint), io);
    expect((await io.ending).result).toBe(200);
    expect(sizes[0]).toBe(128 * 1024);
    expect(sizes).toContain(512 * 1024);
    const slow = new WriteSize(512 * 1024);
    slow.took(20);
    expect(slow.now).toBe(128 * 1024);
    slow.took(2);
    expect(slow.now).toBe(512 * 1024);
    slow.took(20);
    expect(slow.now).toBe(512 * 1024);
    slow.took(50);
    expect(slow.now).toBe(128 * 1024);
    slow.took(2);
    slow.little();
    expect(slow.now).toBe(128 * 1024);
    expect(new WriteSize(1000).now).toBe(1000);
  });

  it('gathers what a live source gives, until the first frame after that time, or a timer', async () => {
    server = await serve((request, answer) => {
      request.resume().on('error', () => answer.destroy());
    });
    const reads: number[] = [];
    class LiveIo extends BodyIo {
      override read(into: Uint8Array): number {
        reads.push(performance.now());
        return super.read(into.subarray(0, 100)); // few at a time, and always more
      }
    }
    const gatherMs = 300;
    const io = new LiveIo(pattern(100_000), 'open');
    const live = new HttpPutMediaTransport({ userAgent: 'test/1', gatherMs });
    const session = live.open(putMediaRequest(server.endpoint), io);
    await until(() => reads.length === 1);
    let late = 0;
    const frames = setInterval(() => {
      if (reads.length === 1 && performance.now() > (reads[0] ?? 0) + gatherMs + 20) late += 1;
      session.more?.();
    }, 2);
    await until(() => reads.length === 2);
    clearInterval(frames);
    expect(late).toBeLessThan(3); // by the timer alone it would be 27
    await until(() => reads.length === 3);
    const [first = 0, second = 0, third = 0] = reads;
    expect(second - first).toBeGreaterThan(gatherMs - 1);
    expect(third - second).toBeGreaterThan(gatherMs * 1.25 - 2);
    session.abort();
  });

  it('breaks the connection without a terminating chunk on abort, and calls nothing back', async () => {
    let complete: boolean | undefined;
    server = await serve((request) => {
      request.on('error', () => undefined);
      request.on('close', () => {
        complete = request.complete;
      });
      request.resume();
    });
    const io = new BodyIo(pattern(1000), 'open');
    const session = transport().open(putMediaRequest(server.endpoint), io);
    await until(() => io.taken === 1000);
    session.abort();
    session.wake();
    await until(() => complete !== undefined);
    expect(complete).toBe(false);
    expect(io.endings).toBe(0);
  });

  it('aborts by its signal, before and after connecting', async () => {
    let requests = 0;
    let closed = 0;
    server = await serve((request) => {
      requests += 1;
      request.on('error', () => undefined);
      request.on('close', () => (closed += 1));
    });
    const early = new BodyIo(NOTHING, 'open');
    transport().open(putMediaRequest(server.endpoint, { signal: AbortSignal.abort() }), early);
    const late = new BodyIo(pattern(10), 'open');
    const control = new AbortController();
    transport().open(putMediaRequest(server.endpoint, { signal: control.signal }), late);
    await until(() => requests === 1);
    control.abort();
    await until(() => closed === 1);
    expect([early.endings, early.opened, late.endings, requests]).toEqual([0, 0, 0, 1]);
  });

  it('gives the connection up when the reader says so', async () => {
    server = await serve((request) => {
      request.on('error', () => undefined);
      request.resume();
    });
    const io = new BodyIo(pattern(10), 'abort');
    transport().open(putMediaRequest(server.endpoint), io);
    expect((await io.ending).result).toBe(598);
  });

  it('does not wait for a service that never ends its answer', async () => {
    server = await serve((request, answer) => {
      answer.flushHeaders();
      request.resume();
    });
    const io = new BodyIo(pattern(10), 'end');
    transport().open(putMediaRequest(server.endpoint), io);
    expect(await io.ending).toEqual({ result: 200, cause: undefined });
  });

  it.each([
    [403, 'AccessDeniedException', 403],
    [400, 'ClientLimitExceededException', 429],
    [400, 'ConnectionLimitExceededException', 429],
    [400, 'InvalidArgumentException', 400],
    [401, 'NotAuthorizedException', 401],
    [404, 'ResourceNotFoundException', 404],
    [500, 'InternalFailure', 500],
    [503, undefined, 503],
  ])('turns a %i %s into result %i', async (status, name, result) => {
    server = await serve((request, answer) => {
      request.resume();
      if (name !== undefined) answer.setHeader('x-amzn-ErrorType', `${name}:http://x`);
      answer.writeHead(status).end('{"Message":"the reason"}');
    });
    const io = new BodyIo(pattern(100), 'open');
    transport().open(putMediaRequest(server.endpoint), io);
    const ending = await io.ending;
    expect(ending.result).toBe(result);
    expect(ending.cause?.message).toContain(`${status} ${name ?? ''}`.trim());
    expect(ending.cause?.message).toContain('the reason');
  });

  it('finds the exception in the body when no header names it', async () => {
    server = await serve((request, answer) => {
      request.resume();
      answer.writeHead(400).end('{"__type":"ns#ResourceInUseException","message":"busy"}');
    });
    const io = new BodyIo(NOTHING, 'open');
    transport().open(putMediaRequest(server.endpoint), io);
    expect((await io.ending).result).toBe(10003);
  });

  it('says 598 when a connection is lost and 599 when there is none', async () => {
    const sockets: Socket[] = [];
    server = await listen(
      createTcpServer((socket) => {
        sockets.push(socket);
        socket.once('data', () => socket.resetAndDestroy());
      }),
      'http',
    );
    const lost = new BodyIo(pattern(10), 'open');
    transport().open(putMediaRequest(server.endpoint), lost);
    expect((await lost.ending).result).toBe(598);
    expect(sockets).toHaveLength(1);
    await server.close();
    const none = new BodyIo(pattern(10), 'open');
    transport().open(putMediaRequest(server.endpoint), none);
    const ending = await none.ending;
    expect(ending.result).toBe(599);
    expect(ending.cause?.message).toContain('ECONNREFUSED');
    expect(none.opened).toBe(0);
  });

  it('says 599 when a handshake takes longer than it may', async () => {
    server = await listen(
      createTcpServer((socket) => socket.resume()),
      'https',
    );
    const io = new BodyIo(pattern(10), 'open');
    transport().open(putMediaRequest(server.endpoint, { connectTimeout: 60 }), io);
    const ending = await io.ending;
    expect(ending.result).toBe(599);
    expect(ending.cause?.message).toContain('60 ms');
    expect(io.opened).toBe(0);
  });

  it('says 10007 for credentials that cannot sign and 400 for an endpoint that is no URL', async () => {
    const bad = new BodyIo(NOTHING, 'open');
    const credentials = { ...CREDENTIALS, sessionToken: 'two\nlines' };
    transport().open(putMediaRequest('http://127.0.0.1:9', { credentials }), bad);
    const ending = await bad.ending;
    expect(ending.result).toBe(10007);
    expect(ending.cause).toBeInstanceOf(Error);
    const nowhere = new BodyIo(NOTHING, 'open');
    transport().open(putMediaRequest('nowhere'), nowhere);
    expect((await nowhere.ending).result).toBe(400);
  });
});
