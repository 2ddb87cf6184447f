import { once } from 'node:events';
import type { Agent } from 'node:http';
import { expect } from 'vitest';
import type { Frame } from '../../lib/base/media.js';
import type { CredentialProvider, Credentials } from '../../lib/base/credentials.js';
import {
  DefaultCallbackProvider,
  type FragmentAck,
  type KinesisVideoStream,
  type ServiceCallContext,
  type StreamCallbackProvider,
} from '../../lib/index.js';
import { Archive, type StoredFragment, type StoredFrame } from './archive.js';
import { frameIndex } from './frames.js';

export const CREDENTIALS: Credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' };

/** Talks to the service at `control`, and sends media by way of `media`. */
export class Detour extends DefaultCallbackProvider {
  readonly #media: string;

  constructor(
    control: string,
    media: string,
    credentials: Credentials | CredentialProvider = CREDENTIALS,
    httpAgent?: Agent,
  ) {
    super({
      endpoint: control,
      region: 'us-west-2',
      credentials,
      ...(httpAgent === undefined ? {} : { httpAgent }),
    });
    this.#media = media;
  }

  override async getStreamingEndpoint(
    name: string,
    apiName: 'PUT_MEDIA',
    context: ServiceCallContext,
  ): Promise<string> {
    await super.getStreamingEndpoint(name, apiName, context);
    return this.#media;
  }
}

/** Remembers acks. */
export class AckLog implements StreamCallbackProvider {
  readonly acks: FragmentAck[] = [];

  fragmentAckReceived(ack: FragmentAck): void {
    this.acks.push(ack);
  }

  /** Cluster times of fragments whose Persisted ack came. */
  persisted(): Set<number> {
    return new Set(this.acks.filter((ack) => ack.type === 'PERSISTED').map((ack) => ack.timecode));
  }
}

/** Puts frames as fast as the stream takes them. */
export async function putAll(stream: KinesisVideoStream, frames: Iterable<Frame>): Promise<void> {
  for (const frame of frames) if (!stream.putFrame(frame)) await once(stream, 'drain');
}

/** What a service has of a stream. */
export interface Stored {
  readonly fragments: readonly StoredFragment[];
  readonly frames: readonly StoredFrame[];
}

export async function storedIn(endpoint: string, streamName: string): Promise<Stored> {
  const archive = new Archive(endpoint);
  try {
    const fragments = await archive.fragments(streamName);
    return { fragments, frames: await archive.frames(streamName, fragments) };
  } finally {
    archive.close();
  }
}

/**
 * Expects each frame to be stored once, with its bytes, time and key flag. A fragment whose Persisted
 * ack may have been lost with its connection (`unsure`: its cluster time, once for each such loss)
 * may stand there once more for each. Answers how many fragments stand more than once.
 */
export function expectStored(
  stored: Stored,
  frames: readonly Frame[],
  unsure: readonly number[] = [],
): number {
  const copies = new Map<number, number>();
  for (const { producerMs } of stored.fragments) {
    copies.set(producerMs, (copies.get(producerMs) ?? 0) + 1);
  }
  const twice = [...copies].filter(([, count]) => count > 1);
  const losses = (time: number): number => unsure.filter((one) => one === time).length;
  expect(twice.filter(([time, count]) => count > 1 + losses(time))).toEqual([]);
  const byIndex = new Map(stored.frames.map((frame) => [frameIndex(frame.data), frame]));
  expect(byIndex.size).toBe(frames.length);
  for (const frame of frames) {
    const found = byIndex.get(frameIndex(frame.frameData));
    if (found === undefined) throw new Error(`frame ${frameIndex(frame.frameData)} is missing`);
    if (Buffer.compare(found.data, frame.frameData) !== 0) {
      throw new Error(`frame ${frameIndex(frame.frameData)} came back damaged`);
    }
    expect(found.timecodeMs).toBe(frame.presentationTs);
    expect(found.keyFrame).toBe(((frame.flags ?? 0) & 1) === 1);
  }
  return twice.length;
}
