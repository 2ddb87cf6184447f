// Which lines and branches of native/core its own tests reach, by gcov.
//   node tools/coverage-core.mjs [--missing] [--no-run] [FILE…]
//     --missing   also prints the lines and branches that no test reached (of FILE… alone if given)
//     --no-run    reads the counts of the last run
// Prints a row for each file and the total; exit code 1 below the floors. A file that this
// processor cannot run is left out by name: no test here could reach it.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, versionOf } from './lib/run.mjs';
import { filesUnder, readText } from './lib/source.mjs';

const FLOOR = { lines: 98, branches: 95 };
const MINUTE = 60_000;
const OBJECTS = join('build-core', 'coverage', 'CMakeFiles', 'kvs.dir', 'native', 'core');
const root = fileURLToPath(new URL('..', import.meta.url));

/** Files that need a processor of another kind, with the kind that runs them. */
const FOREIGN = [
  { file: 'nal_neon.c', cpus: ['arm64'] },
  { file: 'nal_sse2.c', cpus: ['x64', 'ia32'] },
  { file: 'nal_avx2.c', cpus: ['x64'] },
];

async function must(command, limitMs) {
  const done = await run(command, { cwd: root, limitMs });
  if (done.code === 0) return;
  process.stdout.write(done.output);
  throw new Error(`${command.join(' ')}: exit code ${done.code}`);
}

async function runTests() {
  await must(['cmake', '--preset', 'coverage'], MINUTE);
  await must(['cmake', '--build', '--preset', 'coverage', '--parallel', '2'], 5 * MINUTE);
  for (const path of counterFiles()) rmSync(join(root, OBJECTS, path));
  await must(['ctest', '--preset', 'coverage', '--parallel', '2'], 5 * MINUTE);
}

function counterFiles() {
  const folder = join(root, OBJECTS);
  return filesUnder(folder, '').filter((path) => path.endsWith('.gcda'));
}

/** What gcov says of one object: `[{ file, lines: [{ line_number, count, branches }] }]`. */
function readCounts(path) {
  const args = ['--json-format', '--stdout', '--branch-probabilities', path];
  const done = spawnSync('gcov', args, {
    cwd: join(root, OBJECTS),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (done.status !== 0) throw new Error(`gcov ${path}: ${done.error?.message ?? done.stderr}`);
  return done.stdout
    .split('\n')
    .filter((text) => text.startsWith('{'))
    .flatMap((text) => JSON.parse(text).files);
}

/** Adds one object's counts; a header's inline functions stand in many objects. */
function addCounts(sources, { file, lines }) {
  const name = basename(file);
  if (!file.includes('native/core/')) return;
  const source = sources.get(name) ?? new Map();
  sources.set(name, source);
  for (const { line_number: number, count, branches } of lines) {
    const line = source.get(number) ?? { count: 0, branches: [] };
    source.set(number, line);
    line.count += count;
    branches.forEach((branch, i) => {
      line.branches[i] = (line.branches[i] ?? 0) + branch.count;
    });
  }
}

function share(hit, all) {
  return all === 0 ? 100 : (100 * hit) / all;
}

function summary(lines) {
  const counts = [...lines.values()];
  const branches = counts.flatMap((line) => line.branches);
  return {
    lines: counts.length,
    linesHit: counts.filter((line) => line.count > 0).length,
    branches: branches.length,
    branchesHit: branches.filter((count) => count > 0).length,
  };
}

function printRow(name, one) {
  const lines = `${share(one.linesHit, one.lines).toFixed(1)} %`.padStart(8);
  const branches = `${share(one.branchesHit, one.branches).toFixed(1)} %`.padStart(8);
  const left = `${one.lines - one.linesHit} of ${one.lines}`.padStart(12);
  const leftBranches = `${one.branches - one.branchesHit} of ${one.branches}`.padStart(13);
  console.log(`${name.padEnd(20)}${lines}${left}  ${branches}${leftBranches}`);
}

function printMissing(name, lines) {
  const text = readText(root, join('native', 'core', name)).split('\n');
  for (const [number, { count, branches }] of [...lines].sort((a, b) => a[0] - b[0])) {
    const missed = branches.filter((taken) => taken === 0).length;
    if (count > 0 && missed === 0) continue;
    const what = count === 0 ? 'line    ' : `${missed} of ${branches.length}  `;
    console.log(`  ${name}:${String(number).padEnd(4)} ${what} ${text[number - 1]?.trim() ?? ''}`);
  }
}

function addUp(rows) {
  const total = { lines: 0, linesHit: 0, branches: 0, branchesHit: 0 };
  for (const row of rows) {
    for (const key of Object.keys(total)) total[key] += row[key];
  }
  return total;
}

function leftOut() {
  return FOREIGN.filter(({ cpus }) => !cpus.includes(process.arch)).map(({ file }) => file);
}

/** Sources with code that no program links: they would otherwise be missing from the figures. */
function unreached(sources) {
  return filesUnder(root, 'native/core')
    .map((path) => basename(path))
    .filter((name) => name.endsWith('.c') && !sources.has(name) && !leftOut().includes(name));
}

function report(sources, options, only) {
  const foreign = leftOut();
  const names = [...sources.keys()].filter((name) => !foreign.includes(name)).sort();
  const rows = names.map((name) => ({ name, ...summary(sources.get(name)) }));
  console.log('file                   lines     not hit    branches      not hit');
  for (const row of rows) printRow(row.name, row);
  const total = addUp(rows);
  printRow('native/core', total);
  if (foreign.length > 0)
    console.log(`not run by a processor of ${process.arch}: ${foreign.join(', ')}`);
  if (options.includes('--missing')) {
    for (const name of names.filter((one) => only.length === 0 || only.includes(one))) {
      printMissing(name, sources.get(name));
    }
  }
  return total;
}

async function main() {
  const options = process.argv.slice(2).filter((arg) => arg.startsWith('-'));
  const only = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
  if (versionOf('gcov') === undefined || versionOf('gcc') === undefined) {
    throw new Error('gcc and gcov are needed (apt-get install gcc)');
  }
  if (!options.includes('--no-run')) await runTests();
  if (!existsSync(join(root, OBJECTS)) || counterFiles().length === 0) {
    throw new Error(`no counts below ${OBJECTS}: run without --no-run`);
  }
  const sources = new Map();
  for (const path of counterFiles()) {
    for (const file of readCounts(path)) addCounts(sources, file);
  }
  const untouched = unreached(sources);
  const total = report(sources, options, only);
  for (const name of untouched) console.log(`${name}: no test program links it`);
  const low =
    untouched.length > 0 ||
    share(total.linesHit, total.lines) < FLOOR.lines ||
    share(total.branchesHit, total.branches) < FLOOR.branches;
  console.log(
    `${low ? 'below' : 'holds'}: ${FLOOR.lines} % of lines, ${FLOOR.branches} % of branches`,
  );
  process.exitCode = low ? 1 : 0;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 2;
});
