// Uploads a few frames from a worker thread; started by test/e2e/producer-threads.test.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { KinesisVideoProducer } from '../../dist/index.js';

const { endpoint, streamName, frames, exitInMidStream } = workerData;
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
