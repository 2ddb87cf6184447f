// docs/errors.md: statuses from status.def, exceptions from the service's tables, texts from
// errors.json.
import { buildSync } from 'esbuild';
import { filesUnder } from '../lib/source.mjs';
import { statusRows } from '../lib/tables.mjs';
import { table } from './markdown.mjs';

const LIBRARIES = {
  client: 'The producer',
  state: 'Its states',
  mkvgen: 'Media and codecs',
  common: 'Everywhere',
  heap: 'The storage',
  view: 'The buffer',
  utils: 'Utilities',
  trace: 'Tracing',
};

/** What a row of errors.json says, its remedy looked up. */
export function textOf(texts, [meaning, remedy]) {
  return [meaning, remedy.startsWith('@') ? texts.remedies[remedy.slice(1)] : remedy];
}

/** Names of the statuses that the core or the library can give: those that their sources use. */
export function givenStatuses(root, read) {
  const core = sources(root, read, ['native/core', 'native/addon'], /\.(c|cc|h)$/);
  const library = sources(root, read, ['lib'], /\.ts$/, /^lib\/generated\//);
  return {
    core: new Set([...core.matchAll(/\bKVS_STATUS_([A-Z0-9_]+)/g)].map(([, name]) => name)),
    library: new Set([...library.matchAll(/\bSTATUS_([A-Z0-9_]+)/g)].map(([, name]) => name)),
  };
}

function sources(root, read, folders, shape, except = /^$/) {
  return folders
    .flatMap((folder) => filesUnder(root, folder))
    .filter((path) => shape.test(path) && !except.test(path))
    .map((path) => read(path).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''))
    .join('\n');
}

function givenBy(given, name) {
  const by = [
    ...(given.core.has(name) ? ['core'] : []),
    ...(given.library.has(name) ? ['library'] : []),
  ];
  return by.length === 0 ? 'nobody' : by.join(', ');
}

function statusTables(rows, texts, given) {
  return Object.entries(LIBRARIES).flatMap(([library, title]) => {
    const own = rows.filter((row) => row.library === library);
    const cells = own.map(({ name, code }) => [
      `\`${code}\``,
      `\`STATUS_${name}\``,
      givenBy(given, name),
      ...textOf(texts, texts.statuses[name]),
    ]);
    const head = ['number', 'name', 'given by', 'what it means', 'what to do'];
    return [`### ${title} (\`${library}\`)`, '', ...table(head, cells), ''];
  });
}

/** `{ id, status, remedy }` of each error ack that the core knows. */
export function ackRows(root, read) {
  const source = sources(root, read, ['native/core'], /\.c$/);
  const shape = /\{(\d{4}),\s*KVS_STATUS_(\w+),\s*KVS_REMEDY_(\w+)\}/g;
  return [...source.matchAll(shape)].map(([, id, status, remedy]) => ({ id, status, remedy }));
}

const REMEDIES = {
  RESEND: 'sends the fragment again in a new session',
  SKIP_FRAGMENT: 'gives the fragment up, reports it, goes on with the next',
  DESCRIBE: 'keeps the fragment, describes the stream again, goes on when it is active',
};

function ackTable(acks, codes) {
  const cells = acks.map(({ id, status, remedy }) => [
    id,
    `\`${codes[id]}\``,
    `\`STATUS_${status}\``,
    REMEDIES[remedy],
  ]);
  return table(['ErrorId', 'ErrorCode', 'status', 'what the producer does'], cells);
}

/** `{ operations, exceptions, acks }` of the service, compiled from its sources. */
export async function serviceTables(root) {
  const built = buildSync({
    stdin: {
      contents:
        "export { OPERATIONS } from './lib/service/api/operations.ts';\n" +
        "export { ACK_ERRORS, SERVICE_ERRORS } from './lib/service/errors.ts';\n",
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  const code = built.outputFiles[0].text;
  const made = await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
  return { operations: made.OPERATIONS, exceptions: made.SERVICE_ERRORS, acks: made.ACK_ERRORS };
}

// What is answered elsewhere than by operations.
const ELSEWHERE = { NotImplementedException: 'HLS sessions' };

function whoGives(name, { operations, exceptions }) {
  if (!(name in exceptions)) return 'AWS only';
  const own = operations.filter((one) => one.errors.includes(name)).map((one) => one.name);
  if (own.length === 0) return ELSEWHERE[name] ?? 'any operation';
  return own.length === operations.length ? 'every operation' : own.join(', ');
}

function exceptionTable(texts, service) {
  const cells = Object.entries(texts.exceptions).map(([name, row]) => [
    `\`${name}\``,
    service.exceptions[name] ?? row[2],
    whoGives(name, service),
    ...textOf(texts, row),
  ]);
  const head = ['exception', 'HTTP', 'given by', 'what it means', 'what to do'];
  return table(head, cells);
}

/** The page. Throws when a status or exception has no text, or a text nothing that it is for. */
export async function errorsPage(root, read) {
  const texts = JSON.parse(read('tools/docs/errors.json'));
  const rows = statusRows(read('native/include/kvs/status.def'));
  const service = await serviceTables(root);
  same(
    'statuses',
    Object.keys(texts.statuses),
    rows.map((row) => row.name),
  );
  const acks = ackRows(root, read);
  same(
    'acks',
    acks.map((ack) => ack.id),
    Object.keys(service.acks),
  );
  const without = Object.keys(service.exceptions).filter((name) => !(name in texts.exceptions));
  if (without.length > 0) throw new Error(`errors.json lacks ${without.join(', ')}`);
  return [
    '# Errors',
    '',
    'Made by `node tools/docs.mjs` from `status.def`, the tables of the service and',
    '`tools/docs/errors.json`; do not edit.',
    '',
    'A `KvsError` has `status` (the name), `code` (the number), `retryable`, `cause`, and a message that says which frame,',
    'field or call broke which rule. This page says what each status means wherever it comes from.',
    '',
    '## Statuses',
    '',
    '“Given by” says whose sources use a status: those of the C core, those of the TypeScript library, or nobody here; the',
    'last are in the table because the guide or AWS’s client has them, so that numbers from elsewhere can be looked up.',
    '',
    ...statusTables(rows, texts, givenStatuses(root, read)),
    '## Error acks of PutMedia',
    '',
    'An ack with a number that is not here is `STATUS_ACK_ERR_UNKNOWN_ACK_ERROR`, and its fragment is sent again. After 4011',
    'the fragment goes again without the track that it lacks, where that is the cause.',
    '',
    ...ackTable(acks, service.acks),
    '',
    '## Exceptions of service calls',
    '',
    '“Given by” names the operations of the service in this package that answer so, by its own table; “AWS only” is in the',
    'API reference, and the service here never gives it. The producer makes every call again, whatever the exception;',
    'after five tries it reports the `…CALL_FAILED` status of the call.',
    '',
    ...exceptionTable(texts, service),
    '',
  ].join('\n');
}

function same(what, texts, rows) {
  const lack = rows.filter((name) => !texts.includes(name));
  const extra = texts.filter((name) => !rows.includes(name));
  if (lack.length + extra.length > 0) {
    throw new Error(`docs/errors.md, ${what}: lacks [${lack.join(', ')}], has in vain [${extra}]`);
  }
}
