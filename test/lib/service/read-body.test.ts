import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { readBody } from '../../../lib/service/http/wire.js';
import { collectGarbage } from '../../support/garbage.js';

const COUNT = 250_000;
const CONNECTIONS = 4;

it('a body in pieces of one byte is held as its bytes, not as its pieces', async () => {
  const read: Promise<Uint8Array>[] = [];
  let taken = 0;
  let all: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => (all = resolve));
  const server = createServer((request, response) => {
    read.push(readBody(request, 600_000));
    request.on('data', (chunk: Uint8Array) => {
      taken += chunk.length;
      if (taken === CONNECTIONS * COUNT) all();
    });
    request.on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const sockets: Socket[] = [];
  try {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < CONNECTIONS; index += 1) {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
      socket.write('1\r\nx\r\n'.repeat(COUNT));
    }
    await arrived;
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 2 ** 20);
    for (const socket of sockets) socket.write('0\r\n\r\n');
    const whole = Buffer.alloc(COUNT, 'x');
    for (const bytes of await Promise.all(read)) expect(whole.equals(bytes)).toBe(true);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});
