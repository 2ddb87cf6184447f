// Every test that docs/service-clients.md names exists, and each row names one.
import { describe, expect, it } from 'vitest';
import { read, testsIn, titlesOf } from './named-tests.js';

const PAGE = read('docs/service-clients.md');
// The table of Error acks says what clients do, not what a test shows.
const ROWS = PAGE.split('\n').filter(
  (line) => line.startsWith('| ') && !/^\| (what|---|id |\d{4})/.test(line),
);
const NAMED = ROWS.flatMap(testsIn).map(({ file, title }) => [file, title ?? ''] as const);

describe('docs/service-clients.md', () => {
  it('names a test in each row', () => {
    expect(ROWS.length).toBeGreaterThan(20);
    expect(ROWS.filter((row) => testsIn(row).length === 0)).toEqual([]);
  });

  it.each(NAMED)('%s has the test “%s”', (file, title) => {
    expect(titlesOf(file)).toContain(title);
  });

  it('is linked in the README', () => {
    expect(read('README.md')).toContain('(docs/service-clients.md)');
  });
});
