// `npm test` itself: its closing line, its exit code, and that nothing is skipped in silence.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const TOOLS = fileURLToPath(new URL('../../tools', import.meta.url));

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kvs-run-'));
  cpSync(TOOLS, join(root, 'tools'), { recursive: true });
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function test(
  args: readonly string[],
  path = process.env['PATH'],
): { code: number | null; lines: string[] } {
  const done = spawnSync(process.execPath, ['tools/test.mjs', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
  });
  return { code: done.status, lines: (done.stdout + done.stderr).trimEnd().split('\n') };
}

it('ends with the count and exit code 0', () => {
  const done = test(['hygiene']);
  expect(done.lines.at(-1)).toBe('1 passed, 0 failed, 0 skipped');
  expect(done.code).toBe(0);
});

it('shows the output of a step that failed, goes on, and ends with exit code 1', () => {
  writeFileSync(join(root, 'bad.md'), 'one\r\ntwo\r\n');
  mkdirSync(join(root, 'lib/base'), { recursive: true });
  writeFileSync(join(root, 'lib/base/a.ts'), 'export const A = 1;\n');
  const done = test(['hygiene', 'state']);
  expect(done.lines).toContain('check-hygiene: bad.md: lines end with CR LF');
  expect(done.lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped');
  expect(done.code).toBe(1);
});

it('skips a step whose tool is missing by name, with the way to get it', () => {
  const done = test(['clang-format'], join(root, 'nothing'));
  expect(done.lines.join('\n')).toMatch(/skipped +clang-format .*not installed \(apt-get install/);
  expect(done.lines.at(-1)).toBe('0 passed, 0 failed, 1 skipped');
  expect(done.code).toBe(0);
});

it('refuses a step that does not exist', () => {
  const done = test(['hygiene', 'zebra']);
  expect(done.lines.at(-1)).toMatch(/no such step: zebra/);
  expect(done.code).toBe(2);
});
