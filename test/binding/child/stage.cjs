'use strict';
// Comes to one stage of a client's life and ends there, in one of several ways.
//   node stage.cjs ADDON STAGE END
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { deviceInfo, openSession, putFrames, streamInfo, Time } = require('./drive.cjs');

const [addon, stage, end] = isMainThread ? process.argv.slice(2) : workerData;

/** Everything is kept from the garbage collector, so that it lives until the environment ends. */
function reach() {
  if (stage === 'nothing') return [];
  const { NativeClient } = require(addon);
  if (stage === 'loaded') return [NativeClient];
  const time = new Time();
  const client = new NativeClient(deviceInfo(), time.mono, time.wall);
  if (stage === 'client') return [client];
  const stream = client.createStream(streamInfo(), time.mono, time.wall);
  if (stage === 'stream') return [client, stream];
  if (stage === 'frames') return [client, stream, putFrames(stream, time, 200)];
  if (stage === 'stream alone') return [stream];
  if (stage === 'freed') return [client, stream, stream.free()];
  if (stage === 'closed') return [client, stream, client.close()];
  const open = openSession(NativeClient);
  if (stage === 'session') return [open];
  open.stream.take(open.session, new Uint8Array(500), open.time.mono, open.time.wall);
  if (stage === 'half taken') return [open];
  open.stream.stop(open.time.mono, open.time.wall);
  if (stage === 'stopping') return [open];
  throw new Error(`no stage ${stage}`);
}

function inWorker() {
  const worker = new Worker(__filename, { workerData: [addon, stage, 'stay'] });
  worker.on('message', () => void worker.terminate());
  worker.on('error', (error) => {
    throw error;
  });
  worker.on('exit', () => console.log('reached'));
}

if (isMainThread && end === 'worker terminated') {
  inWorker();
} else {
  globalThis.kept = reach();
  if (isMainThread) console.log('reached');
  if (end === 'exit') process.exit(0);
  if (end === 'exit in a callback') setTimeout(() => process.exit(0), 5);
  if (end === 'stay') {
    require('node:worker_threads').parentPort.postMessage('reached');
    setInterval(() => undefined, 1000);
  }
}
