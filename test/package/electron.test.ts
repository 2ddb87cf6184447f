import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startService, type KvsService } from '../../lib/service/index.js';
import { openMediaFile } from '../../lib/sources/index.js';
import { BUILT } from '../support/service-process.js';

const CLIP = fileURLToPath(new URL('../../media/camera.mp4', import.meta.url));

interface Upload {
  startUpload(options: Readonly<Record<string, unknown>>): () => Promise<void>;
}

function isUpload(module: unknown): module is Upload {
  return typeof module === 'object' && module !== null && 'startUpload' in module;
}

// The example imports the package by its name: dist.
describe.skipIf(!BUILT)("the Electron example's uploader", () => {
  let dataDir: string;
  let service: KvsService;

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'kvs-electron-'));
    service = await startService({ dataDir, region: 'us-west-2' });
  });
  afterEach(async () => {
    await service.close();
    rmSync(dataDir, { recursive: true });
  });

  it('streams what comes through a port, to the last frame', async () => {
    const file = new URL('../../examples/electron/uploader.mjs', import.meta.url).href;
    const module: unknown = await import(file);
    if (!isUpload(module)) throw new TypeError('no startUpload');
    const { port1: page, port2: utility } = new MessageChannel();
    const said: unknown[] = [];
    const finished = new Promise<void>((resolve) => {
      page.on('message', (message) => {
        if (message === 'finished') resolve();
        else said.push(message);
      });
    });
    const stop = module.startUpload({
      streamName: 'electron',
      region: 'us-west-2',
      endpoint: service.endpoint,
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' },
      onMessage: (take: (message: unknown) => void) => {
        utility.on('message', (message) => {
          if (message === 'stop') void stop().then(() => utility.postMessage('finished'));
          else take(message);
        });
      },
      post: (message: unknown) => {
        utility.postMessage(message);
      },
    });
    await postClip((message) => {
      page.postMessage(message);
    });
    page.postMessage('stop');
    await finished;
    page.close();
    const texts = said.map((message) => JSON.stringify(message));
    expect(texts.filter((text) => text.includes('PERSISTED')).length).toBeGreaterThan(2);
    expect(texts.filter((text) => /Error|STATUS_/.test(text))).toEqual([]);
  });
});

/** The clip's video, as WebCodecs gives it: avcC first, then length-prefixed frames. */
async function postClip(post: (message: unknown) => void): Promise<void> {
  const clip = await openMediaFile(CLIP);
  const [track] = clip.tracks;
  const description = track?.codecPrivateData;
  const config = { codec: 'avc1.42E01F', description, codedWidth: 640, codedHeight: 360 };
  post({ kind: 'config', config });
  for await (const frame of clip.frames()) {
    if (frame.trackId !== 1) continue;
    const key = ((frame.flags ?? 0) & 1) !== 0;
    // A camera's encoder makes no B-frames: its frames are shown in the order they are decoded.
    const timestamp = (frame.decodingTs ?? frame.presentationTs) * 1000;
    const duration = (frame.duration ?? 0) * 1000;
    const chunk = { type: key ? 'key' : 'delta', timestamp, duration, data: frame.frameData };
    post({ kind: 'frame', chunk });
  }
}
