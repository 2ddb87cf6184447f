// Which service an example talks to, and the calls that all of them make.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { GetDataEndpointCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { GetMediaCommand, KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import { KinesisVideoProducer, type Credentials } from 'kinesis-video';
import { startService } from 'kinesis-video/service';
import type { MediaFile } from 'kinesis-video/sources';

/** How clients reach a service; also what the AWS SDK's clients are made with. */
export interface Connection {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: Credentials;
}

/** A service that is to be closed when it is not needed any more. */
export interface ExampleService {
  readonly connection: Connection;
  /** Whether it was started here, and so has no streams yet. */
  readonly own: boolean;
  close(): Promise<void>;
}

/**
 * The service at AWS_ENDPOINT_URL_KINESIS_VIDEO, with the credentials that the SDK finds. Without
 * that variable one is started in this process, on loopback, and its data are removed at the end.
 * For AWS itself: AWS_ENDPOINT_URL_KINESIS_VIDEO=https://kinesisvideo.us-west-2.amazonaws.com
 */
export async function openService(): Promise<ExampleService> {
  const region = process.env['AWS_REGION'] ?? 'us-west-2';
  const endpoint = process.env['AWS_ENDPOINT_URL_KINESIS_VIDEO'] ?? '';
  if (endpoint !== '') {
    return { connection: { region, endpoint }, own: false, close: () => Promise.resolve() };
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'kvs-example-'));
  const service = await startService({ dataDir, region });
  const close = async (): Promise<void> => {
    await service.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  // Without a list of access keys the service takes any.
  const credentials = { accessKeyId: 'EXAMPLE', secretAccessKey: 'example' };
  return { connection: { region, endpoint: service.endpoint, credentials }, own: true, close };
}

/** Puts a file into a stream as if its recording had just ended; gives the number of fragments. */
export async function putFile(
  connection: Connection,
  streamName: string,
  file: MediaFile,
  onPersisted: (fragmentNumber: string) => void = () => undefined,
): Promise<number> {
  let fragments = 0;
  const producer = await KinesisVideoProducer.create({ ...connection });
  const stream = await producer.createStream({
    streamName,
    tracks: file.tracks,
    contentType: file.contentType,
    nalAdaptationFlags: file.nalAdaptationFlags,
    callbacks: {
      fragmentAckReceived: ({ type, fragmentNumber }) => {
        if (type !== 'PERSISTED') return;
        fragments += 1;
        onPersisted(fragmentNumber);
      },
    },
  });
  const timeOffsetMs = Date.now() - Math.ceil(file.durationMs);
  for await (const frame of file.frames({ timeOffsetMs })) {
    if (!stream.putFrame(frame)) await once(stream, 'drain');
  }
  await stream.stop();
  await producer.close();
  return fragments;
}

/** The bytes of GetMedia, which goes on for as long as the stream does: leave the loop to end it. */
export async function* getMedia(
  connection: Connection,
  streamName: string,
  signal: AbortSignal,
  start: 'EARLIEST' | 'NOW' = 'EARLIEST',
): AsyncGenerator<Uint8Array, void, undefined> {
  const abortSignal = signal;
  const control = new KinesisVideoClient(connection);
  const ask = new GetDataEndpointCommand({ StreamName: streamName, APIName: 'GET_MEDIA' });
  const { DataEndpoint = '' } = await control.send(ask, { abortSignal });
  control.destroy();
  const media = new KinesisVideoMediaClient({ ...connection, endpoint: DataEndpoint });
  const StartSelector = { StartSelectorType: start };
  const command = new GetMediaCommand({ StreamName: streamName, StartSelector });
  try {
    const { Payload } = await media.send(command, { abortSignal });
    if (!(Payload instanceof Readable)) throw new Error('GetMedia was answered without a body');
    const body: AsyncIterable<Uint8Array> = Payload;
    const stop = (): void => void Payload.destroy();
    signal.addEventListener('abort', stop, { once: true });
    try {
      yield* body;
    } finally {
      signal.removeEventListener('abort', stop);
      Payload.destroy();
    }
  } finally {
    media.destroy();
  }
}
