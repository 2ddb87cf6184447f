import {
  GetHLSStreamingSessionURLCommand,
  KinesisVideoArchivedMediaClient,
  type GetHLSStreamingSessionURLInput,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { expect } from 'vitest';
import type { KvsService } from '../../../lib/service/index.js';
import { cluster, header, type HeaderOptions } from '../../support/mkv.js';
import { CREDENTIALS, createStream, putMedia, withService, type Endpoint } from './helpers.js';

/* Streams that HLS can play, and sessions of them, for tests. */

const SPS = [0x67, 0x42, 0xc0, 0x1e];
const PPS = [0x68, 0xce, 0x3c, 0x80];
export const AVCC: Uint8Array = Uint8Array.of(
  1,
  0x42,
  0xc0,
  0x1e,
  0xff,
  0xe1,
  0,
  4,
  ...SPS,
  1,
  0,
  4,
  ...PPS,
);
export const ANNEX_B: Uint8Array = Uint8Array.of(0, 0, 0, 1, ...SPS, 0, 0, 0, 1, ...PPS);
const array = (type: number): number[] => [0x80 | type, 0, 1, 0, 2, type << 1, 1];
export const HVCC: Uint8Array = Uint8Array.of(
  1,
  ...Array<number>(21).fill(0),
  3,
  ...array(32),
  ...array(33),
  ...array(34),
);
export const ASC: Uint8Array = Uint8Array.of(0x12, 0x10);

/** A track's codec, as `header` takes it. */
interface Codec {
  readonly id: string;
  readonly private: Uint8Array;
}

export const AVC: Codec = { id: 'V_MPEG4/ISO/AVC', private: AVCC };
export const HEVC: Codec = { id: 'V_MPEGH/ISO/HEVC', private: HVCC };
export const AAC: Codec = { id: 'A_AAC', private: ASC };

/** Stores one fragment of a second, whose producer's time is `time`. */
export async function store(
  service: Endpoint,
  stream: string,
  codecs: NonNullable<HeaderOptions['codecs']> = [AVC],
  time: number = 1000,
): Promise<void> {
  const put = putMedia(service, stream);
  const blocks = codecs.flatMap((_, at) => [0, 950].map((at2) => ({ time: at2, track: at + 1 })));
  put.send(header({ codecs }), cluster(time, blocks));
  put.end();
  await put.untilEnded();
  expect(put.count('PERSISTED')).toBe(1);
  put.destroy();
}

export async function ask(
  service: Endpoint,
  input: GetHLSStreamingSessionURLInput = { StreamName: 'cam' },
): Promise<string> {
  const client = new KinesisVideoArchivedMediaClient({
    endpoint: service.endpoint,
    region: 'us-west-2',
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
  try {
    const answer = await client.send(new GetHLSStreamingSessionURLCommand(input));
    return answer.HLSStreamingSessionURL ?? '';
  } finally {
    client.destroy();
  }
}

export async function withStream(
  use: (service: KvsService) => Promise<void>,
  options: Parameters<typeof withService>[0] = {},
): Promise<void> {
  await withService(options, async (service) => {
    await createStream(service, 'cam');
    await store(service, 'cam');
    await use(service);
  });
}

export async function answerOf(
  url: string,
  method: string = 'GET',
): Promise<readonly [number, string, string]> {
  const answer = await fetch(url, { method });
  return [answer.status, answer.headers.get('x-amzn-errortype') ?? '', await answer.text()];
}
