import {
  GetMediaForFragmentListCommand,
  KinesisVideoArchivedMediaClient,
  ListFragmentsCommand,
  type Fragment,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { readFrames } from '../../lib/parser/index.js';

/** A frame as the service gives it back. */
export interface StoredFrame {
  readonly data: Uint8Array;
  readonly timecodeMs: number;
  readonly keyFrame: boolean;
  readonly fragmentNumber: string;
}

/** A fragment as the service lists it. */
export interface StoredFragment {
  readonly number: string;
  /** Milliseconds since 1970. */
  readonly producerMs: number;
}

const KEYS = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' } as const;

/** Reads what a service has stored, with the AWS SDK. */
export class Archive {
  readonly #client: KinesisVideoArchivedMediaClient;

  constructor(endpoint: string) {
    this.#client = new KinesisVideoArchivedMediaClient({
      endpoint,
      region: 'us-west-2',
      credentials: KEYS,
    });
  }

  /** Every fragment of a stream, in the order of producer times. */
  async fragments(streamName: string): Promise<StoredFragment[]> {
    const found: Fragment[] = [];
    let next: string | undefined;
    do {
      const command = new ListFragmentsCommand({
        StreamName: streamName,
        MaxResults: 1000,
        ...(next === undefined ? {} : { NextToken: next }),
      });
      const page = await this.#client.send(command);
      found.push(...(page.Fragments ?? []));
      next = page.NextToken;
    } while (next !== undefined);
    return found
      .map((one) => ({
        number: one.FragmentNumber ?? '',
        producerMs: one.ProducerTimestamp?.getTime() ?? NaN,
      }))
      .sort((a, b) => a.producerMs - b.producerMs || (a.number < b.number ? -1 : 1));
  }

  /** Every frame of these fragments, in their order. */
  async frames(streamName: string, fragments: readonly StoredFragment[]): Promise<StoredFrame[]> {
    const frames: StoredFrame[] = [];
    for (let from = 0; from < fragments.length; from += 100) {
      const part = fragments.slice(from, from + 100).map((one) => one.number);
      const { Payload } = await this.#client.send(
        new GetMediaForFragmentListCommand({ StreamName: streamName, Fragments: part }),
      );
      if (Payload === undefined) throw new TypeError('an answer without a payload');
      for await (const frame of readFrames([await Payload.transformToByteArray()])) {
        frames.push({
          data: frame.data,
          timecodeMs: frame.timecodeMs,
          keyFrame: frame.keyFrame,
          fragmentNumber: frame.fragment?.fragmentNumber ?? '',
        });
      }
    }
    return frames;
  }

  close(): void {
    this.#client.destroy();
  }
}
