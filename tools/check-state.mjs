// Rule 3 for TypeScript: no module state. `node tools/check-state.mjs [FOLDER]`
// A top-level const is a literal, a function, a class or a table typed Readonly…; so is a static.
import { blank, filesUnder, finish, lineAt, readText, rootFolder } from './lib/source.mjs';

const OPEN = '([{';
const CLOSE = ')]}';

/** Top-level statements of blanked code, each with the index at which it begins. */
function statements(code) {
  const found = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < code.length; at += 1) {
    const c = code[at];
    if (OPEN.includes(c)) depth += 1;
    if (CLOSE.includes(c)) depth -= 1;
    const blockEnds = c === '}' && code[at + 1] === '\n' && isBlock(code.slice(from, at));
    if (depth === 0 && (c === ';' || blockEnds)) {
      found.push({ text: code.slice(from, at).trim(), at: from + leading(code.slice(from)) });
      from = at + 1;
    }
  }
  const rest = code.slice(from).trim();
  if (rest !== '') found.push({ text: rest, at: from + leading(code.slice(from)) });
  return found;
}

const leading = (text) => text.length - text.trimStart().length;
/** These end with their brace; everything else ends with a semicolon. */
function isBlock(text) {
  const shape =
    /^(export\s+)?(declare\s+)?(default\s+)?(async\s+)?(abstract\s+)?(function|class|interface)\b/;
  return shape.test(text.trim());
}

/** Splits `name: type = value` at its first `=` outside brackets. */
function splitDeclaration(text) {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (OPEN.includes(text[at])) depth += 1;
    if (CLOSE.includes(text[at])) depth -= 1;
    const plain = text[at] === '=' && text[at + 1] !== '>' && text[at + 1] !== '=';
    if (plain && depth === 0) {
      return { head: text.slice(0, at).trim(), value: text.slice(at + 1).trim() };
    }
  }
  return { head: text.trim(), value: '' };
}

/** A type that promises not to change: Readonly<…>, ReadonlyMap, readonly T[], a plain function. */
function isReadonlyType(head) {
  const type = /^[^:]*:\s*([\s\S]+)$/.exec(head)?.[1] ?? '';
  return /^(Readonly|readonly\b)/.test(type) || /=>/.test(type);
}

/** Why a value may not stand at the top level, or undefined when it may. */
function valueFault(head, value) {
  if (isReadonlyType(head) || /\bas const$/.test(value)) return undefined;
  if (/^(async\s+)?(function\b|class\b|<|\w+\s*=>|\([\s\S]*?\)(\s*:[\s\S]*?)?\s*=>)/.test(value)) {
    return undefined;
  }
  if (/^Object\.freeze\(/.test(value)) return undefined;
  if (/^\/[\s\S]*\/[a-z]*[gy][a-z]*$/.test(value)) return 'a RegExp with g or y remembers a place';
  if (/^new\b/.test(value)) return `"new" needs a type that begins with Readonly`;
  if (/^[[{]/.test(value)) return 'a table needs "as const" or a type that begins with Readonly';
  if (/^await\b/.test(value)) return 'a module may not wait while it is loaded';
  const call = /^([\w.]+)\(/.exec(value)?.[1];
  const pure = /^(Symbol|BigInt|Number|String|Math\.\w+|createRequire|fileURLToPath)$/;
  if (call !== undefined && !pure.test(call)) return `the result of ${call}() may be state`;
  return undefined;
}

function statementFault(text, path) {
  if (/^(export\s+)?(declare\s+)?(let|var)\b/.test(text)) return 'a top-level let or var is state';
  const constant = /^(?:export\s+)?const\s+([\s\S]+)$/.exec(text)?.[1];
  if (constant !== undefined) {
    const { head, value } = splitDeclaration(constant);
    return valueFault(head, value);
  }
  const declares = /^(import|export|type|declare)\b/;
  if (text === '' || declares.test(text) || isBlock(text) || path.startsWith('lib/cli/'))
    return undefined;
  return 'a module may do nothing while it is loaded';
}

function staticFaults(code) {
  const shape =
    /^[ \t]+(?:(?:public|private|protected)\s+)?static\s+(readonly\s+)?(#?\w+)([^;(){]*[=;][^;]*)/gm;
  return [...code.matchAll(shape)].flatMap((hit) => {
    const { head, value } = splitDeclaration(`${hit[2]}${hit[3]}`);
    const why =
      hit[1] === undefined
        ? 'a static that is not readonly is state'
        : valueFault(head, value.replace(/;$/, ''));
    return why === undefined ? [] : [{ at: hit.index, why }];
  });
}

function check(root, path) {
  const code = blank(readText(root, path), ['comment', 'text']).replace(/^#!.*/, '');
  const faults = statements(code).flatMap(({ text, at }) => {
    const why = statementFault(text, path);
    return why === undefined ? [] : [{ at, why }];
  });
  return [...faults, ...staticFaults(code)].map(
    ({ at, why }) => `${path}:${lineAt(code, at)}: ${why}`,
  );
}

const root = rootFolder();
const files = filesUnder(root, 'lib').filter((path) => path.endsWith('.ts'));
finish(
  'check-state',
  files.flatMap((path) => check(root, path)),
  files.length,
);
