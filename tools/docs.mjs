// Makes docs/errors.md, docs/callbacks.md and docs/metrics.md from the tables and types that the
// library itself is made from.
//   node tools/docs.mjs          writes the files
//   node tools/docs.mjs --check  exits 1 when a file is not in step
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { callbacksPage } from './docs/callbacks.mjs';
import { errorsPage } from './docs/errors.mjs';
import { metricsPage } from './docs/metrics.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');

const pages = {
  errors: await errorsPage(root, read),
  callbacks: callbacksPage(read),
  metrics: metricsPage(read),
};
let stale = 0;
for (const [name, markdown] of Object.entries(pages)) {
  const path = join(root, 'docs', `${name}.md`);
  const options = await prettier.resolveConfig(path);
  const text = await prettier.format(markdown, { ...options, parser: 'markdown' });
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
  } else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    stale += 1;
    console.error(`docs/${name}.md is not in step with its tables: run node tools/docs.mjs`);
  }
}
process.exit(stale === 0 ? 0 : 1);
