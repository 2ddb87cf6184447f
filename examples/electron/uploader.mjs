// Encoded frames from a port into a stream. Knows nothing of Electron, so that it is tested without.
import { KinesisVideoProducer, NAL_ADAPTATION } from 'kinesis-video';
import { fromEncodedChunk, trackFromDecoderConfig } from 'kinesis-video/sources';

async function openStream(options, { config }) {
  const { streamName, post, onMessage: _onMessage, ...connection } = options;
  const producer = await KinesisVideoProducer.create(connection);
  const stream = await producer.createStream({
    streamName,
    contentType: 'video/h264',
    nalAdaptationFlags: NAL_ADAPTATION.NONE,
    tracks: [trackFromDecoderConfig(config)],
    callbacks: {
      fragmentAckReceived: ({ type, fragmentNumber }) =>
        post({ kind: 'state', text: `${type} ${fragmentNumber ?? ''}` }),
    },
  });
  stream.on('drain', () => post({ kind: 'drain' }));
  return { producer, stream };
}

/**
 * Uploads what `onMessage` brings: `{kind: 'config', config}` once, an encoder's `decoderConfig`, then
 * `{kind: 'frame', chunk}`, its chunks with their bytes in `data`. Says `wait` and `drain` through
 * `post`. Gives a function that resolves when the last fragment is stored.
 */
export function startUpload(options) {
  let opened;
  let timeOriginMs;
  let last = Promise.resolve();

  const take = async (message) => {
    if (message.kind === 'config') opened ??= await openStream(options, message);
    if (message.kind !== 'frame' || opened === undefined) return;
    // The camera's clock counts from anywhere; the stream's times are those of the day.
    timeOriginMs ??= Date.now() - message.chunk.timestamp / 1000;
    const more = opened.stream.putFrame(fromEncodedChunk(message.chunk, { timeOriginMs }));
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
