// Run in a worker thread: gives every PutMedia call `workerData.answer` and hangs up at once, with
// bytes of the body unread, so that the connection is reset. `workerData.hungUp` counts how often it did: a
// thread that waits on it is held up until then.
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';

const { answer, hungUp, tls } = workerData;

function refuse(socket) {
  socket.on('error', () => undefined);
  socket.once('close', () => {
    Atomics.add(hungUp, 0, 1);
    Atomics.notify(hungUp, 0);
  });
  socket.once('readable', () => {
    socket.write(answer, () => socket.destroy());
  });
}

const server = tls === undefined ? createServer(refuse) : createTlsServer(tls, refuse);
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
