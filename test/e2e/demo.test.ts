import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMediaFile } from '../../lib/sources/index.js';
import { annexBOf } from '../support/annexb.js';
import { ffmpeg, have } from '../support/media-tools.js';

const CAMERA = fileURLToPath(new URL('../../media/camera.mp4', import.meta.url));
const KVS = fileURLToPath(new URL('../../dist/cli/kvs.js', import.meta.url));

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command as a user does. */
function kvs(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [KVS, ...args],
      { env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
  });
}

describe.skipIf(!existsSync(KVS))('kvs demo (needs npm run build)', () => {
  let directory = '';
  let temporary = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-e2e-'));
    temporary = await mkdtemp(join(tmpdir(), 'kvs-e2e-tmp-'));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
    await rm(temporary, { recursive: true, force: true });
  });
  const demo = (...args: readonly string[]): Promise<Ended> =>
    kvs({ TMPDIR: temporary }, 'demo', ...args);

  it('streams the camera clip, shows a table and a verdict, leaves nothing behind', async () => {
    const ended = await demo('--json');
    expect(ended, ended.stderr).toMatchObject({ status: 0 });
    expect(ended.stdout).toMatch(/frames +600\n.*fragments +12\n/s);
    expect(ended.stdout).toMatch(/OK: all 600 frames came back byte for byte/);
    expect(lastLine(ended.stdout)).toMatchObject({ equal: true, frames: 600, fragments: 12 });
    expect(ended.stderr).toMatch(/^upload +\d+ %/m);
    expect(ended.stderr).toMatch(/^read back 100 % +600 of 600 frames equal$/m);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('names the first frame that differs and exits 1', async () => {
    const planted = join(directory, 'planted.mp4');
    await writeFile(planted, await withOneBitChanged(321));
    const ended = await demo('--against', planted, '--json');
    expect(ended.status).toBe(1);
    expect(ended.stdout).toMatch(
      /FAILED: frame 321 \(track 1, \d+ ms\) differs at byte 5 of \d+: 0x.. was sent, 0x.. came back/,
    );
    expect(lastLine(ended.stdout)).toMatchObject({ equal: false, framesEqual: 320 });
  });

  it('names the first frame that is absent, and one that was never sent', async () => {
    const whole = join(directory, 'whole.h264');
    const short = join(directory, 'short.h264');
    await writeFile(whole, await annexBOf(CAMERA, 600));
    await writeFile(short, await annexBOf(CAMERA, 500));
    const more = await demo('--file', whole, '--against', short);
    expect(more.status).toBe(1);
    expect(more.stdout).toMatch(
      /FAILED: frame 501 \(track 1, \d+ ms\) came back but was never sent/,
    );
    const fewer = await demo('--file', short, '--against', whole);
    expect(fewer.status).toBe(1);
    expect(fewer.stdout).toMatch(/FAILED: frame 501 \(track 1, .*\) did not come back/);
  });

  it('--keep leaves the data directory and says where', async () => {
    const ended = await demo('--keep', '--json');
    expect(ended.status).toBe(0);
    const kept = /data directory +(\S+)/.exec(ended.stdout)?.[1] ?? '';
    expect((await readdir(kept)).length).toBeGreaterThan(0);
    await rm(kept, { recursive: true });
  });

  it('refuses a data directory that is not empty, a file that is not there', async () => {
    const used = await demo('--data-dir', directory);
    expect(used).toMatchObject({ status: 1, stdout: '' });
    expect(used.stderr).toMatch(/^kvs: the data directory .* is not empty/m);
    const none = await demo('--file', join(directory, 'none.mkv'));
    expect(none).toMatchObject({ status: 1, stdout: '' });
    expect(none.stderr).toMatch(/^kvs: cannot open the media file .*none\.mkv: ENOENT/m);
  });

  it('streams raw H.264', async () => {
    const path = join(directory, 'camera.h264');
    await writeFile(path, await annexBOf(CAMERA, 600));
    const ended = await demo('--file', path, '--frame-rate', '50', '--json');
    expect(ended, ended.stderr).toMatchObject({ status: 0 });
    expect(lastLine(ended.stdout)).toMatchObject({ equal: true, frames: 600 });
  });

  it('streams a file several times over', async () => {
    const ended = await demo('--loop', '5', '--json');
    expect(ended, ended.stderr).toMatchObject({ status: 0 });
    expect(lastLine(ended.stdout)).toMatchObject({ equal: true, frames: 3000, fragments: 60 });
  });

  it.skipIf(!have('ffmpeg')).each([
    ['tone.mkv', ['-c:v', 'copy', '-c:a', 'aac']],
    ['tone.mp4', ['-c:v', 'copy', '-c:a', 'aac']],
    [
      'h265.mkv',
      ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-an'],
    ],
    [
      '29.97.mp4',
      [
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-bf',
        '3',
        '-r',
        '30000/1001',
        '-g',
        '60',
        '-an',
      ],
    ],
  ])('streams %s made by ffmpeg', async (name, args) => {
    const path = join(directory, name);
    const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'];
    await ffmpeg('-i', CAMERA, ...tone, '-t', '6', ...args, path);
    const ended = await demo('--file', path, '--json');
    expect(ended, ended.stdout + ended.stderr).toMatchObject({ status: 0 });
    expect(lastLine(ended.stdout)).toMatchObject({ equal: true });
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const env = { ...process.env, TMPDIR: temporary };
    const child = spawn(process.execPath, [KVS, 'demo', '--loop', '400'], { env });
    let progress = '';
    for await (const chunk of child.stderr) {
      progress += String(chunk);
      if (progress.includes('kvs: ')) break;
      if (progress.includes('25 %')) child.kill('SIGINT');
    }
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(1);
    expect(progress).toMatch(/^kvs: interrupted$/m);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('lists its options', async () => {
    const ended = await demo('--help');
    expect(ended.status).toBe(0);
    for (const option of ['--file', '--keep', '--loop', '--json', '--against', '--data-dir']) {
      expect(ended.stdout).toContain(option);
    }
  });
});

function lastLine(text: string): unknown {
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');
}

/** The clip with one bit changed in the sixth byte of frame `number` (from 1, in decoding order). */
async function withOneBitChanged(number: number): Promise<Uint8Array> {
  const bytes = await readFile(CAMERA);
  const frame = await frameOf(number);
  const at = bytes.indexOf(frame);
  bytes[at + 5] = (bytes[at + 5] ?? 0) ^ 1;
  return bytes;
}

async function frameOf(number: number): Promise<Uint8Array> {
  let count = 0;
  for await (const frame of (await openMediaFile(CAMERA)).frames()) {
    count += 1;
    if (count === number) return frame.frameData;
  }
  throw new Error(`the clip has no frame ${number}`);
}
