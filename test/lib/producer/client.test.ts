import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import {
  CallbackMediaSource,
  KinesisVideoClient,
  type Frame,
  type MediaSource,
  type MediaSourceSink,
} from '../../../lib/index.js';
import { frameBytes } from '../../support/frames.js';
import { ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS } from '../../support/upload.js';

/** How long something may take that is waited for; machines are busy. */

const START = 1_700_000_000_000;

/** A camera that goes on where it was stopped. */
class Camera implements MediaSource {
  made = 0;
  #sink: MediaSourceSink | undefined;
  #timer: NodeJS.Timeout | undefined;

  getStreamDefinition(): { nalAdaptationFlags: number } {
    return { nalAdaptationFlags: 0 };
  }

  initialize(sink: MediaSourceSink): void {
    this.#sink = sink;
    sink.onFragmentMetadata('camera', 'front', true);
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#sink?.onFrame(frame(this.made));
      this.made += 1;
    }, 2);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  isStopped(): boolean {
    return this.#timer === undefined;
  }
}

function frame(i: number): Frame {
  const flags = i % 25 === 0 ? 1 : 0;
  return { frameData: frameBytes(i, 200), flags, presentationTs: START + i * 40 };
}

describe('KinesisVideoClient', () => {
  let service: ScriptedService;
  let client: KinesisVideoClient;

  beforeEach(async () => {
    service = await ScriptedService.start();
    client = await KinesisVideoClient.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
    });
  });

  afterEach(async () => {
    await client.close({ timeoutMs: 1000 }).catch(() => undefined);
    await service.close();
  });

  it('registers a source once, even when asked twice at the same time', async () => {
    const camera = new Camera();
    const asked = ['a', 'b'].map(async (name) => client.registerMediaSource(name, camera));
    const [first, second] = await Promise.allSettled(asked);
    expect(first?.status).toBe('fulfilled');
    expect(second).toMatchObject({ reason: { status: 'STATUS_INVALID_OPERATION' } });
    expect(client.getMetrics().streams).toBe(1);
    await client.unregisterMediaSource(camera);
    await client.registerMediaSource('b', camera);
    expect(client.getMetrics().streams).toBe(1);
  });

  it('registers, starts and stops a media source, and starts it again', async () => {
    const camera = new Camera();
    const stream = await client.registerMediaSource('front', camera);
    expect(stream.name).toBe('front');
    await client.startAllMediaSources();
    await eventually(() => {
      expect(camera.made).toBeGreaterThan(30);
    });
    await client.stopAllMediaSources({ timeoutMs: 60_000 });
    const first = camera.made;
    expect(service.fragments.flatMap((fragment) => fragment.frames)).toHaveLength(first);
    expect(service.fragments[0]?.tags.get('camera')).toBe('front');
    // Up to the next key frame, where media can begin again.
    camera.made = Math.ceil(first / 25) * 25;
    const from = camera.made;
    await client.startAllMediaSources();
    await eventually(() => {
      expect(camera.made).toBeGreaterThan(from + 10);
    });
    await client.stopAllMediaSources({ timeoutMs: 60_000 });
    const frames = service.fragments.flatMap((fragment) => fragment.frames);
    expect(frames.filter((i) => i >= from)).toHaveLength(camera.made - from);
  });

  it('runs a source made from a generator until it ends', async () => {
    const source = new CallbackMediaSource({ nalAdaptationFlags: 0 }, async function* () {
      for (let i = 0; i < 100; i += 1) yield frame(i);
    });
    await client.registerMediaSource('generated', source);
    expect(client.mediaSources).toEqual([source]);
    await client.startAllMediaSources();
    await eventually(() => {
      expect(source.isStopped()).toBe(true);
    });
    await client.unregisterMediaSource(source, { timeoutMs: 60_000 });
    expect(new Set(service.fragments.flatMap((fragment) => fragment.frames)).size).toBe(100);
    expect(client.mediaSources).toEqual([]);
    expect(client.getMetrics().streams).toBe(0);
  });

  it('passes the error of a source on when it is stopped', async () => {
    const source = new CallbackMediaSource({ nalAdaptationFlags: 0 }, async (sink) => {
      sink.onFrame(frame(0));
      throw new Error('lens cap');
    });
    await client.registerMediaSource('broken', source);
    await client.startAllMediaSources();
    await expect(client.unregisterMediaSource(source)).rejects.toThrowError('lens cap');
    expect(client.getMetrics().streams).toBe(0);
  });

  it('refuses a source twice, and frees the stream of one that cannot be initialized', async () => {
    const camera = new Camera();
    await client.registerMediaSource('one', camera);
    await expect(client.registerMediaSource('two', camera)).rejects.toMatchObject({
      status: 'STATUS_INVALID_OPERATION',
    });
    const dead = new Camera();
    dead.initialize = () => {
      throw new Error('no camera');
    };
    await expect(client.registerMediaSource('three', dead)).rejects.toThrowError('no camera');
    expect(client.getMetrics().streams).toBe(1);
  });
});
