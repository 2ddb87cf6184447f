// The commands and the program of docs/c.md, as they stand there: the library is built, installed
// and linked by a program that sees nothing of this checkout.
import { spawnSync } from 'node:child_process';
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
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

const missing = ['cmake', 'cc'].find((tool) => spawnSync(tool, ['--version']).status !== 0);

it.skipIf(missing !== undefined)(
  'docs/c.md: its commands build its program, and the program uploads its frames',
  { timeout: 300_000 },
  async () => {
    writeFileSync(join(folder, 'program.c'), block('c program'));
    const commands = block('sh').replaceAll('-S . -B build-c', `-S "${ROOT}" -B build-c`);
    run('sh', ['-euc', commands]);
    expect(run('./program', ['out.mkv'])).toBe('all is stored\n');
    let frames = 0;
    let keys = 0;
    for await (const frame of readFrames(createReadStream(join(folder, 'out.mkv')))) {
      frames += 1;
      keys += frame.keyFrame ? 1 : 0;
      expect(frame.data).toHaveLength(5000);
    }
    expect([frames, keys]).toEqual([250, 10]);
  },
);
