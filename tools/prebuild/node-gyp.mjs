#!/usr/bin/env node
// Stands in for node-gyp under `prebuildify --node-gyp`, which runs in a folder of the target's own:
//   node-gyp.mjs rebuild --target=V --devdir=D --arch=A --release
// and takes the addon from build/Release of that folder. cmake-js builds it there, from the checkout.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const arch = process.argv.find((arg) => arg.startsWith('--arch='))?.slice('--arch='.length);
const toolchain = process.env.CMAKE_TOOLCHAIN_FILE;
const manifest = createRequire(import.meta.url).resolve('cmake-js/package.json');

const args = ['rebuild', '--directory', root, '--out', resolve('build'), '--config', 'Release'];
args.push('--arch', arch ?? process.arch, '--log-level', 'error', '--CDKVS_WERROR=ON');
if (toolchain !== undefined) args.push(`--CDCMAKE_TOOLCHAIN_FILE=${toolchain}`);
const cmakeJs = join(dirname(manifest), 'bin', 'cmake-js');
const { status } = spawnSync(process.execPath, [cmakeJs, ...args], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exit(status ?? 1);
