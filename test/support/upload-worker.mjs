// Uploads a few frames from a worker thread; started by test/e2e/producer-threads.test.ts.
import { parentPort, workerData } from 'node:worker_threads';

const { endpoint, streamName, frames, exitInMidStream = false, clockOffMs = 0 } = workerData;

// A machine whose clock is wrong, for everything in this thread.
if (clockOffMs !== 0) {
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(RealDate.now() + clockOffMs);
      else super(...args);
    }

    static now() {
      return RealDate.now() + clockOffMs;
    }
  };
}

const { KinesisVideoProducer } = await import('../../dist/index.js');
const producer = await KinesisVideoProducer.create({
  endpoint,
  credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
  limits: 'off',
});
const stream = await producer.createStream({ streamName, nalAdaptationFlags: 0 });
for (const frame of frames) stream.putFrame(frame);
if (exitInMidStream) {
  stream.once('fragmentAckReceived', () => process.exit(0));
} else {
  await stream.stop({ timeoutMs: 20_000 });
  await producer.close();
  parentPort?.postMessage('done');
}
