// The tests of the binding with an addon built under address and undefined-behaviour sanitizers:
//   node tools/addon-asan.mjs [TEST FILE…]
// The core's poisoned free space and its asserts are on. Exit code 0 when nothing was found. Takes
// two minutes; needs gcc and its sanitizer libraries. Figures of memory mean nothing there, and the
// shipped addon's symbols are not this one's: those two test files are left out.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesUnder } from './lib/source.mjs';
import { run } from './lib/run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const MINUTE = 60_000;
const LEFT_OUT = ['memory', 'symbols'];

async function must(command, env = {}) {
  const done = await run(command, { cwd: root, limitMs: 10 * MINUTE, env, echo: true });
  if (done.code !== 0) {
    console.error(`addon-asan: ${command.join(' ')}: ${done.code}`);
    process.exit(1);
  }
}

/** The sanitizers' libraries go first into the process, since node itself is built without. */
function preloads() {
  return ['libasan.so', 'libubsan.so'].map((name) => {
    const found = spawnSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' });
    const file = found.stdout?.trim() ?? '';
    if (found.status !== 0 || !existsSync(file)) {
      console.error(`addon-asan: gcc does not find ${name} (apt-get install gcc)`);
      process.exit(1);
    }
    return file;
  });
}

function testFiles() {
  if (process.argv.length > 2) return process.argv.slice(2);
  const tests = filesUnder(root, 'test/binding').filter((file) => file.endsWith('.test.ts'));
  return tests.filter((file) => !LEFT_OUT.some((name) => file.endsWith(`/${name}.test.ts`)));
}

const env = {
  // Node leaves much to the end of the process; arenas are filled, so that nothing counts on zeroes.
  ASAN_OPTIONS: 'detect_leaks=0:max_malloc_fill_size=1048576',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  LD_PRELOAD: preloads().join(' '),
  KINESIS_VIDEO_PREBUILD: join(root, 'build-asan'), // node-gyp-build looks for build/Debug in it
};
const cmakeJs = [process.execPath, 'node_modules/cmake-js/bin/cmake-js'];
const where = ['--out', 'build-asan/build', '--debug', '--prefer-make', '--log-level', 'error'];
const flags = ['--CDKVS_SANITIZE=address,undefined', '--CDCMAKE_C_FLAGS_DEBUG=-g -O1'];
await must([...cmakeJs, 'configure', ...where, ...flags, '--CDCMAKE_CXX_FLAGS_DEBUG=-g -O1']);
await must([...cmakeJs, 'build', ...where]);
await must([process.execPath, 'node_modules/vitest/vitest.mjs', 'run', ...testFiles()], env);
