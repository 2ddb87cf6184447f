// Node of other versions, and for other processors, from the registry, into build-core/nodes/: the
// tests of lib and of the addon run on the first, those of the prebuilt addons on the second, under
// qemu-user. `node tools/prebuild/nodes.mjs`
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FOREIGN_NODES, NODES, nodeProgram } from '../lib/nodes.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

for (const [key, spec] of Object.entries({ ...NODES, ...FOREIGN_NODES })) {
  const into = join(root, 'build-core', 'nodes', key);
  if (existsSync(nodeProgram(root, key))) continue;
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
  console.log(`${spec} in build-core/nodes/${key}`);
}
