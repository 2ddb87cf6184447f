// What a link delivers that is slower than its cameras.
//   npm run bench -- pressure [--only NAME,…] [--seconds N] [--no-package] [--json]
// The C core in simulated time, twenty minutes of media for each plan; then the whole package in
// real time (180 s, the first 60 not counted) over a link with socket buffers of 64 KiB.
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runPackage } from './package.mjs';

export const about = 'what arrives over a link slower than its cameras, of what could';

const root = fileURLToPath(new URL('../../', import.meta.url));
const CORE_GOAL = 0.95;
const PACKAGE_GOAL = 0.93;

/** Builds the program, quietly unless that fails; returns its path. */
export function buildPressure() {
  for (const args of [
    ['--preset', 'profile'],
    ['--build', '--preset', 'profile', '--target', 'bench_pressure'],
  ]) {
    const { status, stdout, stderr } = spawnSync('cmake', args, { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(`cmake ${args.join(' ')} failed:\n${stdout ?? ''}${stderr}`);
  }
  return join(root, 'build-core', 'profile', 'bench_pressure');
}

const run1 = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' }).trim();

/** The figures of each plan, by name. */
export function runCore(program, wanted = () => true) {
  const names = run1(program).split('\n').filter(wanted);
  return Object.fromEntries(names.map((name) => [name, JSON.parse(run1(program, name))]));
}

function row(name, figures, goal) {
  const { goodput, breaks, falseDrops } = figures;
  const good = goodput >= goal && breaks === 0 && falseDrops === 0;
  return [
    name,
    goodput.toFixed(3),
    `≥ ${goal}`,
    String(breaks),
    String(falseDrops),
    good ? 'yes' : 'NO',
  ];
}

const sumOf = (results, key) =>
  Object.values(results).reduce((sum, figures) => sum + figures[key], 0);

export async function run({ args }) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      seconds: { type: 'string', default: '180' },
      'no-package': { type: 'boolean', default: false },
    },
  });
  const only = values.only?.split(',');
  const program = buildPressure();
  const core = runCore(program, (name) => only === undefined || only.includes(name));
  const withPackage = !values['no-package'] && only === undefined;
  const whole = withPackage ? await runPackage(program, Number(values.seconds)) : {};
  const table = [
    ['plan', 'goodput', 'goal', 'breaks', 'false drops', 'met'],
    ...Object.entries(core).map(([name, figures]) => row(name, figures, CORE_GOAL)),
    ...Object.entries(whole).map(([name, figures]) => row(name, figures, PACKAGE_GOAL)),
  ];
  const all = { ...core, ...whole };
  const json = Object.fromEntries(
    Object.entries(all).map(([name, { goodput }]) => [name, goodput]),
  );
  json.breaks = sumOf(all, 'breaks');
  json.falseDrops = sumOf(all, 'falseDrops');
  json.silentLosses = sumOf(core, 'silentLosses');
  return { table, json };
}
