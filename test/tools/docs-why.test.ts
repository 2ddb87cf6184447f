// Every test that docs/why.md names exists, and the page answers all 25 complaints.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, read, testsIn, titlesOf } from './named-tests.js';

/** Cells of each row that begins with a number. */
const ROWS = read('docs/why.md')
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );

const NAMED = ROWS.flatMap((cells) =>
  testsIn(cells[3] ?? '').map((test) => [cells[0] ?? '', test.file, test.title] as const),
);

describe('docs/why.md', () => {
  it('answers each of the 25 complaints once, in four cells', () => {
    expect(ROWS.map((cells) => Number(cells[0]))).toEqual(
      Array.from({ length: 25 }, (_, i) => i + 1),
    );
    expect(ROWS.filter((cells) => cells.length !== 4)).toEqual([]);
  });

  it('names a test in each row', () => {
    expect(ROWS.filter((cells) => testsIn(cells[3] ?? '').length === 0)).toEqual([]);
  });

  it('leaves nothing in the last cells that is no test', () => {
    const rest = ROWS.map((cells) =>
      (cells[3] ?? '').replace(/`test\/[\w./-]+`(?: “[^”]+”)?|; |^for the [\w ]+: /g, ''),
    );
    expect(rest.filter((text) => text !== '')).toEqual([]);
  });

  it.each(NAMED)('%s: %s has the test “%s”', (_row, file, title) => {
    expect(existsSync(join(ROOT, file))).toBe(true);
    if (title === undefined) {
      expect(file).toMatch(/_test\.c$/);
      return;
    }
    expect(titlesOf(file)).toContain(title);
  });

  it('is linked in the README', () => {
    expect(read('README.md')).toContain('(docs/why.md)');
  });
});
