// H.265 all the way: PutMedia, GetMedia, clips.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GetMediaReader, saveClip } from '../../../lib/consumer/index.js';
import { mergeSegments, type MediaFrame } from '../../../lib/parser/index.js';
import { framesOf, have, run } from '../parser/media.js';
import { createStream, getMedia, withService } from '../service/helpers.js';
import { connectionTo, putBytes, START } from './helpers.js';

const DAY = { from: START - 86_400_000, to: START + 86_400_000 };
const FRAMES = 75;
const FRAGMENTS = 3;

describe.skipIf(!have('ffmpeg') || !have('ffprobe'))('H.265 (ffmpeg with libx265, ffprobe)', () => {
  let directory = '';
  let source = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'kvs-h265-'));
    source = join(directory, 'source.mkv');
    const video = ['-f', 'lavfi', '-i', 'testsrc2=size=128x96:rate=25:duration=3'];
    const codec = ['-c:v', 'libx265', '-preset', 'ultrafast', '-g', '25'];
    const x265 = ['-x265-params', 'log-level=none:bframes=2:open-gop=0:keyint=25:scenecut=0'];
    run('ffmpeg', '-v', 'error', ...video, ...codec, ...x265, source);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** A service that has the source in three fragments. */
  async function withSource(
    use: (service: { readonly endpoint: string }) => Promise<void>,
  ): Promise<void> {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      await putBytes(service, 'cam', new Uint8Array(readFileSync(source)), START);
      await use(service);
    });
  }

  const plain = (frames: readonly MediaFrame[]) => {
    const from = frames[0]?.timecodeMs ?? 0;
    return frames.map(({ timecodeMs, keyFrame, data }) => [timecodeMs - from, keyFrame, data]);
  };

  const sourceFrames = () => framesOf(new Uint8Array(readFileSync(source)));

  it('comes back from GetMedia frame by frame, with its decoder configuration', async () => {
    await withSource(async (service) => {
      const frames: MediaFrame[] = [];
      for await (const frame of new GetMediaReader(connectionTo(service, 'cam')).frames()) {
        if (frames.push(frame) === FRAMES) break;
      }
      expect(plain(frames)).toEqual(plain(sourceFrames()));
      expect(new Set(frames.map(({ fragment }) => fragment?.fragmentNumber)).size).toBe(FRAGMENTS);
      expect(frames[0]?.track).toMatchObject({
        codecId: 'V_MPEGH/ISO/HEVC',
        codecPrivate: sourceFrames()[0]?.track?.codecPrivate,
        pixelWidth: 128,
        pixelHeight: 96,
      });
    });
  });

  it('merged from GetMedia it shows the same pictures as the source', async () => {
    await withSource(async (service) => {
      const selector = { StartSelectorType: 'EARLIEST' } as const;
      const media = await getMedia(service, 'cam', selector, FRAGMENTS);
      const parts: Uint8Array[] = [];
      for await (const part of mergeSegments([media])) parts.push(part);
      const path = join(directory, 'merged.mkv');
      writeFileSync(path, Buffer.concat(parts));
      expectPlays(path);
    });
  });

  it.each(['mkv', 'mp4'])(
    'saved as %s it shows the same pictures as the source',
    async (ending) => {
      await withSource(async (service) => {
        const path = join(directory, `clip.${ending}`);
        const clip = await saveClip({ ...connectionTo(service, 'cam'), range: DAY, path });
        expect(clip).toMatchObject({ frames: FRAMES, durationMs: 3000 });
        expectPlays(path);
      });
    },
  );

  function expectPlays(path: string): void {
    const { out, err } = run(
      'ffprobe',
      '-v',
      'warning',
      '-show_entries',
      'stream=codec_name',
      path,
    );
    expect(err).toBe('');
    expect(out).toContain('codec_name=hevc');
    expect(pictures(path)).toHaveLength(FRAMES);
    expect(pictures(path)).toEqual(pictures(source));
  }
});

/** Hash of every picture, as ffmpeg decodes it. */
function pictures(file: string): (string | undefined)[] {
  return run('ffmpeg', '-v', 'warning', '-i', file, '-map', '0:v', '-f', 'framemd5', '-')
    .out.split('\n')
    .filter((line) => /^\d,/.test(line))
    .map((line) => line.split(',').at(-1)?.trim());
}
