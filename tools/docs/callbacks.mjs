// docs/callbacks.md: the names of the guide's callback tables from callbacks.json; arguments, units
// and occasions from the types in lib and from events.def.
import ts from 'typescript';
import { eventRows } from '../lib/tables.mjs';
import { table } from './markdown.mjs';

const FILES = [
  'lib/providers/callbacks.ts',
  'lib/providers/reports.ts',
  'lib/providers/service-calls.ts',
  'lib/providers/device-info.ts',
  'lib/transport/put-media.ts',
  'lib/base/credentials.ts',
  'lib/providers/iot-credentials.ts',
];
const UNITS = {
  TICKS: 'ms',
  BYTES: 'bytes',
  COUNT: 'a count',
  NUMBER: 'a number',
  STATUS: 'a status',
  FLAG: 'true or false',
};

function docOf(node) {
  const doc = ts.getJSDocCommentsAndTags(node).at(-1);
  const text = doc === undefined ? '' : ts.getTextOfJSDocComment(doc.comment);
  return (text ?? '').replace(/\s+/g, ' ').trim();
}

/** Interfaces by name: `{ parents, members: { name, doc, optional, type, parameters }[] }`. */
export function interfacesIn(read) {
  const found = new Map();
  for (const path of FILES) {
    const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true);
    for (const node of source.statements.filter(ts.isInterfaceDeclaration)) {
      const parents = (node.heritageClauses ?? []).flatMap((clause) =>
        clause.types.map((type) => type.expression.getText(source)),
      );
      const members = node.members.map((member) => ({
        name: member.name.getText(source),
        doc: docOf(member),
        optional: member.questionToken !== undefined,
        type: member.type?.getText(source).replace(/\s+/g, ' ') ?? '',
        parameters: (member.parameters ?? []).map((one) => ({
          name: one.name.getText(source),
          type: one.type.getText(source).replace(/\s+/g, ' '),
        })),
      }));
      found.set(node.name.getText(source), { path, parents, members });
    }
  }
  return found;
}

/** The member `Interface.name`, its parents' included; throws when there is none. */
export function memberOf(interfaces, path) {
  const [owner, name] = path.split('.');
  const own = interfaces.get(owner);
  const hit = own?.members.find((member) => member.name === name);
  if (hit !== undefined) return hit;
  for (const parent of own?.parents ?? []) {
    const above = interfaces.get(parent)?.members.find((member) => member.name === name);
    if (above !== undefined) return above;
  }
  throw new Error(`callbacks.json: there is no ${path}`);
}

const NUMBERS = new Set(['number', 'number | undefined']);

/** A field of a report: its name, its type, its comment, and the unit from the event's table. */
function fieldText(field, event) {
  const unit = event?.fields.find((one) => one.name === field.name)?.unit;
  const what = NUMBERS.has(field.type) ? (UNITS[unit] ?? '') : `\`${field.type}\``;
  const doc = field.doc.replace(/\.$/, '');
  const said = doc.toLowerCase().includes(what) || (doc !== '' && /^a (count|number)$/.test(what));
  const parts = [said ? '' : what, doc].filter((part) => part !== '');
  if (parts.length === 0) throw new Error(`callbacks: ${field.name} is a number without a unit`);
  return `\`${field.name}\` (${parts.join('; ')})`;
}

/** What a report or input has, or the name of a type that is explained elsewhere. */
function argumentText({ name, type }, interfaces, event) {
  if (name.startsWith('_')) return undefined;
  const fields = interfaces.get(type)?.members;
  if (fields === undefined || ELSEWHERE.has(type)) return `\`${name}\`: \`${type}\``;
  return `\`${name}\`: ${fields.map((field) => fieldText(field, event)).join(', ')}`;
}

/** Types that the page explains once, or that have pages of their own. */
const ELSEWHERE = new Set(['StreamHandle', 'ServiceCallContext', 'DeviceInfo', 'PutMediaIo']);

