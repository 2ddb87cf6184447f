import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The library as JavaScript, for tests that need it in processes of their own. */
export interface CompiledLib {
  /** Directory that holds `service/index.js` and its like. */
  readonly directory: string;
  remove(): Promise<void>;
}

/** Compiles `lib` as it is now, without type checks; lies where packages can be resolved. */
export async function compileLib(): Promise<CompiledLib> {
  const cache = join(ROOT, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const directory = await mkdtemp(join(cache, 'kvs-lib-'));
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  const names = await readdir(join(ROOT, 'lib'), { recursive: true });
  for (const name of names.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))) {
    const source = await readFile(join(ROOT, 'lib', name), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    });
    const path = join(directory, name.replace(/\.ts$/, '.js'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, outputText);
  }
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}
