import { build } from 'esbuild';
import { join } from 'node:path';

// CommonJS packages in an ES module bundle ask for Node's modules with `require`.
const REQUIRE_IN_ESM =
  "import { createRequire as requireFor } from 'node:module';" +
  'const require = requireFor(import.meta.url);';

/** Bundles a program as docs/electron.md says, all packages in it; gives the file. */
export async function bundle(entry: string, into: string, format: 'cjs' | 'esm'): Promise<string> {
  const file = join(into, format === 'cjs' ? 'main.cjs' : 'main.mjs');
  await build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format,
    loader: { '.node': 'copy' },
    logLevel: 'error',
    ...(format === 'esm' ? { banner: { js: REQUIRE_IN_ESM } } : {}),
  });
  return file;
}
