import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { KvsError } from '../base/errors.js';
import type { NativeBinding } from './binding.js';

const require: (file: string) => unknown = createRequire(import.meta.url);

/** From lib/native and from dist/native alike, the package's root is two folders up. */
const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The prebuilt addons, under node-gyp-build's names. The requires are literal so that bundlers find
 * the files; only the one that fits is ever called.
 */
const PREBUILDS: Readonly<Record<string, () => unknown>> = {
  'linux-x64-glibc': () => require('../../prebuilds/linux-x64/kinesis-video.glibc.node'),
  'linux-x64-musl': () => require('../../prebuilds/linux-x64/kinesis-video.musl.node'),
  'linux-arm64-glibc': () => require('../../prebuilds/linux-arm64/kinesis-video.glibc.node'),
  'linux-arm64-musl': () => require('../../prebuilds/linux-arm64/kinesis-video.musl.node'),
  'linux-arm-glibc': () => require('../../prebuilds/linux-arm/kinesis-video.armv7.glibc.node'),
  'darwin-x64': () => require('../../prebuilds/darwin-x64/kinesis-video.node'),
  'darwin-arm64': () => require('../../prebuilds/darwin-arm64/kinesis-video.node'),
  'win32-x64': () => require('../../prebuilds/win32-x64/kinesis-video.node'),
  'win32-arm64': () => require('../../prebuilds/win32-arm64/kinesis-video.node'),
};

/** One way to the addon that was tried, and why it did not lead there. */
interface Attempt {
  readonly what: string;
  readonly cause: unknown;
}

/**
 * Loads the addon: a local build where there is one (only a checkout has it, and there it is newer
 * than any prebuild), else the prebuild for this platform. Each environment (the main thread, each
 * worker) gets a binding of its own. Throws `KvsError` with STATUS_NOT_FOUND, which lists what was tried.
 */
export function loadBinding(): NativeBinding {
  const attempts: Attempt[] = [];
  for (const [what, load] of ways()) {
    try {
      return asBinding(load());
    } catch (cause) {
      attempts.push({ what, cause });
    }
  }
  throw notFound(attempts);
}

function ways(): [string, () => unknown][] {
  const target = platformTarget();
  const prebuild = PREBUILDS[target];
  const found: [string, () => unknown][] = [];
  if (existsSync(`${ROOT}build`) && process.env['PREBUILDS_ONLY'] === undefined) {
    found.push(['a local build in build/Release', loadLocalBuild]);
  }
  if (prebuild !== undefined) found.push([`the prebuild for ${target}`, prebuild]);
  return found;
}

// node-gyp-build ships no types; its one function takes a folder and requires the addon in it.
function loadLocalBuild(): unknown {
  const load: unknown = require('node-gyp-build');
  if (typeof load !== 'function') throw new TypeError('node-gyp-build exports no function');
  const exported: unknown = Reflect.apply(load, undefined, [ROOT]);
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
  const tried = attempts.map(({ what, cause }) => `\n  ${what}: ${firstLine(cause)}`);
  return new KvsError({
    status: 'STATUS_NOT_FOUND',
    message:
      `no native addon could be loaded for ${platformTarget()} (Node ${process.versions.node}). Tried:` +
      `${tried.length === 0 ? ' nothing, since there is no prebuild for this platform' : tried.join('')}\n` +
      `Prebuilds exist for ${Object.keys(PREBUILDS).join(', ')}. Two ways out: install the package again ` +
      `on one of these (a copied node_modules may hold another platform's), or build it: in a checkout of ` +
      `the project, with a C and C++ compiler and CMake, run "npm ci", and install that folder`,
    cause: new AggregateError(
      attempts.map(({ cause }) => cause),
      'every way to load the native addon failed',
    ),
  });
}

function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split('\n', 1)[0] ?? text;
}
