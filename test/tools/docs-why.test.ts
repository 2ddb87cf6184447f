// Every test that docs/why.md names exists, and the page answers all 25 complaints.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

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

/** Files and titles of tests that a cell names; a test in C is a file alone. */
function testsIn(cell: string): { readonly file: string; readonly title: string | undefined }[] {
  return [...cell.matchAll(/`(test\/[\w./-]+)`(?: “([^”]+)”)?/g)].map((hit) => ({
    file: hit[1] ?? '',
    title: hit[2],
  }));
}

/** Titles of a test file: the first argument of what `it(…)`, `it.each(…)(…)` and such call. */
function titlesOf(file: string): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^it\b/.test(node.expression.getText())) {
      const [first] = node.arguments;
      if (first !== undefined && ts.isStringLiteralLike(first)) titles.push(first.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true));
  return titles;
}

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
