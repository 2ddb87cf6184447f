import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { KvsError } from '../base/errors.js';
import type { NativeBinding } from './binding.js';
import { isError } from '../base/values.js';

/**
 * In an ES module Node has no `require`. A bundler that makes CommonJS of this file has one, and an ES
 * module bundle may define one.
 */
declare const require: ((file: string) => unknown) | undefined;

/** The prebuilt addons, seen from lib/native and dist/native alike, under node-gyp-build's names. */
const PREBUILDS: Readonly<Record<string, string>> = {
  'linux-x64-glibc': '../../prebuilds/linux-x64/kinesis-video.glibc.node',
  'linux-x64-musl': '../../prebuilds/linux-x64/kinesis-video.musl.node',
  'linux-arm64-glibc': '../../prebuilds/linux-arm64/kinesis-video.glibc.node',
  'linux-arm64-musl': '../../prebuilds/linux-arm64/kinesis-video.musl.node',
  'linux-arm-glibc': '../../prebuilds/linux-arm/kinesis-video.armv7.glibc.node',
  'darwin-x64': '../../prebuilds/darwin-x64/kinesis-video.node',
  'darwin-arm64': '../../prebuilds/darwin-arm64/kinesis-video.node',
  'win32-x64': '../../prebuilds/win32-x64/kinesis-video.node',
  'win32-arm64': '../../prebuilds/win32-arm64/kinesis-video.node',
};

/** One way to the addon that was tried, and why it did not lead there. */
interface Attempt {
  readonly what: string;
  readonly cause: unknown;
}

/**
 * Loads the addon: the one that a bundler brought along; else a local build where there is one (only a
 * folder that was built in has it, and there it is newer than any prebuild); else the prebuild for this
 * platform. Each environment (the main thread, each worker) gets a binding of its own. Throws
 * `KvsError` with STATUS_NOT_FOUND, which lists what was tried.
 */
export function loadBinding(): NativeBinding {
  const attempts: Attempt[] = [];
  for (const [what, load] of ways(platformTarget(), moduleUrl())) {
    try {
      return asBinding(load());
    } catch (cause) {
      attempts.push({ what, cause });
    }
  }
  throw notFound(attempts);
}

/** Undefined in a bundle to CommonJS: such a bundle has no `import.meta`. */
function moduleUrl(): string | undefined {
  const url: string | undefined = import.meta.url;
  return url;
}

function ways(target: string, url: string | undefined): [string, () => unknown][] {
  const found: [string, () => unknown][] = [];
  if (typeof require === 'function') {
    found.push([`the addon for ${target} in the bundle`, () => requireBundled(target)]);
  }
  if (url === undefined) return found;
  const nodeRequire: (file: string) => unknown = createRequire(url);
  const root = fileURLToPath(new URL('../..', url));
  if (existsSync(`${root}build`) && process.env['PREBUILDS_ONLY'] === undefined) {
    found.push(['a local build in build/Release', () => loadLocalBuild(nodeRequire, root)]);
  }
  const prebuild = PREBUILDS[target];
  if (prebuild === undefined) return found;
  found.push([`the prebuild for ${target}`, () => nodeRequire(prebuild)]);
  const file = fileURLToPath(new URL(prebuild, url));
  const unpacked = file.replace(/([\\/]app\.asar)(?=[\\/])/, '$1.unpacked');
  if (unpacked !== file) {
    found.push([`the unpacked prebuild for ${target}`, () => nodeRequire(unpacked)]);
  }
  return found;
}

