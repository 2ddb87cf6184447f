// The steps of `npm test`, in order. A step is a name, what it shows, and commands; `skip` gives the
// reason why it cannot run here, `note` a few words from its output for the table, `failureNote` those
// of a run that failed; `again` a command that may make up for it, and `againNote` the words then;
// `running` names what it was doing when it was ended. A step is ended for its silence alone: each
// test has a limit of its own, and a busy machine makes all of them slow.
import { join } from 'node:path';
import { filesUnder } from './source.mjs';
import { versionOf } from './run.mjs';
import { vitestSteps } from './vitest-step.mjs';

/** Longer than any test may take: ctest and vitest say a word after each, compilers after each file. */
const QUIET = Number(process.env.KVS_QUIET_SECONDS ?? 20 * 60) * 1000;
const FORMAT_VERSION = 14;
const node = process.execPath;
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const bin = (path) => [node, join('node_modules', path)];
const tool = (name, ...args) => [node, join('tools', `${name}.mjs`), ...args];

function nativeFiles(root) {
  return ['native', 'test', 'examples']
    .flatMap((folder) => filesUnder(root, folder))
    .filter((path) => /\.(c|cc|h)$/.test(path));
}

/** Debian's versioned name first: each version breaks lines a little differently. */
const clangFormat = () =>
  [`clang-format-${FORMAT_VERSION}`, 'clang-format'].find((name) => versionOf(name) !== undefined);

function noClangFormat() {
  const how = `apt-get install clang-format-${FORMAT_VERSION}`;
  const name = clangFormat();
  if (name === undefined) return `clang-format is not installed (${how})`;
  const major = Number(/version (\d+)/.exec(versionOf(name) ?? '')?.[1]);
  if (major === FORMAT_VERSION) return undefined;
  return `clang-format ${major} formats differently from ${FORMAT_VERSION} (${how})`;
}

function corePreset(preset) {
  return [
    ['cmake', '--preset', preset],
    ['cmake', '--build', '--preset', preset, '--parallel', '2'],
    ['ctest', '--preset', preset, '--parallel', '2'],
  ];
}

function ctestNote(output) {
  const hit = /(\d+)% tests passed, (\d+) tests failed out of (\d+)/.exec(output);
  return hit === null ? 'no test ran' : `${hit[3] - hit[2]} of ${hit[3]} programs`;
}

/** Programs that ctest began and did not end. */
function ctestRunning(output) {
  const names = (shape) => [...output.matchAll(shape)].map((hit) => hit[1]);
  const ended = names(/^ *\d+\/\d+ Test +#\d+: (\S+)/gm);
  return names(/^ +Start +\d+: (\S+)/gm).filter((name) => !ended.includes(name));
}

/** Every step of the run in `root`. */
export function allSteps(root) {
  return [
    {
      name: 'generated',
      about: 'lib/generated and docs are in step with their tables',
      commands: [tool('generate', '--check'), tool('docs', '--check')],
    },
    {
      name: 'prettier',
      about: 'TypeScript, JavaScript, JSON and Markdown are formatted',
      commands: [[...bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']],
    },
    {
      name: 'clang-format',
      about: 'C and C++ are formatted',
      skip: noClangFormat,
      commands: [[clangFormat() ?? 'clang-format', '--dry-run', '-Werror', ...nativeFiles(root)]],
    },
    { name: 'eslint', about: 'lint', commands: [[...bin('eslint/bin/eslint.js'), '.']] },
    {
      name: 'types',
      about: 'lib, tests, examples and benches pass the type checker',
      commands: [[...bin('typescript/bin/tsc'), '-p', 'tsconfig.json']],
    },
    { name: 'layers', about: 'imports point down', commands: [tool('check-layers')] },
    { name: 'state', about: 'no module state', commands: [tool('check-state')] },
    { name: 'header', about: 'one owner per byte', commands: [tool('check-header')] },
    { name: 'hygiene', about: 'nothing foreign in the tree', commands: [tool('check-hygiene')] },
    {
      name: 'core-release',
      about: 'core tests, replays and C examples, as shipped',
      commands: corePreset('release'),
      note: ctestNote,
      running: ctestRunning,
    },
    {
      name: 'core-symbols',
      about: 'the core asks for nothing and keeps no state',
      commands: [tool('check-core')],
    },
    {
      name: 'core-asan',
      about: 'the same under address and undefined-behaviour sanitizers',
      commands: corePreset('asan'),
      note: ctestNote,
      running: ctestRunning,
    },
    {
      name: 'addon',
      about: 'the addon builds without a warning',
      commands: [
        [...bin('cmake-js/bin/cmake-js'), 'configure', '--prefer-make', '--CDKVS_WERROR=ON'],
        [...bin('cmake-js/bin/cmake-js'), 'build', '--prefer-make', '--parallel', '2'],
      ],
    },
    { name: 'addon-limits', about: 'no kept memory, libc alone', commands: [tool('check-addon')] },
    {
      name: 'prebuilds',
      about: 'the addon for every target that can be built here',
      skip: () =>
        process.env.KVS_PREBUILDS === '1'
          ? undefined
          : 'asked for with KVS_PREBUILDS=1 only (needs cross compilers: see .ci/run)',
      commands: [[npm, 'run', '--silent', 'prebuilds']],
    },
    {
      name: 'dist',
      about: 'the package builds',
      commands: [[...bin('typescript/bin/tsc'), '-p', 'tsconfig.build.json']],
    },
    ...vitestSteps(root),
    {
      name: 'readme',
      about: "the README's program uploads to a service",
      commands: [tool('readme')],
    },
  ].map((step) => ({ quietMs: QUIET, ...step }));
}
