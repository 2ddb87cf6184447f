import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** npm's program, to be run with `process.execPath`; undefined where there is no npm. */
export function npmCli(): string | undefined {
  const beside = dirname(realpathSync(process.execPath));
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'npm'));
  const found = [
    process.env['npm_execpath'] ?? '',
    join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    join(beside, 'node_modules/npm/bin/npm-cli.js'),
    ...onPath.filter((path) => existsSync(path)).map((path) => realpathSync(path)),
  ];
  return found.find((path) => path.endsWith('npm-cli.js') && existsSync(path));
}
