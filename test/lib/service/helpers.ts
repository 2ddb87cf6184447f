import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { KinesisVideoArchivedMediaClient } from '@aws-sdk/client-kinesis-video-archived-media';
import {
  GetMediaCommand,
  KinesisVideoMediaClient,
  type StartSelector,
} from '@aws-sdk/client-kinesis-video-media';
import { readMedia } from '../../../lib/parser/index.js';
import { startService, type KvsService, type ServiceOptions } from '../../../lib/service/index.js';
import { RawPutMedia } from '../../support/put-media.js';

/** Where a service is reached, in this process or another. */
export type Endpoint = Pick<KvsService, 'endpoint'>;

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

export function controlClient(service: Endpoint): KinesisVideoClient {
  return new KinesisVideoClient({
    endpoint: service.endpoint,
    region: 'us-west-2',
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
}

export function mediaClient(service: Endpoint): KinesisVideoMediaClient {
  return new KinesisVideoMediaClient({
    endpoint: service.endpoint,
    region: 'us-west-2',
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
}

export function archiveClient(service: Endpoint): KinesisVideoArchivedMediaClient {
  return new KinesisVideoArchivedMediaClient({
    endpoint: service.endpoint,
    region: 'us-west-2',
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
}

export async function createStream(service: Endpoint, name: string, hours = 1): Promise<string> {
  const client = controlClient(service);
  const made = await client.send(
    new CreateStreamCommand({ StreamName: name, DataRetentionInHours: hours }),
  );
  client.destroy();
  return made.StreamARN ?? '';
}

export function putMedia(
  service: Endpoint,
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

/** Bytes of GetMedia until so many tokens, or that one, have come; then the reader goes away. */
export async function getMedia(
  service: Endpoint,
  stream: string,
  selector: StartSelector,
  until: number | string,
): Promise<Buffer> {
  const client = mediaClient(service);
  const parts: Buffer[] = [];
  const watch = new TokenWatch();
  try {
    const answer = await client.send(
      new GetMediaCommand({ StreamName: stream, StartSelector: selector }),
    );
    for await (const part of bytesOf(answer.Payload)) {
      parts.push(Buffer.from(part));
      watch.add(part);
      if (typeof until === 'string' ? watch.last === until : watch.count >= until) break;
    }
  } finally {
    client.destroy();
  }
  return Buffer.concat(parts);
}

/** Finds continuation tokens in bytes that come in any pieces. */
class TokenWatch {
  count = 0;
  last = '';
  #rest = Buffer.alloc(0);

  add(part: Uint8Array): void {
    const name = 'AWS_KINESISVIDEO_CONTINUATION_TOKEN';
    const bytes = Buffer.concat([this.#rest, part]);
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(name, from);
      // Behind the name: id and size of the string, then 47 digits.
      const digits = at + name.length + 6;
      if (at < 0 || digits + 47 > bytes.length) break;
      this.last = bytes.toString('latin1', digits, digits + 47);
      this.count += 1;
      from = digits + 47;
    }
    this.#rest = bytes.subarray(Math.max(from, bytes.length - 100));
  }
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
