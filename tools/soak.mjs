// What takes longer than `npm test` may: `npm run soak [-- MINUTES]`, by default 10, or one part of it:
// `npm run soak -- power`, the store on 100,000 states of a disk whose power failed.
// Each fuzz target by libFuzzer for its share of half the time (where clang and its runtime are
// there), the replays with a thousand times the changes under sanitizers, the addon's tests under
// sanitizers, the core's under valgrind and on other processors, and all tests with KVS_SOAK=1,
// which tells them to do their sweeps at full length. Inputs that crash stay in build-core/soak.
// The last line is `N passed, N failed, N skipped`.
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesUnder } from './lib/source.mjs';
import { run, toolNamed } from './lib/run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const MINUTE = 60_000;
const minutes = Number(process.argv[2] ?? 10);
const count = { passed: 0, failed: 0, skipped: 0 };

async function step(name, command, limitMs, env = {}) {
  console.log(`--- ${name}: ${command.join(' ')}`);
  const done = await run(command, { cwd: root, limitMs, env, echo: true });
  const passed = done.code === 0;
  count[passed ? 'passed' : 'failed'] += 1;
  console.log(`--- ${name}: ${passed ? 'passed' : done.code} after ${done.seconds.toFixed(0)} s`);
  return passed;
}

function skip(name, why) {
  count.skipped += 1;
  console.log(`--- ${name}: skipped: ${why}`);
}

async function build(preset, ...options) {
  const configure = ['cmake', '--preset', preset, ...options];
  const configured = await step(`configure ${preset}`, configure, 2 * MINUTE);
  const command = ['cmake', '--build', '--preset', preset, '--parallel', '2'];
  return configured && (await step(`build ${preset}`, command, 10 * MINUTE));
}

async function fuzz(names) {
  const clang = toolNamed('clang');
  if (clang === undefined) {
    skip('libFuzzer', 'clang is not installed (apt-get install clang-14 libclang-rt-14-dev)');
    return;
  }
  if (!(await build('fuzz', `-DCMAKE_C_COMPILER=${clang}`))) return;
  const seconds = Math.ceil((minutes * 30) / Math.max(1, names.length));
  for (const name of names) {
    const found = join('build-core', 'soak', name);
    mkdirSync(join(root, found), { recursive: true });
    const corpus = join('test/fuzz/corpus', name.replace(/_fuzz$/, ''));
    const folders = filesUnder(root, corpus).length > 0 ? [found, corpus] : [found];
    const options = [`-max_total_time=${seconds}`, `-artifact_prefix=${found}/`, '-timeout=20'];
    const program = join('build-core/fuzz', `${name}_live`);
    await step(`fuzz ${name}`, [program, ...options, ...folders], seconds * 1000 + 2 * MINUTE);
  }
}

async function replay(names) {
  if (!(await build('asan'))) return;
  for (const name of names) {
    const corpus = join('test/fuzz/corpus', name.replace(/_fuzz$/, ''));
    const command = [join('build-core/asan', name), '--runs', '2000000', corpus];
    await step(`replay ${name}`, command, 30 * MINUTE);
  }
}

function finish() {
  console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  process.exit(count.failed === 0 ? 0 : 1);
}

const vitest = [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', '--testTimeout=1800000'];
if (process.argv[2] === 'power') {
  const test = 'test/lib/service/power-loss.test.ts';
  const env = { KVS_POWER_STATES: process.env.KVS_POWER_STATES ?? '100000' };
  await step('power', [...vitest, test], 240 * MINUTE, env);
  finish();
}
if (!(minutes > 0)) {
  console.error(`soak: MINUTES is a number above 0, or "power", not "${process.argv[2]}"`);
  process.exit(2);
}
const names = filesUnder(root, 'test/fuzz')
  .filter((path) => /^test\/fuzz\/\w+_fuzz\.c$/.test(path))
  .map((path) => basename(path, '.c'));
await fuzz(names);
await replay(names);
await step('addon under sanitizers', [process.execPath, 'tools/addon-asan.mjs'], 20 * MINUTE);
await step('core under valgrind', ['sh', 'tools/valgrind-core.sh'], 60 * MINUTE);
await step('core on other processors', ['sh', 'tools/cross-test.sh'], 60 * MINUTE);
await step('tests', vitest, 60 * MINUTE, { KVS_SOAK: '1' });
finish();
