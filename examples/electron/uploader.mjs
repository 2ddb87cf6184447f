// Encoded frames from a port into a stream. Knows nothing of Electron, so that it is tested without.
import { FRAME_FLAG, KinesisVideoProducer, NAL_ADAPTATION } from 'kinesis-video';

async function openStream(options, { avcC, width, height }) {
  const { streamName, post, onMessage: _onMessage, ...connection } = options;
  const producer = await KinesisVideoProducer.create(connection);
  const stream = await producer.createStream({
    streamName,
    contentType: 'video/h264',
    nalAdaptationFlags: NAL_ADAPTATION.NONE,
    tracks: [{ codecPrivateData: new Uint8Array(avcC), pixelWidth: width, pixelHeight: height }],
    callbacks: {
      fragmentAckReceived: ({ type, fragmentNumber }) =>
        post({ kind: 'state', text: `${type} ${fragmentNumber ?? ''}` }),
    },
  });
  stream.on('drain', () => post({ kind: 'drain' }));
  return { producer, stream };
}

/**
 * Uploads what `onMessage` brings: `{kind: 'config', avcC, width, height}` once, then
 * `{kind: 'frame', data, timeMs, durationMs, key}`. Says `wait` and `drain` through `post`. Gives a
 * function that resolves when the last fragment is stored.
 */
export function startUpload(options) {
  let opened;
  let startMs;
  let last = Promise.resolve();

  const take = async (message) => {
    if (message.kind === 'config') opened ??= await openStream(options, message);
    if (message.kind !== 'frame' || opened === undefined) return;
    // The camera's clock counts from anywhere; the stream's times are those of the day.
    startMs ??= Date.now() - message.timeMs;
    const more = opened.stream.putFrame({
      frameData: new Uint8Array(message.data),
      presentationTs: startMs + message.timeMs,
      duration: message.durationMs,
      flags: message.key ? FRAME_FLAG.KEY_FRAME : FRAME_FLAG.NONE,
    });
    if (!more) options.post({ kind: 'wait' });
  };
  options.onMessage((message) => {
    last = last
      .then(() => take(message))
      .catch((error) => options.post({ kind: 'state', text: String(error) }));
  });
  return async () => {
    await last;
    await opened?.stream.stop();
    await opened?.producer.close();
  };
}
