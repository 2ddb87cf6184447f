import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type DependencyBudget, budget } from './budget.js';
import { npmCli } from './npm.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NPM = npmCli();

/** Folders of the packages that a user's installation has. */
function packages(...omit: readonly string[]): string[] {
  if (NPM === undefined) return [];
  const args = ['ls', '--all', '--parseable', ...omit.map((kind) => `--omit=${kind}`)];
  const { stdout } = spawnSync(process.execPath, [NPM, ...args], { cwd: ROOT, encoding: 'utf8' });
  return stdout.split('\n').filter((path) => path.includes('node_modules'));
}

/** Bytes of a package without those that lie inside it. */
function bytesOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile()) bytes += statSync(path).size;
    else if (entry.isDirectory() && entry.name !== 'node_modules') bytes += bytesOf(path);
  }
  return bytes;
}

function measure(what: string, folders: readonly string[]): DependencyBudget {
  const KiB = Math.round(folders.reduce((sum, folder) => sum + bytesOf(folder), 0) / 1024);
  console.log(`${what}: ${folders.length} packages, ${KiB} KiB`);
  return { packages: folders.length, KiB };
}

function checkWithin(found: DependencyBudget, limit: DependencyBudget): void {
  expect(found.packages).toBeGreaterThan(0);
  expect(found.packages).toBeLessThanOrEqual(limit.packages);
  expect(found.KiB).toBeLessThanOrEqual(limit.KiB);
}

describe.skipIf(NPM === undefined)('runtime dependencies (npm)', () => {
  it('keep to their budget on disk', () => {
    checkWithin(measure('npm ls --omit=dev', packages('dev', 'peer')), budget().dependencies);
  });

  it('keep to it for a device that only produces', () => {
    const folders = packages('dev', 'peer', 'optional');
    expect(folders.filter((path) => /classic-level|mediabunny/.test(path))).toEqual([]);
    checkWithin(measure('… --omit=optional', folders), budget().dependenciesOfProducer);
  });
});

describe('docs/dependencies.md', () => {
  it('has a line for each runtime dependency, and for no other', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const names = ['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap((kind) =>
      Object.keys(Object(Reflect.get(Object(manifest), kind))),
    );
    const page = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual(names.sort());
  });
});
