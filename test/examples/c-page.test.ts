// The commands and the program of docs/c.md, as they stand there: the library is built, installed
// and linked by programs that see nothing else of this checkout; then examples/c with a real file.
import { spawnSync } from 'node:child_process';
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFrames } from '../../lib/parser/index.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs/c.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'kvs-c-page-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function block(head: string): string {
  const found = [...PAGE.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].filter(
    (hit) => hit[1] === head,
  );
  expect(found).toHaveLength(1);
  return found[0]?.[2] ?? '';
}

function run(command: string, args: readonly string[]): string {
  const env = {
    ...process.env,
    PREFIX: join(folder, 'installed'),
    CMAKE_BUILD_PARALLEL_LEVEL: '2',
  };
  const done = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8' });
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  return done.stdout;
}

async function countFrames(path: string): Promise<number> {
  let frames = 0;
  for await (const _frame of readFrames(createReadStream(path))) frames += 1;
  return frames;
}

const lacks = (tool: string, version: string): boolean => spawnSync(tool, [version]).status !== 0;
const missing = lacks('cmake', '--version') || lacks('cc', '--version');

describe.skipIf(missing)('the core in C (needs cmake and cc)', () => {
  beforeAll(() => {
    writeFileSync(join(folder, 'program.c'), block('c program'));
    run('sh', ['-euc', block('sh').replaceAll('-S . -B build-c', `-S "${ROOT}" -B build-c`)]);
  }, 900_000);

  it('uploads the frames of the program in docs/c.md', async () => {
    expect(run('./program', ['out.mkv'])).toBe('all is stored\n');
    expect(await countFrames(join(folder, 'out.mkv'))).toBe(250);
  });

  it.skipIf(lacks('ffmpeg', '-version'))(
    'examples/c/upload.c: an H.264 file goes in and comes out as Matroska (needs ffmpeg)',
    async () => {
      const source = join(ROOT, 'examples/c/upload.c');
      const command = `cc -std=c11 -I"$PREFIX/include" "${source}" -L"$PREFIX/lib" -lkvs -o upload`;
      run('sh', ['-euc', command]);
      const clip = join(ROOT, 'media/camera.mp4');
      run('ffmpeg', ['-v', 'error', '-i', clip, '-map', '0:v:0', '-c', 'copy', 'camera.h264']);
      const said = run('./upload', ['camera.h264', 'camera.mkv']);
      expect(said).toMatch(/^600 frames, .* 0 dropped, all persisted$/m);
      expect(await countFrames(join(folder, 'camera.mkv'))).toBe(600);
    },
  );
});
