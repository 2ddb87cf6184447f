import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BUILT } from '../support/service-process.js';
import { budget } from './budget.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CHILD = fileURLToPath(new URL('loaded-files.mjs', import.meta.url));
const ENTRY = new URL('../../dist/index.js', import.meta.url).href;
const RUNS = 3;

function child(...args: readonly string[]): unknown {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CHILD, ...args], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

function loadedBy(entry: string): string[] {
  const result = child(entry, 'list');
  if (typeof result !== 'object' || result === null || !('files' in result)) return [];
  const files: unknown[] = Array.isArray(result.files) ? result.files : [];
  return files.map((file) => String(file).replace(/^file:\/\//, '')).map(inRoot);
}

const inRoot = (path: string): string => (path.startsWith(ROOT) ? path.slice(ROOT.length) : path);

// dist is made by `npm run build`.
describe.skipIf(!BUILT)('importing the producer', () => {
  it('loads no service, consumer, source or command', () => {
    const files = loadedBy(ENTRY);
    expect(files).toContain('dist/index.js');
    expect(files).toContain('dist/producer/stream/stream.js');
    const foreign = files.filter((file) =>
      /^dist\/(service|consumer|sources|parser|cli)\//.test(file),
    );
    expect(foreign).toEqual([]);
  });

  it('loads no package: each comes with the call that needs it', () => {
    const packages = loadedBy(ENTRY).filter((file) => file.includes('node_modules'));
    expect(packages.filter((file) => !file.includes('node-gyp-build'))).toEqual([]);
  });

  it('reads no more source than its budget; the time is told, not judged', () => {
    const files = loadedBy(ENTRY).filter((file) => !file.startsWith('node:'));
    const bytes = files.reduce((sum, file) => sum + statSync(join(ROOT, file)).size, 0);
    const times = Array.from({ length: RUNS }, () => {
      const result = child(ENTRY);
      if (typeof result !== 'object' || result === null || !('ms' in result)) return Infinity;
      return Number(result.ms);
    });
    const KiB = Math.ceil(bytes / 1024);
    const best = Math.min(...times).toFixed(0);
    console.log(`import of kinesis-video: ${KiB} KiB in ${files.length} files, ${best} ms at best`);
    expect(KiB).toBeLessThan(budget().importKiB);
  });
});
