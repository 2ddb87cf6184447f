// `npm run build:native`: the addon of this machine into build/Release, with cmake-js; no headers are
// downloaded. Without a compiler it says what is missing, unless a prebuilt addon is there.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTarget } from './lib/recipes.mjs';
import { versionOf } from './lib/run.mjs';
import { prebuildFile } from './lib/targets.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Each tool under the names it goes by; Windows finds its compiler without a PATH. */
const TOOLS = [
  ['CMake', 'cmake'],
  ['a C compiler', 'cc', 'gcc', 'clang'],
  ['a C++ compiler', 'c++', 'g++', 'clang++'],
  ['make or ninja', 'make', 'ninja'],
];

function missingTools() {
  const needed = process.platform === 'win32' ? TOOLS.slice(0, 1) : TOOLS;
  return needed
    .filter(([, ...names]) => names.every((name) => versionOf(name) === undefined))
    .map(([what]) => what);
}

function giveUp(missing) {
  console.error(
    `build:native: ${missing.join(', ')} not found, and no prebuilt addon (${prebuildFile(hostTarget())}).
Two ways out:
  1. install what is missing and run "npm ci" again
     Debian, Ubuntu, Raspberry Pi OS: apt-get install build-essential cmake
     Alpine: apk add build-base cmake    Fedora: dnf install gcc-c++ make cmake
     macOS: xcode-select --install, and CMake    Windows: Visual Studio's C++ tools, and CMake
  2. use the published package, which has the addon in it: npm install kinesis-video`,
  );
  process.exit(1);
}

const missing = missingTools();
if (missing.length > 0) {
  if (!existsSync(join(root, prebuildFile(hostTarget())))) giveUp(missing);
  console.error(`build:native: ${missing.join(', ')} not found; the prebuilt addon is used`);
  process.exit(0);
}
const cmakeJs = join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js');
// Always make where there is one: a ninja that is installed later must not meet make's build folder.
for (const step of [['configure'], ['build', '--parallel', '2']]) {
  const args = [cmakeJs, ...step, '--prefer-make', '--log-level', 'error'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
