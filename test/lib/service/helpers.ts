import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import {
  GetMediaCommand,
  KinesisVideoMediaClient,
  type StartSelector,
} from '@aws-sdk/client-kinesis-video-media';
import { readMedia } from '../../../lib/parser/index.js';
import { startService, type KvsService, type ServiceOptions } from '../../../lib/service/index.js';
import { RawPutMedia } from '../../support/put-media.js';

export const CREDENTIALS = {
  accessKeyId: 'AKIASTUB',
  secretAccessKey: 'stubsecretstubsecretstubsecretstubsecret',
};

export async function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'kvs-service-'));
}

/** Runs `use` with a service on fresh data, and cleans up. */
export async function withService(
  options: Partial<ServiceOptions>,
  use: (service: KvsService, dataDir: string) => Promise<void>,
): Promise<void> {
  const dataDir = options.dataDir ?? (await temporaryDirectory());
  const service = await startService({ limits: 'off', ...options, dataDir });
  try {
    await use(service, dataDir);
  } finally {
    await service.close();
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  }
}

export function controlClient(service: KvsService): KinesisVideoClient {
  return new KinesisVideoClient({
    endpoint: service.endpoint,
    region: 'us-west-2',
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
}

export function mediaClient(service: KvsService): KinesisVideoMediaClient {
  return new KinesisVideoMediaClient({
    endpoint: service.endpoint,
    region: 'us-west-2',
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
}

export async function createStream(service: KvsService, name: string, hours = 1): Promise<string> {
  const client = controlClient(service);
  const made = await client.send(
    new CreateStreamCommand({ StreamName: name, DataRetentionInHours: hours }),
  );
  client.destroy();
  return made.StreamARN ?? '';
}

export function putMedia(
  service: KvsService,
  stream: string,
  headers: Readonly<Record<string, string>> = {},
): RawPutMedia {
  return new RawPutMedia(service.endpoint, {
    'x-amzn-stream-name': stream,
    'x-amzn-fragment-timecode-type': 'ABSOLUTE',
    'x-amzn-producer-start-timestamp': '1795408066.856',
    ...headers,
  });
}

/** Bytes of GetMedia until `count` continuation tokens have come; then the reader goes away. */
export async function getMedia(
  service: KvsService,
  stream: string,
  selector: StartSelector,
  count: number,
): Promise<Buffer> {
  const client = mediaClient(service);
  const parts: Buffer[] = [];
  try {
    const answer = await client.send(
      new GetMediaCommand({ StreamName: stream, StartSelector: selector }),
    );
    for await (const part of bytesOf(answer.Payload)) {
      parts.push(Buffer.from(part));
      if (tokens(Buffer.concat(parts)) >= count) break;
    }
  } finally {
    client.destroy();
  }
  return Buffer.concat(parts);
}

function tokens(bytes: Buffer): number {
  const mark = Buffer.from('AWS_KINESISVIDEO_CONTINUATION_TOKEN');
  let found = 0;
  // The tag counts when its 47 digits have come as well.
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    if (at + mark.length + 6 + 47 <= bytes.length) found += 1;
  }
  return found;
}

export async function* bytesOf(payload: unknown): AsyncGenerator<Uint8Array> {
  if (!isAsyncIterable(payload)) throw new Error('the answer has no body');
  for await (const part of payload) {
    if (part instanceof Uint8Array) yield part;
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

export { readMedia };
