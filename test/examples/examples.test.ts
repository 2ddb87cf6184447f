// Every program of `examples`, as a user runs it: compiled, by plain Node, on the built package.
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMediaFile } from '../../lib/sources/index.js';
import { Browser, type Page } from '../support/browser.js';
import { buildExamples, runExample, startExample } from '../support/example.js';
import { BUILT } from '../support/service-process.js';
import { framesOf, have, run } from '../lib/parser/media.js';
import { withService } from '../lib/service/helpers.js';

const CLIP = new URL('../../media/camera.mp4', import.meta.url).pathname;
const CLIP_FRAMES = 600;
const STREAM = 'render-example-stream';

describe.skipIf(!BUILT)('examples (need npm run build)', () => {
  let directory = '';
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'kvs-examples-'));
    await buildExamples();
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  describe('kinesis-video-example', () => {
    it('creates, puts, gets, parses, saves and logs, with a service of its own', async () => {
      const out = join(directory, 'own.mkv');
      const output = await runExample('kinesis-video-example', ['--out', out]);
      expect(output).toMatch(/^created stream arn:aws:kinesisvideo:\S+kinesis-video-example/m);
      const persisted = [...output.matchAll(/^persisted fragment (\d+)$/gm)].map((hit) => hit[1]);
      const got = [...output.matchAll(/^got fragment (\d+) of .*400x300/gm)].map((hit) => hit[1]);
      expect(got.length).toBeGreaterThan(5);
      expect(got).toEqual(persisted);
      expect(output).toContain(`got ${CLIP_FRAMES} frames in ${got.length} fragments`);
      const saved = framesOf(new Uint8Array(readFileSync(out)));
      const clip = await openMediaFile(CLIP);
      let at = 0;
      for await (const frame of clip.frames()) {
        expect(Buffer.compare(saved[at]?.data ?? new Uint8Array(), frame.frameData)).toBe(0);
        at += 1;
      }
      expect(saved).toHaveLength(at);
    });

    it('deletes and recreates a stream of a given service', async () => {
      await withService({}, async ({ endpoint }) => {
        const args = ['--stream', 'again', '--out', join(directory, 'given.mkv')];
        const first = await runExample('kinesis-video-example', args, endpoint);
        expect(first).not.toContain('deleted');
        const second = await runExample('kinesis-video-example', args, endpoint);
        expect(second).toContain('deleted stream again');
        expect(second).toContain(`got ${CLIP_FRAMES} frames`);
        expect(framesOf(new Uint8Array(readFileSync(join(directory, 'given.mkv'))))).toHaveLength(
          CLIP_FRAMES,
        );
      });
    });

    it.skipIf(!have('ffmpeg') || !have('ffprobe'))(
      'ffmpeg, ffprobe: what it saved plays like the clip',
      () => {
        const saved = join(directory, 'own.mkv');
        expect(run('ffprobe', '-v', 'warning', saved).err).toBe('');
        expect(pictures(saved)).toEqual(pictures(CLIP));
      },
    );
  });

  describe.skipIf(!have('ffmpeg'))('render-to-png (ffmpeg)', () => {
    it('writes the pictures that ffmpeg finds in the clip, one a file', async () => {
      const out = join(directory, 'png');
      const output = await runExample('render-to-png', ['--out', out, '--frames', '70']);
      expect(output).toContain(`70 frames of ${STREAM} rendered to ${out}`);
      const names = readdirSync(out).sort();
      expect(names).toHaveLength(70);
      expect(names.at(-1)).toBe('frame-00070.png');
      const rendered = rgb('-framerate', '25', '-i', join(out, 'frame-%05d.png'));
      expect(rendered.length).toBe(70 * 400 * 300 * 3);
      const clip = rgb('-i', CLIP, '-frames:v', '70');
      expect(Buffer.compare(rendered, clip)).toBe(0);
    });

    it('ends where the stream does, and takes any codec that ffmpeg knows', async () => {
      await withService({}, async ({ endpoint }) => {
        const file = join(directory, 'jpeg.mkv');
        const source = ['-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=10:duration=2'];
        run('ffmpeg', '-v', 'error', ...source, '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', file);
        const out = join(directory, 'jpeg');
        const args = ['--out', out, '--file', file];
        const output = await runExample('render-to-png', args, endpoint);
        expect(output).toContain('20 frames');
        expect(readdirSync(out)).toHaveLength(20);
      });
    });
  });

  describe.skipIf(!have('chromium'))('renderer (chromium)', () => {
    let browser: Browser | undefined;
    beforeAll(async () => {
      browser = await Browser.open();
    });
    afterAll(() => browser?.close());

    /** Serves a stream, opens the page on it, and cleans up behind `use`. */
    async function withPage(
      args: readonly string[],
      query: string,
      use: (page: Page, address: string) => Promise<void>,
    ): Promise<void> {
      const { address, child } = await startExample('renderer/server', ['--port', '0', ...args]);
      const gone = once(child, 'exit');
      try {
        const page = await browser?.page(`${address}${query}`);
        if (page === undefined) throw new Error('no browser');
        await use(page, address);
        await page.close();
      } finally {
        child.kill();
        expect(await gone).toEqual([0, null]);
      }
    }

    it('draws every frame of the stream, and the last one as it is in the clip', async () => {
      await withPage([], '&pace=off', async (page) => {
        expect(await page.evaluate(drawn(CLIP_FRAMES))).toBe(`${CLIP_FRAMES}`);
        const output = await page.evaluate("document.querySelector('output').textContent");
        expect(output).toContain(`${CLIP_FRAMES} frames, 400 × 300, 20`);
        const png = Buffer.from(String(await page.evaluate(CANVAS)), 'base64');
        const file = join(directory, 'canvas.png');
        writeFileSync(file, png);
        if (process.env['KVS_SCREENSHOT'] !== undefined) {
          writeFileSync(process.env['KVS_SCREENSHOT'], await page.screenshot());
        }
        if (!have('ffmpeg')) return;
        const shown = rgb('-i', file);
        const last = rgb('-i', CLIP).subarray(-400 * 300 * 3);
        const first = rgb('-i', CLIP, '-frames:v', '1');
        expect(distance(shown, last)).toBeLessThan(4);
        // The comparison tells pictures of this clip apart.
        expect(distance(shown, first)).toBeGreaterThan(distance(shown, last) + 1);
      });
    });

    it('keeps the pace of the time stamps, and holds the service back meanwhile', async () => {
      await withPage([], '', async (page) => {
        const start = performance.now();
        await page.evaluate(drawn(30));
        const seconds = (performance.now() - start) / 1000;
        expect(seconds).toBeGreaterThan(0.8);
        expect(Number(await page.evaluate('document.body.dataset.frames'))).toBeLessThan(200);
      });
    });

    it('says what it cannot show', async () => {
      await withPage([], 'x', async (page, address) => {
        expect(await page.evaluate(drawn(1))).toMatch(/render-example-streamx/);
        const traversal = await fetch(
          new URL('/kinesis-video/parser/..%2f..%2fpackage.js', address),
        );
        expect(traversal.status).toBe(404);
        const outside = await fetch(new URL('/kinesis-video/service/index.js', address));
        expect(outside.status).toBe(404);
      });
    });

    it.skipIf(!have('ffmpeg')).each([
      ['V_VP8', 'webm', ['-c:v', 'libvpx', '-b:v', '200k']],
      ['V_VP9', 'webm', ['-c:v', 'libvpx-vp9', '-b:v', '200k', '-cpu-used', '8']],
      ['V_MJPEG', 'mkv', ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p']],
      ['H.264 as Annex-B', 'h264', ['-c:v', 'libx264', '-bf', '0']],
    ])('shows %s (ffmpeg)', async (name, ending, codec) => {
      const file = join(directory, `${name.replace(/\W/g, '')}.${ending}`);
      const source = ['-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=25:duration=2'];
      run('ffmpeg', '-v', 'error', ...source, ...codec, '-g', '25', file);
      await withPage(['--file', file], '&pace=off', async (page) => {
        expect(await page.evaluate(drawn(50))).toBe('50');
      });
    });
  });
});

