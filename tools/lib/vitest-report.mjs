// What vitest's JSON report says, in a few words for the table of `npm test`.
import { existsSync, readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const SHOWN = 10;
const WIDTH = 160;
const SKIPPED = ['pending', 'skipped', 'todo'];

/** The report in a file; undefined where there is none. */
export function readReport(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

function tests(report) {
  return report.testResults.flatMap((file) =>
    file.assertionResults.map((test) => ({ ...test, file: file.name })),
  );
}

const list = (head, rows) => (rows.length === 0 ? head : [`${head}:`, ...rows].join('\n    - '));

/** Counts, and every skipped test by name: a skip that nobody sees is a hole. */
export function counts(report) {
  const skipped = tests(report).filter((test) => SKIPPED.includes(test.status));
  const ran = `${report.numPassedTests} of ${report.numTotalTests - skipped.length} tests`;
  if (skipped.length === 0) return ran;
  const names = skipped.map((test) => test.fullName);
  return list(`${ran}, ${skipped.length} skipped`, names);
}

/** Files with a test that failed, or that could not be run. */
export function failedFiles(report) {
  return report.testResults.filter((file) => file.status === 'failed').map((file) => file.name);
}

/** Each failure by its name and the first line of what it says. */
export function failures(report) {
  const failed = tests(report).filter((test) => test.status === 'failed');
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !failed.some((test) => test.file === file.name),
  );
  return [
    ...failed.map((test) => short(test.fullName, test.failureMessages?.[0])),
    ...broken.map((file) => short(file.name, file.message)),
  ].slice(0, SHOWN);
}

function short(name, message = '') {
  const first = message.split('\n').find((line) => line.trim() !== '') ?? '';
  return `${name}: ${first.trim()}`.slice(0, WIDTH);
}

/** The table's words for a run that failed; what is thrown outside of tests stands in `output` alone. */
export function failureNote(report, output) {
  const rows = failures(report);
  if (rows.length > 0) return list('failed', rows);
  const text = stripVTControlCharacters(output);
  const thrown = text.slice(text.indexOf('Unhandled')).match(/^.*Error: .*$/gm) ?? [];
  return list('every test passed, but', [...new Set(thrown)].slice(0, SHOWN));
}

/** The table's words for a run of which all that failed passed alone, the second time. */
export function againNote(report) {
  return [counts(report), list('passed only when run again', failures(report))].join('\n    ');
}
