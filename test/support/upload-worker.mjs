// Uploads a few frames from a worker thread; started by test/e2e/producer-threads.test.ts.
import { parentPort, workerData } from 'node:worker_threads';

const { endpoint, streamName, frames, more = [] } = workerData;
const { exitInMidStream = false, clockOffMs = 0 } = workerData;
let off = clockOffMs;

// A machine whose clock is wrong, for everything in this thread.
if (clockOffMs !== 0) {
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(RealDate.now() + off);
      else super(...args);
    }

    static now() {
      return RealDate.now() + off;
    }
  };
}

const { KinesisVideoProducer } = await import('../../dist/index.js');
const producer = await KinesisVideoProducer.create({
  endpoint,
  credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
  limits: 'off',
});
const RAW = { nalAdaptationFlags: 0, idleDuration: more.length > 0 ? 300 : 20_000 };
const stream = await producer.createStream({ streamName, ...RAW });
for (const frame of frames) stream.putFrame(frame);
if (more.length > 0) {
  // The clock is set between two sessions.
  await new Promise((resolve) => stream.once('sessionEnded', resolve));
  off = 0;
  for (const frame of more) stream.putFrame(frame);
}
if (exitInMidStream) {
  stream.once('fragmentAckReceived', () => process.exit(0));
} else {
  await stream.stop({ timeoutMs: 60_000 });
  await producer.close();
  parentPort?.postMessage('done');
}
