// How the addon of a target is built on this machine: with its own compiler where the machine is one
// of that kind, with Debian's cross compilers elsewhere; musl from glibc compilers and musl's headers.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { versionOf } from './run.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const TRIPLES = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu', arm: 'arm-linux-gnueabihf' };
const PACKAGES = {
  x64: 'g++-x86-64-linux-gnu',
  arm64: 'g++-aarch64-linux-gnu',
  arm: 'g++-arm-linux-gnueabihf',
};
/** Where Debian's name of a processor differs from Node's. */
const DEBIAN = { x64: 'amd64', arm64: 'arm64', arm: 'armhf' };

/** The target of this machine. */
export function hostTarget() {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return base;
  return `${base}-${existsSync('/etc/alpine-release') ? 'musl' : 'glibc'}`;
}

/** The folder with include/ and lib/ of musl for a processor: of the system, or of musl-sysroot.sh. */
function muslFolder(arch) {
  const folder = join(root, 'build-core', 'musl', DEBIAN[arch]);
  return existsSync(join(folder, 'include', 'stdlib.h')) ? folder : undefined;
}

function native() {
  const lacks = ['cmake', 'cc', 'c++'].filter((tool) => versionOf(tool) === undefined);
  if (process.platform === 'win32' || lacks.length === 0) return { env: {}, strip: 'strip' };
  return { missing: `${lacks.join(', ')} not found; install a C and C++ compiler and CMake` };
}

/** `{ env, strip }` for the build, or `{ missing }`: what is not there, and the way to get it. */
export function recipe(target) {
  const [platform, arch, libc] = target.split('-');
  if (target === hostTarget()) return native();
  if (platform !== 'linux') {
    return { missing: `is built on ${platform} ${arch} (.github/workflows/prebuild.yml)` };
  }
  if (process.platform !== 'linux') return { missing: 'is built on Linux' };
  const triple = TRIPLES[arch];
  const lacks = [`${triple}-gcc`, `${triple}-g++`].filter((tool) => versionOf(tool) === undefined);
  if (lacks.length > 0) {
    return { missing: `${lacks.join(', ')} not found (apt-get install ${PACKAGES[arch]})` };
  }
  const env = { KVS_TRIPLE: triple };
  const strip = `${triple}-strip`;
  env.CMAKE_TOOLCHAIN_FILE = join(root, 'cmake', `linux-${libc}.cmake`);
  if (libc === 'glibc') return { env, strip };
  const musl = muslFolder(arch);
  if (musl === undefined) {
    return { missing: `no musl for it (tools/prebuild/musl-sysroot.sh ${DEBIAN[arch]})` };
  }
  return { env: { ...env, KVS_MUSL: musl }, strip };
}
