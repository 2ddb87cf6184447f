// Creates a stream, puts a file into it, gets it back meanwhile, parses what comes, saves it as one
// playable file and logs each fragment.
//
//   npm run build
//   node build-examples/kinesis-video-example.js [--stream NAME] [--file PATH] [--out PATH]
//
// The service is the one at AWS_ENDPOINT_URL_KINESIS_VIDEO, or one that is started for the while.
// A stream of that name is deleted first!
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  KinesisVideoClient,
  ResourceNotFoundException,
  type StreamInfo,
} from '@aws-sdk/client-kinesis-video';
import {
  applyVisitor,
  CompositeMkvElementVisitor,
  FOR_COPYING,
  FragmentMetadataVisitor,
  MKV_ID,
  OutputSegmentMerger,
  StreamingMkvReader,
  type FragmentMetadata,
  type MkvElementVisitor,
  type MkvEvent,
} from 'kinesis-video/parser';
import { openMediaFile, sampleClip, type MediaFile } from 'kinesis-video/sources';
import { getMedia, openService, putFile, type Connection } from './shared/service.js';

const POLL_MS = 200;

/** Logs each fragment with its tracks, and is done when so many frames have come. */
class LogVisitor implements MkvElementVisitor {
  readonly #metadata: FragmentMetadataVisitor;
  readonly #wanted: number;
  #fragment: FragmentMetadata | undefined;
  #framesOfFragment = 0;
  frames = 0;
  fragments = 0;

  constructor(metadata: FragmentMetadataVisitor, wanted: number) {
    this.#metadata = metadata;
    this.#wanted = wanted;
  }

  visit(event: MkvEvent): void {
    if (event.kind === 'element' && event.id === MKV_ID.SIMPLE_BLOCK) {
      this.#fragment = this.#metadata.fragment;
      this.#framesOfFragment += 1;
      this.frames += 1;
    }
    // The service writes the token behind a fragment's media.
    const ended = event.kind === 'masterEnd' && event.id === MKV_ID.TAGS;
    if (ended && this.#fragment?.continuationToken !== undefined) this.#log(this.#fragment);
  }

  isDone(): boolean {
    return this.frames >= this.#wanted && this.#fragment === undefined;
  }

  #log(fragment: FragmentMetadata): void {
    const { fragmentNumber, producerTimestampMs = 0, millisBehindNow } = fragment;
    const tracks = [...this.#metadata.tracks.values()].map(
      ({ number, codecId, pixelWidth, pixelHeight }) =>
        `track ${number} ${codecId}` +
        (pixelWidth === undefined ? '' : ` ${pixelWidth}x${String(pixelHeight)}`),
    );
    const time = new Date(producerTimestampMs).toISOString();
    console.log(
      `got fragment ${String(fragmentNumber)} of ${time}: ${this.#framesOfFragment} frames, ` +
        `${tracks.join(', ')}, ${String(millisBehindNow)} ms behind now`,
    );
    this.fragments += 1;
    this.#framesOfFragment = 0;
    this.#fragment = undefined;
  }
}

async function describe(
  control: KinesisVideoClient,
  streamName: string,
): Promise<StreamInfo | undefined> {
  try {
    const answer = await control.send(new DescribeStreamCommand({ StreamName: streamName }));
    return answer.StreamInfo;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

/** Deletes the stream if there is one, and creates it; both take a while at AWS. */
async function recreateStream(
  connection: Connection,
  streamName: string,
  mediaType: string,
): Promise<void> {
  const control = new KinesisVideoClient(connection);
  try {
    const old = await describe(control, streamName);
    if (old !== undefined) {
      await control.send(new DeleteStreamCommand({ StreamARN: old.StreamARN }));
      while ((await describe(control, streamName)) !== undefined) await sleep(POLL_MS);
      console.log(`deleted stream ${streamName}`);
    }
    const create = { StreamName: streamName, DataRetentionInHours: 1, MediaType: mediaType };
    const { StreamARN } = await control.send(new CreateStreamCommand(create));
    while ((await describe(control, streamName))?.Status !== 'ACTIVE') await sleep(POLL_MS);
    console.log(`created stream ${String(StreamARN)}`);
  } finally {
    control.destroy();
  }
}

/** What comes back, as one playable segment, until the log has seen everything. */
async function* merged(
  media: AsyncIterable<Uint8Array>,
  wanted: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const parts: Uint8Array[] = [];
  const metadata = new FragmentMetadataVisitor();
  const log = new LogVisitor(metadata, wanted);
  const merger = new OutputSegmentMerger({ write: (bytes) => void parts.push(bytes.slice()) });
  const visitor = new CompositeMkvElementVisitor(metadata, merger, log);
  const reader = new StreamingMkvReader(FOR_COPYING);
  for await (const chunk of media) {
    reader.push(chunk);
    applyVisitor(reader, visitor);
    yield* parts.splice(0);
    if (log.isDone()) break;
  }
  console.log(`got ${log.frames} frames in ${log.fragments} fragments`);
}

async function putAndGet(
  connection: Connection,
  streamName: string,
  file: MediaFile,
  out: string,
): Promise<void> {
  const stop = new AbortController();
  const put = putFile(connection, streamName, file, (number) => {
    console.log(`persisted fragment ${number}`);
  });
  const media = getMedia(connection, streamName, stop.signal);
  const get = pipeline(Readable.from(merged(media, file.frameCount)), createWriteStream(out));
  try {
    const [fragments] = await Promise.all([put, get]);
    console.log(`put ${file.frameCount} frames in ${fragments} fragments`);
    console.log(`saved ${out}`);
  } finally {
    stop.abort();
  }
}

const { values } = parseArgs({
  options: {
    stream: { type: 'string', default: 'kinesis-video-example' },
    file: { type: 'string', default: sampleClip() },
    out: { type: 'string', default: 'kinesis-video-example.mkv' },
  },
});
const file = await openMediaFile(values.file);
const service = await openService();
try {
  await recreateStream(service.connection, values.stream, file.contentType);
  await putAndGet(service.connection, values.stream, file, values.out);
} finally {
  await service.close();
}
