// What the checks share: a walk over the tree, and source text without comments and strings.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const SKIPPED = /^(node_modules|\.git|dist|prebuilds|coverage|build(-.*)?|\.kvs)$/;

/** Paths of all files below `folder`, relative to `root`, with `/`, sorted; none when it is missing. */
export function filesUnder(root, folder) {
  const top = join(root, folder);
  if (!existsSync(top)) return [];
  const found = [];
  for (const entry of readdirSync(top, { withFileTypes: true })) {
    const path = join(top, entry.name);
    if (entry.isDirectory() && !SKIPPED.test(entry.name)) {
      found.push(...filesUnder(root, relative(root, path)));
    } else if (entry.isFile()) {
      found.push(relative(root, path).split(sep).join('/'));
    }
  }
  return found.sort();
}

export function readText(root, path) {
  return readFileSync(join(root, path), 'utf8');
}

export function lineAt(text, index) {
  return text.slice(0, index).split('\n').length;
}

/** A `/` begins a regular expression where a value may begin, and divides elsewhere. */
function beginsRegExp(before) {
  return (
    /(^|[=(,:[!&|?{};+\-*%~^<>\n])\s*$/.test(before) || /\b(return|typeof|case|in)\s*$/.test(before)
  );
}

/** Index just after the quoted text that begins at `from`. */
function endOfQuoted(text, from) {
  const quote = text[from];
  let at = from + 1;
  while (at < text.length && text[at] !== quote) {
    if (text[at] === '\\') at += 1;
    else if (quote === '`' && text.startsWith('${', at)) at = endOfHole(text, at + 2) - 1;
    else if (quote !== '`' && text[at] === '\n') break;
    at += 1;
  }
  return at + 1;
}

function endOfHole(text, from) {
  let depth = 1;
  let at = from;
  while (at < text.length && depth > 0) {
    const c = text[at];
    if (c === '"' || c === "'" || c === '`') {
      at = endOfQuoted(text, at);
      continue;
    }
    if (c === '{') depth += 1;
    if (c === '}') depth -= 1;
    at += 1;
  }
  return at;
}

function endOfRegExp(text, from) {
  let inClass = false;
  let at = from + 1;
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '[') inClass = true;
    else if (text[at] === ']') inClass = false;
    at += 1;
  }
  return at + 1;
}

/** `{ kind, end }` of the comment, text or regular expression that begins at `at`, if one does. */
function tokenAt(text, at) {
  const c = text[at];
  if (c === '/' && text[at + 1] === '/') {
    const end = text.indexOf('\n', at);
    return { kind: 'comment', end: end < 0 ? text.length : end };
  }
  if (c === '/' && text[at + 1] === '*') {
    const end = text.indexOf('*/', at + 2);
    return { kind: 'comment', end: end < 0 ? text.length : end + 2 };
  }
  if (c === '"' || c === "'" || c === '`') return { kind: 'text', end: endOfQuoted(text, at) };
  if (c === '/' && beginsRegExp(text.slice(Math.max(0, at - 80), at))) {
    return { kind: 'regexp', end: endOfRegExp(text, at) };
  }
  return undefined;
}

/**
 * The same text with the named kinds of token blanked out, character for character, so that
 * indexes and line numbers stay. A blanked text or regular expression keeps its first and last
 * character.
 */
export function blank(text, kinds) {
  let out = '';
  let at = 0;
  while (at < text.length) {
    const token = tokenAt(text, at);
    if (token === undefined) {
      out += text[at];
      at += 1;
      continue;
    }
    const raw = text.slice(at, token.end);
    const hollow = raw.replace(/[^\n]/g, ' ');
    if (!kinds.includes(token.kind)) out += raw;
    else if (token.kind === 'comment' || raw.length < 2) out += hollow;
    else out += raw[0] + hollow.slice(1, -1) + raw.at(-1);
    at = token.end;
  }
  return out;
}

/** Prints the faults of a check and exits: 0 when there is none and something was looked at. */
export function finish(name, faults, looked) {
  const all = looked > 0 ? faults : [...faults, 'nothing to look at: is this the right folder?'];
  for (const fault of all) console.error(`${name}: ${fault}`);
  if (all.length === 0) console.log(`${name}: ${looked} looked at, no fault`);
  process.exit(all.length === 0 ? 0 : 1);
}

/** The folder to check: the first argument, else the repository that holds this file. */
export function rootFolder() {
  const given = process.argv[2];
  return given ?? new URL('../..', import.meta.url).pathname;
}