// Written out, so that a bundler finds the files and takes them along (esbuild: --loader:.node=copy);
// inside `try`, so that it does without those that are not in the package.
function requireBundled(target: string): unknown {
  if (typeof require !== 'function') throw new TypeError('there is no require');
  try {
    switch (target) {
      case 'linux-x64-glibc':
        return require('../../prebuilds/linux-x64/kinesis-video.glibc.node');
      case 'linux-x64-musl':
        return require('../../prebuilds/linux-x64/kinesis-video.musl.node');
      case 'linux-arm64-glibc':
        return require('../../prebuilds/linux-arm64/kinesis-video.glibc.node');
      case 'linux-arm64-musl':
        return require('../../prebuilds/linux-arm64/kinesis-video.musl.node');
      case 'linux-arm-glibc':
        return require('../../prebuilds/linux-arm/kinesis-video.armv7.glibc.node');
      case 'darwin-x64':
        return require('../../prebuilds/darwin-x64/kinesis-video.node');
      case 'darwin-arm64':
        return require('../../prebuilds/darwin-arm64/kinesis-video.node');
      case 'win32-x64':
        return require('../../prebuilds/win32-x64/kinesis-video.node');
      case 'win32-arm64':
        return require('../../prebuilds/win32-arm64/kinesis-video.node');
    }
  } catch (cause) {
    throw new Error(`it does not load: ${firstLine(cause)}`, { cause });
  }
  throw new Error('there is none for this platform');
}

// node-gyp-build ships no types; its one function takes a folder and requires the addon in it.
function loadLocalBuild(nodeRequire: (file: string) => unknown, root: string): unknown {
  const load: unknown = nodeRequire('node-gyp-build');
  if (typeof load !== 'function') throw new TypeError('node-gyp-build exports no function');
  const exported: unknown = Reflect.apply(load, undefined, [root]);
  return exported;
}

/** `linux-x64-glibc`, `darwin-arm64`…: the key of PREBUILDS for this process. */
export function platformTarget(): string {
  const base = `${process.platform}-${process.arch}`;
  return process.platform === 'linux' ? `${base}-${linuxLibc()}` : base;
}

// No child process: Alpine has its release file, any libc writes its name into its ldd script, and
// the process report knows the version of glibc that is in use (its network part is slow, so last).
function linuxLibc(): 'glibc' | 'musl' {
  if (existsSync('/etc/alpine-release')) return 'musl';
  try {
    const ldd = readFileSync('/usr/bin/ldd', 'latin1');
    if (ldd.includes('musl')) return 'musl';
    if (ldd.includes('GNU libc') || ldd.includes('GLIBC')) return 'glibc';
  } catch {
    // No ldd: a container with little else than Node in it.
  }
  return reportNamesGlibc(process.report.getReport()) ? 'glibc' : 'musl';
}

function reportNamesGlibc(report: unknown): boolean {
  if (typeof report !== 'object' || report === null || !('header' in report)) return false;
  const { header } = report;
  return typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header;
}

function isBinding(exported: unknown): exported is NativeBinding {
  return (
    typeof exported === 'object' &&
    exported !== null &&
    'NativeClient' in exported &&
    typeof exported.NativeClient === 'function'
  );
}

function asBinding(exported: unknown): NativeBinding {
  if (isBinding(exported)) return exported;
  throw new TypeError('the file was loaded, but it is not the addon of this package');
}

function notFound(attempts: readonly Attempt[]): KvsError {
  const target = platformTarget();
  const tried = attempts.map(({ what, cause }) => `\n  ${what}: ${firstLine(cause)}`).join('');
  return new KvsError({
    status: 'STATUS_NOT_FOUND',
    message:
      `no native addon could be loaded for ${target} (Node ${process.versions.node}). Tried:` +
      `${tried === '' ? ` nothing, since there is no prebuild for ${target}` : tried}\n` +
      `Two ways out: (1) install the package on the machine that runs it (npm install kinesis-video; a ` +
      `copied node_modules may hold another platform's; prebuilds are made for ` +
      `${Object.keys(PREBUILDS).join(', ')}); (2) build the addon here: with a C and C++ compiler, make and ` +
      `CMake, run "npm ci" in a checkout of the project, or, where the package is installed, "npm install ` +
      `--no-save cmake-js node-addon-api node-api-headers" and then "npx cmake-js compile --directory ` +
      `node_modules/kinesis-video"`,
    cause: new AggregateError(
      attempts.map(({ cause }) => cause),
      'every way to load the native addon failed',
    ),
  });
}

function firstLine(cause: unknown): string {
  const text = isError(cause) ? cause.message : String(cause);
  return text.split('\n', 1)[0] ?? text;
}
