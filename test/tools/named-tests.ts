import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/* Tests that pages name as their proof: `test/…` “title”. */

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A test as a page names it; a test in C is a file alone. */
export interface NamedTest {
  readonly file: string;
  readonly title: string | undefined;
}

/** Files and titles of tests that a cell names. */
export function testsIn(cell: string): NamedTest[] {
  return [...cell.matchAll(/`(test\/[\w./-]+)`(?: “([^”]+)”)?/g)].map((hit) => ({
    file: hit[1] ?? '',
    title: hit[2],
  }));
}

/** Titles of a test file: the first argument of what `it(…)`, `it.each(…)(…)` and such call. */
export function titlesOf(file: string): string[] {
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
