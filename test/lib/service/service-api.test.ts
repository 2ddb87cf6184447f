import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { expect, it } from 'vitest';
import { serviceApiMarkdown } from '../../../lib/service/api/markdown.js';

const PAGE = fileURLToPath(new URL('../../../docs/service-api.md', import.meta.url));

it('docs/service-api.md is made from the tables (KVS_WRITE_DOCS=1 writes it)', async () => {
  const options = await prettier.resolveConfig(PAGE);
  const text = await prettier.format(serviceApiMarkdown(), { ...options, parser: 'markdown' });
  if (process.env['KVS_WRITE_DOCS'] === '1') await writeFile(PAGE, text);
  expect(await readFile(PAGE, 'utf8')).toBe(text);
});
