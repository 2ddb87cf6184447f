// Rule 5: one owner per byte. `node tools/check-header.mjs [FOLDER]`
// The comment before each KVS_API function gives every pointer parameter an ownership word:
//   |name| [read], [filled], [lent] or [moved]
import { blank, finish, lineAt, readText, rootFolder } from './lib/source.mjs';

const HEADER = 'native/include/kvs/kvs.h';
const WORDS = ['read', 'filled', 'lent', 'moved'];

/** `name (parameters)` of each KVS_API declaration, with the index at which it begins. */
function declarations(text) {
  const code = blank(text, ['comment', 'text']).replace(/^[ \t]*#.*(\\\n.*)*$/gm, (line) =>
    line.replace(/[^\n]/g, ' '),
  );
  return [...code.matchAll(/\bKVS_API\b([^;(]*?)\b(kvs_\w+)\s*\(([^;]*)\)\s*;/g)].map((hit) => ({
    name: hit[2],
    parameters: hit[3].split(',').map((parameter) => parameter.trim()),
    at: hit.index,
  }));
}

/** The comment that ends right before `at`, or an empty text. */
function commentBefore(text, at) {
  const before = text.slice(0, at).trimEnd();
  if (!before.endsWith('*/')) return '';
  return before.slice(before.lastIndexOf('/*'));
}

function parameterFault(name, parameter, comment) {
  if (!parameter.includes('*') && !parameter.includes('[')) return undefined;
  const own = /(\w+)\s*(\[[^\]]*\])?$/.exec(parameter)?.[1] ?? parameter;
  const word = new RegExp(`\\|${own}\\|\\s*\\[(\\w+)\\]`).exec(comment.replace(/\n\s*\*/g, '\n'));
  if (word === null) return `${name}: no ownership word for |${own}|`;
  return WORDS.includes(word[1])
    ? undefined
    : `${name}: |${own}| [${word[1]}] is no ownership word`;
}

const text = readText(rootFolder(), HEADER);
const found = declarations(text);
const faults = found.flatMap(({ name, parameters, at }) => {
  const comment = commentBefore(text, at);
  const where = `${HEADER}:${lineAt(text, at)}`;
  if (comment === '') return [`${where}: ${name} has no comment`];
  return parameters
    .map((parameter) => parameterFault(name, parameter, comment))
    .filter((why) => why !== undefined)
    .map((why) => `${where}: ${why}`);
});
const marked = (blank(text, ['comment', 'text']).match(/^KVS_API\b/gm) ?? []).length;
if (marked !== found.length) {
  faults.push(`${HEADER}: ${marked} functions are marked KVS_API, ${found.length} could be read`);
}
finish('check-header', faults, found.length);
