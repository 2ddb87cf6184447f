import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cameraClip, runDemo } from '../../lib/cli/demo.js';
import { KinesisVideoProducer } from '../../lib/index.js';
import { startService } from '../../lib/service/index.js';
import { openMediaFile } from '../../lib/sources/index.js';
import { ffmpeg, have, probePackets } from '../support/media-tools.js';
import { CREDENTIALS, storedIn } from '../support/upload.js';

const run = promisify(execFile);

/** Files that the producer is given, and what an outside reader must say of what it sent. */
const FILES: readonly (readonly [string, readonly string[], Expected])[] = [
  ['camera.mp4', [], { video: 'h264' }],
  ['h264-aac.mp4', ['-t', '6', '-c:v', 'copy', '-c:a', 'aac'], { video: 'h264', audio: 'aac' }],
  [
    'h265.mp4',
    ['-t', '4', '-c:v', 'libx265', '-x265-params', 'log-level=none:keyint=50:bframes=3', '-an'],
    { video: 'hevc' },
  ],
];

interface Expected {
  readonly video: string;
  readonly audio?: string;
}

describe.skipIf(!have('ffmpeg') || !have('ffprobe'))(
  'what the producer sent, read by ffprobe and ffmpeg',
  () => {
    let directory = '';
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'kvs-outside-'));
    });
    afterAll(async () => {
      await rm(directory, { recursive: true, force: true });
    });

    it.each(FILES)('%s', async (name, args, expected) => {
      const file = args.length === 0 ? cameraClip() : join(directory, name);
      const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'];
      if (args.length > 0) {
        await ffmpeg('-i', cameraClip(), ...tone, ...args, '-preset', 'ultrafast', file);
      }
      const dump = join(directory, `dump-${name}`);
      const result = await runDemo({ file, dump });
      expect(result.difference).toBeUndefined();
      const [only, ...others] = await readdir(dump);
      expect(others).toEqual([]);
      const sent = join(dump, only ?? '');

      const packets = await probePackets(sent);
      const source = await probePackets(file);
      for (const stream of ['video', 'audio']) {
        const contents = (all: typeof packets): string[] =>
          all
            .filter((packet) => packet.stream === stream)
            .map(({ hash, key }) => `${hash} ${key ? 'key' : ''}`);
        expect(contents(packets)).toEqual(contents(source));
      }
      expect(await complaints('ffprobe', '-v', 'warning', '-show_packets', sent)).toBe('');
      expect(await complaints('ffmpeg', '-v', 'warning', '-i', sent, '-f', 'null', '-')).toBe('');

      const codecs = await output('ffprobe', '-v', 'error', ...CODECS, sent);
      const size = `${expected.video},400,300`;
      expect(codecs.split('\n').filter(Boolean)).toEqual(
        expected.audio === undefined ? [size] : [size, expected.audio],
      );
    });

    it.each([
      { gop: 16, fragments: 4, cuts: 0 },
      { gop: 30, fragments: 4, cuts: 1 }, // each GOP is cut once, and the first time it is told
    ])('GOPs of $gop s at 1 fps, in fragments of up to 20 s', async ({ gop, fragments, cuts }) => {
      let film = fileURLToPath(new URL('../media/inputs/gop16.mp4', import.meta.url));
      if (gop !== 16) {
        film = join(directory, `gop${gop}.mp4`);
        const picture = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=1', '-t', String(2 * gop)];
        const codec = ['-c:v', 'libx264', '-x264-params', `keyint=${gop}:scenecut=0`];
        await ffmpeg(...picture, ...codec, '-pix_fmt', 'yuv420p', film);
      }
      const dump = join(directory, `dump-gop${gop}`);
      const told = await sendFilm(film, join(directory, `data-gop${gop}`), dump);
      expect(told.cuts).toBe(cuts);
      expect(told.fragments).toBe(fragments);
      const [only, ...others] = await readdir(dump);
      expect(others).toEqual([]);
      const sent = join(dump, only ?? '');
      const hashes = async (path: string): Promise<string[]> =>
        (await probePackets(path)).map((packet) => packet.hash);
      expect(await hashes(sent)).toEqual(await hashes(film));
      expect(await complaints('ffmpeg', '-v', 'warning', '-i', sent, '-f', 'null', '-')).toBe('');
    });
  },
);

describe.skipIf(!have('mkvinfo'))('what the producer sent, read by mkvinfo', () => {
  it('camera.mp4', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kvs-outside-'));
    try {
      await runDemo({ dump: directory });
      const sent = join(directory, (await readdir(directory))[0] ?? '');
      const { stdout, stderr } = await run('mkvinfo', ['--all', sent], { maxBuffer: 1 << 26 });
      expect(stderr).toBe('');
      expect(stdout).not.toMatch(/warning|error|unknown element/i);
      expect(stdout).toContain('Codec ID: V_MPEG4/ISO/AVC');
      expect(stdout).toMatch(/Pixel width: 400\n.*Pixel height: 300/);
      expect(stdout.match(/Simple block: key/g)?.length).toBe(12);
      expect(stdout.match(/Simple block:/g)?.length).toBe(600);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

/** Puts a film into a service that keeps what it was sent in `dump`. */
async function sendFilm(
  path: string,
  dataDir: string,
  dump: string,
): Promise<{ cuts: number; fragments: number }> {
  const service = await startService({ dataDir, dump });
  const { endpoint } = service;
  const producer = await KinesisVideoProducer.create({ endpoint, credentials: CREDENTIALS });
  try {
    const film = await openMediaFile(path);
    const { tracks, nalAdaptationFlags } = film;
    const given = { streamName: 'camera', tracks, nalAdaptationFlags };
    const stream = await producer.createStream({ ...given, maxFragmentDuration: 20_000 });
    let cuts = 0;
    stream.on('fragmentCutReport', () => (cuts += 1));
    const timeOffsetMs = Date.now() - film.durationMs;
    for await (const frame of film.frames({ timeOffsetMs })) stream.putFrame(frame);
    await stream.stop({ timeoutMs: 30_000 });
    expect(stream.getMetrics()).toMatchObject({ errorAcks: 0, droppedFrames: 0 });
    return { cuts, fragments: (await storedIn(endpoint, 'camera')).fragments.length };
  } finally {
    await producer.close({ timeoutMs: 0 });
    await service.close();
  }
}

const CODECS = ['-show_entries', 'stream=codec_name,width,height', '-of', 'csv=p=0'] as const;

async function output(tool: string, ...args: readonly string[]): Promise<string> {
  return (await run(tool, args, { maxBuffer: 1 << 26 })).stdout;
}

async function complaints(tool: string, ...args: readonly string[]): Promise<string> {
  return (await run(tool, args, { maxBuffer: 1 << 26 })).stderr;
}
