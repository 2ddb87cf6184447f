// Instructions that the core spends on a frame, against the committed budget. A change that spends
// more raises the number in bench/core/budget.json itself, where a reader sees it; one that saves
// lowers it. Other compilers than the one that the budget was counted with get more room.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KEYS = ['a.instructions', 'b.instructions'] as const;
const SAME_COMPILER = 1.03;
const OTHER_COMPILER = 1.25;

function hasTool(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0;
}

function fields(json: string): ReadonlyMap<string, unknown> {
  const value: unknown = JSON.parse(json);
  return new Map(Object.entries(value ?? {}));
}

function numberAt(values: ReadonlyMap<string, unknown>, key: string): number {
  const value = values.get(key);
  if (typeof value !== 'number') throw new Error(`${key} is not a number`);
  return value;
}

const why = ['valgrind', 'cmake', 'cc'].filter((tool) => !hasTool(tool)).join(', ');

it.skipIf(why !== '')(
  `put, take and ack stay within the instruction budget${why === '' ? '' : ` (needs ${why})`}`,
  { timeout: 240_000 },
  () => {
    const budget = fields(readFileSync(`${ROOT}/bench/core/budget.json`, 'utf8'));
    const compiler = spawnSync('cc', ['-dumpversion'], { encoding: 'utf8' }).stdout.trim();
    const room = compiler === budget.get('compiler') ? SAME_COMPILER : OTHER_COMPILER;
    const done = spawnSync(
      process.execPath,
      ['bench/run.mjs', 'core', '--json', '--only', KEYS.join(',')],
      { cwd: ROOT, encoding: 'utf8' },
    );
    expect(done.stderr).toBe('');
    const counted = fields(done.stdout.trim().split('\n').at(-1) ?? '');
    for (const key of KEYS) {
      expect(numberAt(counted, key), key).toBeGreaterThan(100);
      expect(numberAt(counted, key), key).toBeLessThanOrEqual(numberAt(budget, key) * room);
    }
  },
);
