// Makes lib/generated/*.ts from the tables in native/include/kvs/*.def.
//   node tools/generate.mjs          writes the files
//   node tools/generate.mjs --check  exits 1 when a file is not in step
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { eventRows, metricRows } from './lib/tables.mjs';

const root = new URL('..', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const table = (name) => read(`native/include/kvs/${name}.def`).replace(/\/\*[\s\S]*?\*\//g, '');
const HEAD = (from) =>
  `// Made by tools/generate.mjs from native/include/kvs/${from}. Do not edit.\n`;

function status() {
  const rows = [...table('status').matchAll(/KVS_STATUS\((\w+),\s*(0x\w+),\s*(\w+),\s*(\d)\)/g)];
  const body = rows.map(([, name, code]) => `  STATUS_${name}: ${code},`).join('\n');
  return `${HEAD('status.def')}
/** Every status of the producer by the guide's name (guide: error and status codes). */
export const STATUS = {
${body}
} as const;

/** Name of a status, for example \`STATUS_STORE_OUT_OF_MEMORY\`. */
export type StatusName = keyof typeof STATUS;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(STATUS).map(([name, code]) => [code, name]),
);

function isStatusName(name: string | undefined): name is StatusName {
  return name !== undefined && name in STATUS;
}

/** The name of a status number, or undefined when the table does not have it. */
export function statusName(code: number): StatusName | undefined {
  const name = NAMES.get(code);
  return isStatusName(name) ? name : undefined;
}
`;
}

const UNIT_DOC = {
  TICKS: 'ms',
  BYTES: 'bytes',
  COUNT: 'count',
  NUMBER: 'number',
  STATUS: 'status code',
  FLAG: '0 or 1',
};

function events() {
  const parsed = eventRows(read('native/include/kvs/events.def'));
  const types = parsed.map(
    (e) => `export interface ${e.type[0].toUpperCase()}${e.type.slice(1)}Event {
  readonly type: '${e.type}';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
${e.fields.map((f) => `  /** ${UNIT_DOC[f.unit]} */\n  readonly ${f.name}: ${f.unit === 'FLAG' ? 'boolean' : 'number'};`).join('\n')}
${e.type === 'fragmentAckReceived' ? "  /** The service's fragment number; empty when it sent none. */\n  readonly text: string;\n" : ''}}`,
  );
  return `${HEAD('events.def')}
${types.join('\n\n')}

/** Anything that the core tells its host. */
export type NativeEvent =
${parsed.map((e) => `  | ${e.type[0].toUpperCase()}${e.type.slice(1)}Event`).join('\n')};
`;
}

// What counts and numbers are, their meaning says.
const METRIC_UNIT = { TICKS: ' In ms.', BYTES: ' In bytes.', COUNT: '', NUMBER: '' };

function metrics() {
  const group = (kind, name, doc) => {
    const fields = metricRows(read('native/include/kvs/metrics.def'), kind);
    return `/** ${doc} */
export interface ${name} {
${fields.map((f) => `  /** ${f.meaning}${METRIC_UNIT[f.unit]} */\n  readonly ${f.name}: number;`).join('\n')}
}`;
  };
  return `${HEAD('metrics.def')}
${group('CLIENT', 'ClientMetrics', 'Figures of a client (guide: ClientMetrics).')}

${group('STREAM', 'StreamMetrics', 'Figures of a stream (guide: StreamMetrics).')}
`;
}

function states() {
  const source = table('states').replace(/^#.*$/gm, '');
  const group = (macro, name, doc) => {
    const rows = [...source.matchAll(new RegExp(`${macro}\\((\\w+),\\s*(0x\\w+)\\)`, 'g'))];
    return `/** ${doc} */
export const ${name} = {
${rows.map(([, state, bit]) => `  ${state}: ${bit},`).join('\n')}
} as const;`;
  };
  return `${HEAD('states.def')}
${group('KVS_CLIENT_STATE', 'CLIENT_STATE', 'States of a client.')}

${group('KVS_STREAM_STATE', 'STREAM_STATE', 'States of a stream (guide: stream states).')}
`;
}

function elements() {
  const source = table('mkv_elements').replace(/^#.*$/gm, '');
  const rows = [...source.matchAll(/KVS_MKV_ELEMENT\((\w+),\s*(0x\w+),\s*(\w+),\s*(\w+)\)/g)];
  const recursive = new Set(
    [...source.matchAll(/KVS_MKV_RECURSIVE\((\w+)\)/g)].map(([, name]) => name),
  );
  const kinds = [...new Set(rows.map(([, , , type]) => type.toLowerCase()))];
  const element = ([, name, id, type, parent]) =>
    `  ${name}: {
    name: '${name}',
    id: ${id},
    type: '${type.toLowerCase()}',
    parent: '${parent}',
    recursive: ${recursive.has(name)},
  },`;
  return `${HEAD('mkv_elements.def')}
/** Ids of all known Matroska elements, with their length marker, as they stand in a file. */
export const MKV_ID = {
${rows.map(([, name, id]) => `  ${name}: ${id},`).join('\n')}
} as const;

/** Name of a known Matroska element, for example \`SIMPLE_BLOCK\`. */
export type MkvElementName = keyof typeof MKV_ID;

/** How an element's data is read. */
export type MkvValueType = ${kinds.map((k) => `'${k}'`).join(' | ')};

/** What the table knows of one element. */
export interface MkvElementType {
  /** \`UNKNOWN\` for an id that the table does not have. */
  readonly name: MkvElementName | 'UNKNOWN';
  /** The id with its length marker; 0 for \`UNKNOWN\`. */
  readonly id: number;
  readonly type: MkvValueType;
  /** The master that it stands in; \`ROOT\` at top level, \`GLOBAL\` in any. */
  readonly parent: MkvElementName | 'ROOT' | 'GLOBAL';
  /** Whether it may stand in itself, too. */
  readonly recursive: boolean;
}

/** Stands for every id that the table does not have: its data is skipped. */
export const UNKNOWN_ELEMENT: Readonly<MkvElementType> = {
  name: 'UNKNOWN',
  id: 0,
  type: 'binary',
  parent: 'GLOBAL',
  recursive: false,
};

/** All known elements by name. */
export const MKV_ELEMENTS: Readonly<Record<MkvElementName, MkvElementType>> = {
${rows.map(element).join('\n')}
};

const BY_ID: ReadonlyMap<number, MkvElementType> = new Map(
  Object.values(MKV_ELEMENTS).map((element) => [element.id, element]),
);

/** The element with this id, or \`UNKNOWN_ELEMENT\`. */
export function mkvElement(id: number): MkvElementType {
  return BY_ID.get(id) ?? UNKNOWN_ELEMENT;
}
`;
}

const VERSION = JSON.parse(read('package.json')).version;

function version() {
  return `${HEAD('package.json')}
/** Version of this package. */
export const PACKAGE_VERSION = '${VERSION}';
`;
}

function versionHeader() {
  return `/* SPDX-License-Identifier: Apache-2.0
 * Generated from package.json by tools/generate.mjs. */
#ifndef KVS_VERSION_H
#define KVS_VERSION_H

/* Version of the package that this header came with. */
#define KVS_VERSION "${VERSION}"

#endif
`;
}

const OUTPUTS = {
  'lib/generated/status.ts': status,
  'lib/generated/events.ts': events,
  'lib/generated/metrics.ts': metrics,
  'lib/generated/states.ts': states,
  'lib/generated/elements.ts': elements,
  'lib/generated/version.ts': version,
  'native/include/kvs/version.h': versionHeader,
};
let stale = 0;
mkdirSync(new URL('lib/generated/', root), { recursive: true });
for (const [path, make] of Object.entries(OUTPUTS)) {
  const text = make();
  if (process.argv.includes('--check')) {
    if (!existsSync(new URL(path, root)) || read(path) !== text) {
      stale += 1;
      console.error(`${path} is not in step with its table: run node tools/generate.mjs`);
    }
  } else {
    writeFileSync(new URL(path, root), text);
  }
}
process.exit(stale === 0 ? 0 : 1);
