import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { StreamConnection } from '../../../lib/consumer/index.js';
import type { MediaFrame } from '../../../lib/parser/index.js';
import { MKV_ID } from '../../../lib/parser/index.js';
import type { KvsService } from '../../../lib/service/index.js';
import { element, golden, header, join } from '../parser/helpers.js';
import { block, cutOut, framesOf, tags, u64 } from '../parser/media.js';
import { createStream, CREDENTIALS, putMedia } from '../service/helpers.js';

/** 2017 and later, as a camera's clock says. */
export const START = 1_795_408_066_000;

/** How a test reaches a stream. */
export function connectionTo(service: { endpoint: string }, streamName: string): StreamConnection {
  return {
    streamName,
    region: 'us-west-2',
    endpoint: service.endpoint,
    credentials: CREDENTIALS,
  };
}

/** A fragment's frames: payloads that tell which they are. */
export function numbered(fragment: number, count: number, bytes: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const data = new Uint8Array(bytes).fill((fragment * 31 + i) & 0xff);
    new DataView(data.buffer).setUint32(0, fragment * 1000 + i);
    return data;
  });
}

/** The number that `numbered` put in. */
export function numberOf({ data }: MediaFrame): number {
  return new DataView(data.buffer, data.byteOffset).getUint32(0);
}

/** A document head: EBML, an open Segment, Info, Tracks with one video track. */
export function head(bytes: Uint8Array = golden('putmedia.mkv')): Uint8Array {
  return join(
    cutOut(bytes, MKV_ID.EBML),
    header(MKV_ID.SEGMENT, undefined, 8),
    cutOut(bytes, MKV_ID.INFO, MKV_ID.TRACKS),
  );
}

/** A cluster at a time with frames 40 ms apart, the first a key frame. */
export function clusterOf(time: number, payloads: readonly Uint8Array[]): Uint8Array {
  const blocks = payloads.map((data, i) => {
    const relative = i * 40;
    const start = [0x81, (relative >> 8) & 255, relative & 255, i === 0 ? 0x80 : 0];
    return element(MKV_ID.SIMPLE_BLOCK, start, data);
  });
  return element(MKV_ID.CLUSTER, element(MKV_ID.TIMESTAMP, u64(time)), ...blocks);
}

/** Stores fragments of numbered frames, 2 s apart, from `START`. */
export async function fill(
  service: KvsService,
  stream: string,
  fragments: number,
  frames: number,
  bytes: number,
): Promise<void> {
  await createStream(service, stream);
  const put = putMedia(service, stream);
  put.send(head());
  for (let i = 0; i < fragments; i += 1) {
    put.send(clusterOf(START + i * 2000, numbered(i, frames, bytes)));
  }
  put.end();
  await put.untilEnded();
}

/** Stores a golden's real media, a fragment for each key frame of its first track. */
export async function fillReal(service: KvsService, stream: string, name: string): Promise<number> {
  await createStream(service, stream);
  await putReal(service, stream, name, START);
  return framesOf(golden(name)).length;
}

/** Sends a golden's media in one session that begins at a time. */
export async function putReal(
  service: KvsService,
  stream: string,
  name: string,
  at: number,
): Promise<void> {
  await putBytes(service, stream, golden(name), at);
}

/** The same with media of any making. */
export async function putBytes(
  service: KvsService,
  stream: string,
  bytes: Uint8Array,
  at: number,
): Promise<void> {
  const put = putMedia(service, stream);
  put.send(head(bytes));
  const groups: MediaFrame[][] = [[]];
  for (const frame of framesOf(bytes)) {
    const begun = groups.at(-1)?.some(({ trackNumber }) => trackNumber === 1) === true;
    if (frame.trackNumber === 1 && frame.keyFrame && begun) groups.push([]);
    groups.at(-1)?.push(frame);
  }
  for (const frames of groups) {
    const start = frames[0]?.timecodeMs ?? 0;
    const blocks = frames.map((frame) => block(frame, frame.timecodeMs - start));
    put.send(element(MKV_ID.CLUSTER, element(MKV_ID.TIMESTAMP, u64(at + start)), ...blocks));
  }
  put.end();
  await put.untilEnded();
}

/** A fragment as GetMedia gives it, with its tags. */
export function fragmentDocument(number: number, payloads: readonly Uint8Array[]): Uint8Array {
  return join(
    head(),
    tags(['AWS_KINESISVIDEO_FRAGMENT_NUMBER', String(number)]),
    clusterOf(number * 2000, payloads),
    tags(['AWS_KINESISVIDEO_CONTINUATION_TOKEN', String(number)]),
  );
}

/** What a request asked for. */
export interface Asked {
  readonly path: string;
  readonly body: unknown;
}

/**
 * A server of one's own making for answers that the service gives only after 45 minutes or in
 * trouble; runs `use` with its address and the list of requests.
 */
export async function withServer(
  answer: (asked: Asked, response: ServerResponse, count: number) => void,
  use: (endpoint: string, requests: readonly Asked[]) => Promise<void>,
): Promise<void> {
  const requests: Asked[] = [];
  const server = createServer((request, response) => {
    void readJson(request).then((body) => {
      const asked = { path: request.url ?? '', body };
      requests.push(asked);
      answer(asked, response, requests.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    await use(`http://127.0.0.1:${address.port}`, requests);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) if (part instanceof Buffer) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}
