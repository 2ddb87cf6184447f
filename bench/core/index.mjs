// The C core: speed, instructions, and how much of its arena is usable.
//   npm run bench -- core [--only NAME,…] [--json]
// Builds bench_core with -O2 (preset `profile`); `aPortable` is `a` as on a processor without SIMD.
// Instructions are counted by callgrind, with `rep movsb` off, since valgrind counts that one
// instruction once per byte.
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export const about = 'the C core: put, take and ack, start codes, heap, sizes, instructions';

const root = fileURLToPath(new URL('../../', import.meta.url));
const build = join(root, 'build-core', 'profile');
const noRepMovsb = 'glibc.cpu.x86_rep_movsb_threshold=1073741824';

// key, what bench_core prints it under, unit, goal (at most, or at least), AWS's C client
const ROWS = [
  ['a.ratio', 'a', 'ratio', '× two memcpy', 2.0, 125],
  ['aPortable.ratio', 'a-portable', 'ratio', '× two memcpy', 4.0, 125],
  ['aNoNal.ratio', 'a-avcc', 'ratio', '× two memcpy', 1.4, 2.4],
  ['b.ns', 'b', 'ns', 'ns', 100, 502],
  ['c.ratio', 'c', 'ratio', '× two memcpy', 2.0, 108],
  ['keyFrame100k.putUs', 'key-frame', 'putUs', 'µs', 15, 1158],
  ['scan.gbPerSec', 'scan', 'gbPerSec', 'GB/s', -20, undefined],
  ['heap.pairNs', 'pair', 'pairNs', 'ns', 40, 290],
  ['heap.usable1', 'usable', 'usable1', 'of 64 MiB', -0.99, 0.994],
  ['heap.usable16', 'usable', 'usable16', 'of 64 MiB', -0.98, undefined],
  ['heap.usable200B', 'usable', 'usable200B', 'of 64 MiB', -0.78, 0.8065],
  ['bytesPerFrame', 'sizes', 'bytesPerFrame', 'bytes', 40, 96],
  ['emptyStreamBytes', 'sizes', 'emptyStreamBytes', 'bytes', 16384, 114688],
  ['backlogGrowth', 'backlog', 'growth', '× from 100 to 1,000,000 frames', 1.5, 58],
  ['streamGrowth', 'streams', 'growth', '× from 1 to 128 streams', 1.5, undefined],
];
const COUNTED = [
  ['a.instructions', 'a', 300, 900, 12000, 1028305],
  ['b.instructions', 'b', 4800, 14400, 820, 4919],
];
// The same growth in instructions: what is above 1 in the times and not here is the caches'.
// key, what bench_core runs, its function that is counted, the sizes at both ends, goal
const GROWN = [
  ['backlogGrowth.instructions', 'run-backlog', 'backlog_round', 100, 1_000_000, 1.01],
  ['streamGrowth.instructions', 'run-streams', 'stream_round', 1, 128, 1.01],
];
const MAX_CODE = 112 * 1024;

/** Builds the program, quietly unless that fails; returns its path. */
export function buildBench() {
  for (const args of [
    ['--preset', 'profile'],
    ['--build', '--preset', 'profile', '--target', 'bench_core'],
  ]) {
    const { status, stdout, stderr } = spawnSync('cmake', args, { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(`cmake ${args.join(' ')} failed:\n${stdout ?? ''}${stderr}`);
  }
  return join(build, 'bench_core');
}

export function hasValgrind() {
  return spawnSync('valgrind', ['--version']).status === 0;
}

function collected(program, name, size, options = []) {
  const { status, stderr } = spawnSync(
    'valgrind',
    [
      ...['--tool=callgrind', '--callgrind-out-file=/dev/null', ...options],
      ...[program, name, String(size)],
    ],
    { encoding: 'utf8', env: { ...process.env, GLIBC_TUNABLES: noRepMovsb } },
  );
  const count = /Collected : (\d+)/.exec(stderr)?.[1];
  if (status !== 0 || count === undefined) throw new Error(`callgrind failed:\n${stderr}`);
  return Number(count);
}

/** Instructions for put, take and ack of one frame of load `name`: what more frames cost more. */
export function countInstructions(program, name, few, many) {
  const more = collected(program, `run-${name}`, many) - collected(program, `run-${name}`, few);
  return Math.round(more / (many - few));
}

/** Instructions within `counted` with `many` of something, over those with `few`. */
function countGrowth(program, name, counted, few, many) {
  const [first, last] = [few, many].map((size) =>
    collected(program, name, size, [`--toggle-collect=${counted}`]),
  );
  return Number((last / first).toFixed(3));
}

/** Code and constants of the static library. */
function codeBytes() {
  const lines = execFileSync('size', [join(build, 'libkvs.a')], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .slice(1);
  return lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[0]), 0);
}

const isGood = (value, goal) => (goal < 0 ? value >= -goal : value <= goal);
const row = (key, value, unit, goal, aws) => [
  key,
  String(value),
  unit,
  `${goal < 0 ? '≥' : '≤'} ${Math.abs(goal).toLocaleString('en')}`,
  isGood(value, goal) ? 'yes' : 'NO',
  aws === undefined ? '–' : aws.toLocaleString('en'),
];

export async function run({ args }) {
  const { values } = parseArgs({ args, options: { only: { type: 'string' } }, strict: false });
  const only = typeof values.only === 'string' ? values.only.split(',') : undefined;
  const wanted = (key) => only === undefined || only.some((prefix) => key.startsWith(prefix));
  const program = buildBench();
  const printed = new Map();
  const table = [['figure', 'here', 'unit', 'goal', 'met', 'AWS']];
  const json = {};
  const add = (key, value, unit, goal, aws) => {
    json[key] = value;
    table.push(row(key, value, unit, goal, aws));
  };
  for (const [key, name, field, unit, goal, aws] of ROWS.filter(([key]) => wanted(key))) {
    if (!printed.has(name)) {
      printed.set(name, JSON.parse(execFileSync(program, [name], { encoding: 'utf8' })));
    }
    add(key, printed.get(name)[field], unit, goal, aws);
  }
  const skip = (key) => table.push([key, 'skipped: valgrind is not installed', '', '', '', '']);
  for (const [key, name, few, many, goal, aws] of COUNTED.filter(([key]) => wanted(key))) {
    if (hasValgrind()) add(key, countInstructions(program, name, few, many), 'a frame', goal, aws);
    else skip(key);
  }
  for (const [key, name, counted, few, many, goal] of GROWN.filter(([key]) => wanted(key))) {
    if (hasValgrind()) add(key, countGrowth(program, name, counted, few, many), '×', goal);
    else skip(key);
  }
  if (wanted('codeBytes')) add('codeBytes', codeBytes(), 'bytes', MAX_CODE, undefined);
  return { table, json };
}