function memberArguments(member, interfaces, events) {
  const event = events.find((one) => one.type === member.name);
  const texts = member.parameters
    .filter((one) => one.type !== 'StreamHandle')
    .map((one) => argumentText(one, interfaces, event));
  if (
    member.type.startsWith('Promise<') ||
    (member.parameters.length === 0 && member.type !== '')
  ) {
    texts.push(`answers \`${member.type}\``);
  } else if (member.type === 'PutMediaSession') {
    texts.push('answers a `PutMediaSession`');
  }
  return texts.filter((text) => text !== undefined).join('; ');
}

/** A function that does what the guide's callback does. */
function functionRow(entry, interfaces, read) {
  if (!read(entry.file).includes(`export function ${entry.function}(`)) {
    throw new Error(`callbacks.json: ${entry.file} has no function ${entry.function}`);
  }
  const options = argumentText({ name: 'options', type: entry.options }, interfaces);
  const guide = entry.guide.map((name) => `\`${name}\``).join(', ');
  return [guide, `\`${entry.function}\``, options, entry.when];
}

function row(entry, interfaces, events) {
  const guide = entry.guide.map((name) => `\`${name}\``).join(', ');
  if (entry.absent !== undefined) return [guide, 'does not exist', '', entry.absent];
  const member = memberOf(interfaces, entry.here);
  const doc = member.doc.replace(/^Guide: \w+(;|\.)\s*/, (_, end) => (end === ';' ? 'Here ' : ''));
  const when = [entry.when ?? doc, entry.note].filter((text) => text !== undefined).join(' ');
  return [guide, `\`${entry.here}\``, memberArguments(member, interfaces, events), when];
}

function fieldRow(entry, interfaces) {
  const guide = entry.guide.map((name) => `\`${name}\``).join(', ');
  if (entry.absent !== undefined) return [guide, 'does not exist', entry.absent];
  const member = memberOf(interfaces, entry.here);
  return [guide, `\`${entry.here}\`: \`${member.type}\``, entry.note ?? member.doc];
}

/** Callbacks that the guide does not have. */
function more(texts, interfaces, events) {
  const named = new Set(texts.callbacks.map((entry) => entry.here));
  return ['ClientCallbackProvider', 'StreamCallbackProvider'].flatMap((owner) =>
    interfaces
      .get(owner)
      .members.filter((member) => !named.has(`${owner}.${member.name}`))
      .map((member) => [
        `\`${owner}.${member.name}\``,
        memberArguments(member, interfaces, events),
        member.doc,
      ]),
  );
}

function providerRows(texts, interfaces) {
  return Object.entries(texts.providers).map(([name, what]) => {
    const source = interfaces.has(name)
      ? 'an interface; all in it that is optional may be left out'
      : 'a class';
    return [`\`${name}\``, source, what];
  });
}

/** The page. Throws when a name that callbacks.json gives does not exist, or a number has no unit. */
export function callbacksPage(read) {
  const texts = JSON.parse(read('tools/docs/callbacks.json'));
  const events = eventRows(read('native/include/kvs/events.def'));
  const interfaces = interfacesIn(read);
  const rows = texts.callbacks.map((entry) =>
    entry.function === undefined
      ? row(entry, interfaces, events)
      : functionRow(entry, interfaces, read),
  );
  return [
    '# Callbacks',
    '',
    'Made by `node tools/docs.mjs` from the types in `lib/providers`, `events.def` and `tools/docs/callbacks.json`; do not',
    'edit.',
    '',
    'A callback runs after the call that caused it has returned, in a turn of its own, and is not waited for. One that',
    'throws or rejects goes to the logger and harms nothing; it may put frames, and stop or close the stream. Each callback',
    'about a stream gets the stream as its last argument, and is an event of the stream of the same name as well',
    "(`stream.on('fragmentAckReceived', …)`). Times are milliseconds.",
    '',
    ...table(['provider', 'kind', 'what it is for'], providerRows(texts, interfaces)),
    '',
    '## Names of the guide',
    '',
    ...table(['guide', 'here', 'arguments', 'when'], rows),
    '',
    '## Fields of what comes with service calls',
    '',
    ...table(
      ['guide', 'here', ''],
      texts.fields.map((entry) => fieldRow(entry, interfaces)),
    ),
    '',
    '## Callbacks that the guide does not have',
    '',
    ...table(['here', 'arguments', 'when'], more(texts, interfaces, events)),
    '',
  ].join('\n');
}