it('there is a program for each test, and a test for each program', () => {
  const folder = new URL('../../examples/', import.meta.url);
  const programs = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  // media-sources.ts is run by media-sources.test.ts.
  const known = ['kinesis-video-example.ts', 'media-sources.ts', 'render-to-png.ts'];
  expect(programs.sort()).toEqual(known);
  expect(existsSync(new URL('renderer/index.html', folder))).toBe(true);
});

/** In the page: resolves with the number of frames drawn once it is that, or with the error. */
const drawn = (frames: number): string => `new Promise((resolve) => {
  const look = () => {
    const { frames, error } = document.body?.dataset ?? {};
    if (error !== undefined || Number(frames) >= ${frames}) resolve(error ?? frames);
  };
  new MutationObserver(look).observe(document, { attributes: true, childList: true, subtree: true });
  look();
})`;

const CANVAS = "document.querySelector('canvas').toDataURL('image/png').split(',')[1]";

/** Hash of every picture, as ffmpeg decodes it. */
function pictures(file: string): (string | undefined)[] {
  return run('ffmpeg', '-v', 'error', '-i', file, '-map', '0:v', '-f', 'framemd5', '-')
    .out.split('\n')
    .filter((line) => /^\d,/.test(line))
    .map((line) => line.split(',').at(-1)?.trim());
}

/** Pictures as bytes of red, green and blue. */
function rgb(...input: readonly string[]): Buffer {
  const to = join(tmpdir(), `kvs-rgb-${process.pid}.raw`);
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-fps_mode', 'passthrough'];
  run('ffmpeg', '-v', 'error', '-y', ...input, ...raw, to);
  const bytes = readFileSync(to);
  rmSync(to);
  return bytes;
}

/** Mean difference of two pictures, 0 to 255. */
function distance(one: Uint8Array, other: Uint8Array): number {
  if (one.length !== other.length) return Infinity;
  let sum = 0;
  for (let at = 0; at < one.length; at += 1) sum += Math.abs((one[at] ?? 0) - (other[at] ?? 0));
  return sum / one.length;
}
