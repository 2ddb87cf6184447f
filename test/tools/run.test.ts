// `npm test` itself: its closing line, its exit code, and that nothing is skipped in silence.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
  env: Readonly<Record<string, string>> = {},
): { code: number | null; lines: string[] } {
  const done = spawnSync(process.execPath, ['tools/test.mjs', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
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
  const done = test(['clang-format'], { PATH: join(root, 'nothing') });
  expect(done.lines.join('\n')).toMatch(/skipped +clang-format .*not installed \(apt-get install/);
  expect(done.lines.at(-1)).toBe('0 passed, 0 failed, 1 skipped');
  expect(done.code).toBe(0);
});

it('refuses a step that does not exist', () => {
  const done = test(['hygiene', 'zebra']);
  expect(done.lines.at(-1)).toMatch(/no such step: zebra/);
  expect(done.code).toBe(2);
});

/** A checkout whose vitest runs one test that passes the second time only. */
function withFlakyTest(): void {
  symlinkSync(
    fileURLToPath(new URL('../../node_modules', import.meta.url)),
    join(root, 'node_modules'),
  );
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(
    join(root, 'flaky.test.js'),
    `import { existsSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
it('once is not enough', () => {
  const again = existsSync('was-here');
  writeFileSync('was-here', '');
  expect(again).toBe(true);
});
`,
  );
}

it('names the tests that failed in its last lines', () => {
  withFlakyTest();
  const done = test(['vitest'], { CI: '' });
  expect(done.lines.slice(-4).join('\n')).toMatch(
    /FAILED .*failed:\n +- once is not enough: Asser/,
  );
  expect(done.lines.at(-1)).toBe('0 passed, 1 failed, 0 skipped');
});

it('runs what failed once more on a build server, and names what passes then', () => {
  withFlakyTest();
  const done = test(['vitest'], { CI: 'true' });
  expect(done.lines.slice(-5).join('\n')).toMatch(
    /passed .*0 of 1 tests\n +passed only when run again:\n +- once is not enough: Asser/,
  );
  expect(done.lines.at(-1)).toBe('1 passed, 0 failed, 0 skipped');
});

it('says what was thrown outside of tests', () => {
  withFlakyTest();
  writeFileSync(
    join(root, 'flaky.test.js'),
    `import { it } from 'vitest';
it('leaves something behind', async () => {
  void Promise.reject(new TypeError('nobody waited for this'));
  await new Promise((done) => setTimeout(done, 10));
});
`,
  );
  const done = test(['vitest'], { CI: 'true' });
  expect(done.lines.slice(-4).join('\n')).toMatch(
    /every test passed, but:\n +- TypeError: nobody wa/,
  );
  expect(done.code).toBe(1);
});
