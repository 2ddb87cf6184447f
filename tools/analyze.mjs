// Static analysis of native/core: gcc -fanalyzer, clang-tidy (.clang-tidy) and cppcheck.
//   node tools/analyze.mjs [TOOL…]       gcc, clang-tidy, cppcheck: these only
// A tool that is not installed is skipped by name. Any finding is a failure; exit code 1.
import { fileURLToPath } from 'node:url';
import { run, toolNamed } from './lib/run.mjs';
import { filesUnder } from './lib/source.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const LIMIT_MS = 10 * 60_000;
const INCLUDES = ['-Inative/include', '-Inative'];
// As in CMakeLists.txt: the one file that is entered only where the processor has AVX2.
const simd = (path) => (path.endsWith('nal_avx2.c') && process.arch === 'x64' ? ['-mavx2'] : []);
const compile = (path) => ['-std=c11', '-DKVS_DEBUG', ...INCLUDES, ...simd(path)];

/** Each tool with the commands that it runs, over sources that this processor can have compiled. */
function analyzers(sources) {
  return [
    {
      name: 'gcc',
      tool: 'gcc',
      // -O1: the analyzer then sees through inline functions.
      commands: sources.map((path) => [
        ...['gcc', '-O1', '-fanalyzer', '-Werror', ...compile(path)],
        ...['-c', path, '-o', '/dev/null'],
      ]),
    },
    {
      name: 'clang-tidy',
      tool: 'clang-tidy',
      commands: sources.map((path) => ['clang-tidy', '--quiet', path, '--', ...compile(path)]),
    },
    {
      name: 'cppcheck',
      tool: 'cppcheck',
      commands: [
        [
          ...['cppcheck', '--std=c11', '--quiet', '--error-exitcode=1'],
          '--enable=warning,performance,portability',
          // Both take a pointer inside a struct passed by value for the address of the struct.
          '--suppress=objectIndex',
          '--suppress=autoVariables',
          ...['-Inative/include', '-Inative', 'native/core'],
        ],
      ],
    },
  ];
}

/** Runs the commands two at a time; the output of those that found something. */
async function findings(commands) {
  const left = [...commands];
  const found = [];
  const worker = async () => {
    for (let command = left.shift(); command !== undefined; command = left.shift()) {
      const done = await run(command, { cwd: root, limitMs: LIMIT_MS });
      if (done.code !== 0) found.push(`${command.join(' ')}\n${done.output}`);
    }
  };
  await Promise.all([worker(), worker()]);
  return found;
}

async function main() {
  const sources = filesUnder(root, 'native/core').filter((path) => path.endsWith('.c'));
  const chosen = process.argv.slice(2);
  let failed = 0;
  for (const { name, tool, commands } of analyzers(sources)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const program = toolNamed(tool);
    if (program === undefined) {
      console.log(`${name.padEnd(12)}skipped: not installed (apt-get install ${tool})`);
      continue;
    }
    const found = await findings(commands.map(([, ...rest]) => [program, ...rest]));
    for (const text of found) process.stdout.write(text);
    failed += found.length;
    console.log(
      `${name.padEnd(12)}${found.length === 0 ? 'clean' : `${found.length} with findings`}`,
    );
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
