// Benchmarks. `npm run bench -- NAME [--json] [options of the benchmark]`
// bench/NAME/index.mjs exports `about`, a line of text, and
//   run({ args }) -> { table, json }
// table: rows of texts, the first one the header; json: the figures under the keys of the goals.
// With --json the last line is the figures as one JSON object. Without NAME all are listed.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const folder = fileURLToPath(new URL('.', import.meta.url));

function entryOf(name) {
  return ['index.mjs', 'index.js'].map((file) => join(folder, name, file)).find(existsSync);
}

function names() {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entryOf(entry.name) !== undefined)
    .map((entry) => entry.name)
    .sort();
}

/** Numbers stand right, words left. */
export function formatTable(rows) {
  const cells = rows.map((row) => row.map(String));
  const columns = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? '').length)),
  );
  const isNumber = widths.map((_, column) =>
    cells.slice(1).every((row) => /^([-+~<>]?\d|$|[–-]$)/.test(row[column] ?? '')),
  );
  const pad = (text, column) =>
    isNumber[column] ? text.padStart(widths[column]) : text.padEnd(widths[column]);
  const line = (row) => widths.map((_, column) => pad(row[column] ?? '', column)).join('  ');
  return cells.map((row) => line(row).trimEnd()).join('\n');
}

async function list() {
  console.log('npm run bench -- NAME [--json]\n');
  const rows = [];
  for (const name of names()) {
    const { about } = await import(entryOf(name));
    rows.push([name, about ?? '']);
  }
  console.log(rows.length === 0 ? 'no benchmark yet' : formatTable([['name', 'what'], ...rows]));
}

async function main(argv) {
  const name = argv.find((arg) => !arg.startsWith('-'));
  if (name === undefined) return list();
  if (!/^[\w-]+$/.test(name) || entryOf(name) === undefined) {
    console.error(`no benchmark "${name}"; there are: ${names().join(', ')}`);
    process.exitCode = 2;
    return undefined;
  }
  const asJson = argv.includes('--json');
  const args = argv.filter((arg, at) => arg !== '--json' && at !== argv.indexOf(name));
  const benchmark = await import(entryOf(name));
  const { table, json } = await benchmark.run({ args });
  console.log(asJson ? JSON.stringify(json) : formatTable(table));
  return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(process.argv.slice(2));
}
