// The benchmark runner: the table, the JSON line, the list, and a name that does not exist.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const RUNNER = fileURLToPath(new URL('../../bench/run.mjs', import.meta.url));
const SAMPLE = `
export const about = 'counts its arguments';
export async function run({ args }) {
  console.log('working');
  return {
    table: [['what', 'n'], ['arguments', String(args.length)], ['a longer name', '1234.5']],
    json: { arguments: args },
  };
}
`;

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kvs-bench-'));
  cpSync(RUNNER, join(folder, 'run.mjs'));
  mkdirSync(join(folder, 'sample'));
  writeFileSync(join(folder, 'sample', 'index.mjs'), SAMPLE);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function bench(...args: string[]): { code: number | null; lines: string[] } {
  const done = spawnSync(process.execPath, [join(folder, 'run.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { code: done.status, lines: (done.stdout + done.stderr).trimEnd().split('\n') };
}

it('prints an aligned table', () => {
  const done = bench('sample', '--depth', '3');
  expect(done.lines.slice(-3)).toEqual([
    'what                n',
    'arguments           2',
    'a longer name  1234.5',
  ]);
  expect(done.code).toBe(0);
});

it('prints the figures as one JSON object on the last line with --json', () => {
  const last = bench('sample', '--json', '--depth', '3').lines.at(-1) ?? '';
  expect(JSON.parse(last)).toEqual({ arguments: ['--depth', '3'] });
});

it('lists what there is, and names it when a name is unknown', () => {
  expect(bench().lines.at(-1)).toMatch(/^sample +counts its arguments$/);
  const wrong = bench('nothing');
  expect(wrong.lines.at(-1)).toBe('no benchmark "nothing"; there are: sample');
  expect(wrong.code).toBe(2);
});
