// Run in a worker thread: refuses every PutMedia call with 403 and hangs up at once, with bytes of
// the body unread, so that the connection is reset. `workerData.hungUp` counts how often it did: a
// thread that waits on it is held up until then.
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';

const TEXT = JSON.stringify({ __type: 'ExpiredTokenException', message: 'the token has expired' });
const REFUSAL = [
  'HTTP/1.1 403 Forbidden',
  'content-type: application/json',
  `content-length: ${TEXT.length}`,
  '',
  TEXT,
].join('\r\n');

const { hungUp, tls } = workerData;

function refuse(socket) {
  socket.on('error', () => undefined);
  socket.once('close', () => {
    Atomics.add(hungUp, 0, 1);
    Atomics.notify(hungUp, 0);
  });
  socket.once('readable', () => {
    socket.write(REFUSAL, () => socket.destroy());
  });
}

const server = tls === undefined ? createServer(refuse) : createTlsServer(tls, refuse);
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
