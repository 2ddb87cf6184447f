// The utility process: takes the port from the main process and uploads what comes through it.
import { startUpload } from './uploader.mjs';

const upload = {};

process.parentPort.on('message', ({ data, ports }) => {
  if (data.kind === 'frames') {
    const [port] = ports;
    upload.stop = startUpload({
      streamName: process.env.KVS_STREAM,
      region: process.env.AWS_REGION ?? 'us-west-2',
      onMessage: (take) => port.on('message', (event) => take(event.data)),
      post: (message) => port.postMessage(message),
    });
    port.start();
  }
  if (data.kind === 'stop') {
    void Promise.resolve(upload.stop?.()).finally(() => process.exit(0));
  }
});
