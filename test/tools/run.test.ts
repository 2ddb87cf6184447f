// `npm test` itself: its closing line, its exit code, and that nothing is skipped in silence.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from '../../tools/lib/run.mjs';
import { eventually } from '../support/eventually.js';

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

/** A checkout with one test that hangs, and one beside it that does not. */
function withHangingTest(): void {
  withFlakyTest();
  rmSync(join(root, 'flaky.test.js'));
  writeFileSync(
    join(root, 'slow.test.js'),
    `import { it } from 'vitest';
it('is over at once', () => {});
it('never comes back', () => new Promise((done) => setTimeout(done, 1e6)), 1e6);
`,
  );
}

it('ends a step that says nothing any more, and names what was running', () => {
  withHangingTest();
  const done = test(['vitest'], { CI: '', KVS_QUIET_SECONDS: '10' });
  expect(done.lines.slice(-4).join('\n')).toMatch(
    /FAILED .*not a word for 10 s; running:\n +- slow.test.js: never comes back/,
  );
  expect(done.lines.at(-1)).toBe('0 passed, 1 failed, 0 skipped');
});

it('leaves a step alone that takes long and still says something', async () => {
  const say =
    'let n = 0; const t = setInterval(() => { console.log(n); if (++n > 8) clearInterval(t) }, 200)';
  const done = await run([process.execPath, '-e', say], { cwd: root, quietMs: 1500 });
  expect(done.code).toBe(0);
  expect(done.seconds).toBeGreaterThan(1.5);
});

it('names what was running when it is ended from outside', async () => {
  withHangingTest();
  const running = join(root, 'build-core/vitest-running.json');
  const child = spawn(process.execPath, ['tools/test.mjs', 'hygiene', 'vitest'], { cwd: root });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await eventually(() => {
    expect(readFileSync(running, 'utf8')).toContain('never comes back');
  });
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  expect(text).toMatch(
    /passed +hygiene .*\nFAILED +vitest .*SIGTERM; running:\n.*never comes back/,
  );
  expect(text).toMatch(/\n1 passed, 1 failed, 0 skipped\n$/);
  expect(code).toBe(143);
});
