import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeMp4 } from '../../../lib/consumer/mp4-file.js';
import { have, run } from '../parser/media.js';

const pictures = (file: string): (string | undefined)[] =>
  run('ffmpeg', '-v', 'warning', '-i', file, '-map', '0:v', '-f', 'framemd5', '-')
    .out.split('\n')
    .filter((text) => /^\d,/.test(text))
    .map((text) => text.split(',').at(-1)?.trim());

describe.skipIf(!have('ffmpeg') || !have('ffprobe'))('writeMp4 (ffmpeg, ffprobe)', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'kvs-mp4-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each([
    ['hevc', 'libx265', 'aac', ['-x265-params', 'log-level=none:bframes=3']],
    ['h264', 'libx264', 'opus', ['-bf', '3', '-b_strategy', '0']],
  ])('holds %s by %s and %s', async (codec, encoder, audio, more) => {
    const from = join(directory, `${codec}.mkv`);
    const to = join(directory, `${codec}.mp4`);
    const video = ['-f', 'lavfi', '-i', 'testsrc2=size=128x96:rate=25:duration=3'];
    const sound = ['-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=3'];
    const encode = ['-c:v', encoder, '-preset', 'ultrafast', ...more, '-g', '25'];
    const tone = ['-c:a', audio === 'opus' ? 'libopus' : 'aac'];
    run('ffmpeg', '-v', 'error', ...video, ...sound, ...encode, ...tone, from);
    const written = await writeMp4(from, to);
    expect(written.frames).toBeGreaterThan(200);
    const entries = 'stream=codec_name,nb_frames,width,sample_rate,channels';
    const { out, err } = run(
      'ffprobe',
      '-v',
      'warning',
      '-show_entries',
      entries,
      '-of',
      'csv=p=0',
      to,
    );
    expect(err).toBe('');
    expect(out).toMatch(new RegExp(`^${codec},128,75$`, 'm'));
    expect(out).toMatch(new RegExp(`^${audio},48000,1,\\d+$`, 'm'));
    expect(pictures(to)).toEqual(pictures(from));
    expect(pictures(to)).toHaveLength(75);
  });

  it('stops when the signal aborts', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const from = join(directory, 'h264.mkv');
    await expect(writeMp4(from, join(directory, 'none.mp4'), signal)).rejects.toThrow();
  });
});
