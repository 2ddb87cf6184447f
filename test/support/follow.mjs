// A camera and its viewer on another machine: told one endpoint and a key, nothing else, they go where
// the service sends them. Prints what they were told and what came of it, as JSON.
// node follow.mjs ENDPOINT STREAM; the key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
import { GetDataEndpointCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import {
  GetHLSStreamingSessionURLCommand,
  KinesisVideoArchivedMediaClient,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { GetMediaReader } from '../../dist/consumer/index.js';
import { KinesisVideoProducer } from '../../dist/index.js';
import { openMediaFile } from '../../dist/sources/index.js';

const [endpoint, streamName, media] = process.argv.slice(2);
const region = 'us-west-2';
const seen = { acks: {}, frames: 0 };

const file = await openMediaFile(media);
const producer = await KinesisVideoProducer.create({ endpoint, region, limits: 'off' });
const stream = await producer.createStream({
  streamName,
  tracks: file.tracks,
  contentType: file.contentType,
  nalAdaptationFlags: file.nalAdaptationFlags,
  callbacks: {
    fragmentAckReceived: ({ type }) => {
      seen.acks[type] = (seen.acks[type] ?? 0) + 1;
    },
  },
});
for await (const frame of file.frames({ timeOffsetMs: Date.now() - file.durationMs })) {
  await new Promise((resolve) => stream.write(frame, resolve));
}
await stream.stop({ timeoutMs: 20_000 });
await producer.close();

const control = new KinesisVideoClient({ endpoint, region });
const where = async (APIName) =>
  (await control.send(new GetDataEndpointCommand({ StreamName: streamName, APIName })))
    .DataEndpoint;
seen.put = await where('PUT_MEDIA');
seen.archive = await where('GET_HLS_STREAMING_SESSION_URL');

const reader = new GetMediaReader({ endpoint, region, streamName });
for await (const event of reader.events()) {
  if (event.kind === 'frame') seen.frames += 1;
  if (seen.frames >= 20) break;
}

const archive = new KinesisVideoArchivedMediaClient({ endpoint: seen.archive, region });
const { HLSStreamingSessionURL: url } = await archive.send(
  new GetHLSStreamingSessionURLCommand({ StreamName: streamName }),
);
const playlist = await fetch(url);
seen.hls = {
  origin: new URL(url).origin,
  answered: playlist.headers.has('x-amzn-requestid'),
  status: playlist.status,
};
console.log(JSON.stringify(seen));
process.exit(0);
