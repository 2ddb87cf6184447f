// What the core spends on a frame, against the committed budget and the goals. A change that spends
// more instructions raises the number in bench/core/budget.json itself, where a reader sees it; one
// that saves lowers it. Other compilers than the one that the budget was counted with get more room.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COUNTED = ['a.instructions', 'b.instructions'] as const;
const SAME_COMPILER = 0.03;
const OTHER_COMPILER = 0.25;

type Fields = ReadonlyMap<string, unknown>;

function hasTool(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0;
}

function fields(value: unknown): Fields {
  return new Map(Object.entries(value ?? {}));
}

function numberAt(values: Fields, key: string): number {
  const value = values.get(key);
  if (typeof value !== 'number') throw new Error(`${key} is not a number`);
  return value;
}

function compilerVersion(): string {
  return spawnSync('cc', ['-dumpversion'], { encoding: 'utf8' }).stdout.trim();
}

const budget = fields(JSON.parse(readFileSync(`${ROOT}/bench/core/budget.json`, 'utf8')));
const goals = fields(budget.get('goals'));
const usable = fields(budget.get('usable'));
const growth = fields(budget.get('growth'));
const isSame = compilerVersion() === budget.get('compiler');

/** The figures of `npm run bench -- core`, of the named keys alone. */
function measure(keys: readonly string[]): Fields {
  const done = spawnSync(
    process.execPath,
    ['bench/run.mjs', 'core', '--json', '--only', keys.join(',')],
    { cwd: ROOT, encoding: 'utf8' },
  );
  expect(done.stderr).toBe('');
  return fields(JSON.parse(done.stdout.trim().split('\n').at(-1) ?? ''));
}

function lacking(...tools: readonly string[]): string {
  return tools.filter((tool) => !hasTool(tool)).join(', ');
}

function named(title: string, why: string): string {
  return why === '' ? title : `${title} (needs ${why})`;
}

const noCount = lacking('valgrind', 'cmake', 'cc');
const noSizes = lacking('size', 'cmake', 'cc');

it.skipIf(noCount !== '')(
  named('put, take and ack stay within the instruction budget', noCount),
  { timeout: 900_000 },
  () => {
    const room = isSame ? SAME_COMPILER : OTHER_COMPILER;
    const counted = measure(COUNTED);
    for (const key of COUNTED) {
      const count = numberAt(counted, key);
      const planned = numberAt(budget, key);
      expect(count, key).toBeLessThanOrEqual(planned * (1 + room));
      if (isSame) {
        expect(count, `${key}, its goal`).toBeLessThanOrEqual(numberAt(goals, key));
        // What was saved is not to be spent again unseen.
        expect(count, `${key}: lower the budget`).toBeGreaterThanOrEqual(planned * (1 - room));
      }
    }
  },
);

it.skipIf(noCount !== '')(
  named('no frame costs more instructions for a backlog or for other streams', noCount),
  { timeout: 900_000 },
  () => {
    const counted = measure([...growth.keys()]);
    for (const key of growth.keys()) {
      expect(numberAt(counted, key), key).toBeGreaterThan(0.9);
      expect(numberAt(counted, key), key).toBeLessThanOrEqual(numberAt(growth, key));
    }
  },
);

it.skipIf(noSizes !== '')(
  named('memory a frame, an empty stream, the code and the usable arena meet their goals', noSizes),
  { timeout: 900_000 },
  () => {
    const sizes = [...goals.keys()].filter((key) => !key.endsWith('.instructions'));
    const measured = measure([...sizes, ...usable.keys()]);
    for (const key of sizes) {
      expect(numberAt(measured, key), key).toBeGreaterThan(0);
      expect(numberAt(measured, key), key).toBeLessThanOrEqual(numberAt(goals, key));
    }
    for (const key of usable.keys()) {
      expect(numberAt(measured, key), key).toBeGreaterThanOrEqual(numberAt(usable, key));
      expect(numberAt(measured, key), key).toBeLessThan(1);
    }
  },
);
