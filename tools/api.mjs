// The public API as text: what each entry of package.json exports, with its types and without
// comments, in test/golden/api/NAME.d.ts.
//   node tools/api.mjs            compares; the exit code is 1 when something differs
//   node tools/api.mjs --write    writes it anew: the difference is what users will meet
import { mkdirSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const golden = join(root, 'test', 'golden', 'api');

function entries() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.entries(exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([name, { types }]) => ({
      name: name === '.' ? 'index' : name.slice(2),
      source: join(root, types.replace('./dist/', 'lib/').replace('.d.ts', '.ts')),
    }));
}

function programOf(files) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.build.json'), (path) =>
    readFileSync(path, 'utf8'),
  );
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  return ts.createProgram(files, {
    ...options,
    emitDeclarationOnly: true,
    declarationMap: false,
    sourceMap: false,
  });
}

/** The declarations that a source file is emitted as, parsed again: its types are all written out. */
function emitted(program, file, cache) {
  const known = cache.get(file);
  if (known !== undefined) return known;
  let text = '';
  program.emit(file, (_path, content) => (text = content), undefined, true);
  const parsed = ts.createSourceFile(`${file.fileName}.d.ts`, text, ts.ScriptTarget.Latest, true);
  cache.set(file, parsed);
  return parsed;
}

function declares(statement, name) {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.some(({ name: its }) => its.text === name);
  }
  return statement.name?.text === name;
}

/** One export: its declarations as they are emitted, under the name it is exported by. */
function describe(program, checker, symbol, cache) {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const files = new Set((target.declarations ?? []).map((node) => node.getSourceFile()));
  const printer = ts.createPrinter({ removeComments: true });
  const texts = [...files].flatMap((file) => {
    const parsed = emitted(program, file, cache);
    return parsed.statements
      .filter((statement) => declares(statement, target.name))
      .map((node) => printer.printNode(ts.EmitHint.Unspecified, node, parsed));
  });
  if (texts.length === 0) return `// ${symbol.name}: internal\n`;
  const renamed = symbol.name === target.name ? '' : `// ${target.name} as ${symbol.name}\n`;
  return `${renamed}${texts.join('\n')}\n`;
}

function report(program, { name, source }, cache) {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(source));
  const symbols = checker.getExportsOfModule(module);
  symbols.sort((a, b) => (a.name < b.name ? -1 : 1));
  const what = name === 'index' ? 'kinesis-video' : `kinesis-video/${name}`;
  const head = `// The API of ${what}; node tools/api.mjs --write writes this file.\n`;
  return [head, ...symbols.map((symbol) => describe(program, checker, symbol, cache))].join('\n');
}

function main(write) {
  const all = entries();
  const program = programOf(all.map(({ source }) => source));
  const cache = new Map();
  const changed = all.filter((entry) => {
    const path = join(golden, `${entry.name}.d.ts`);
    const text = report(program, entry, cache);
    if (existsSync(path) && readFileSync(path, 'utf8') === text) return false;
    if (write) {
      mkdirSync(golden, { recursive: true });
      writeFileSync(path, text);
      return true;
    }
    console.error(`${path.slice(root.length)} is not what ${entry.name} exports`);
    const before = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    const after = text.split('\n');
    for (const line of before.filter((old) => !after.includes(old))) console.error(`- ${line}`);
    for (const line of after.filter((now) => !before.includes(now))) console.error(`+ ${line}`);
    return true;
  });
  if (write) return console.log(`${changed.length} of ${all.length} written`);
  console.log(`api: ${all.length} entries, ${changed.length} differ (node tools/api.mjs --write)`);
  process.exitCode = changed.length === 0 ? 0 : 1;
}

main(process.argv.includes('--write'));
