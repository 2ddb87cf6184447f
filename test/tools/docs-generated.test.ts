// docs/errors.md, docs/callbacks.md and docs/metrics.md hold everything that they are for, and
// tools/docs.mjs tells when they do not.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STATUS } from '../../lib/generated/status.js';
import { KinesisVideoProducer } from '../../lib/index.js';
import { OPERATIONS } from '../../lib/service/api/operations.js';
import { ACK_ERRORS, SERVICE_ERRORS } from '../../lib/service/errors.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Cells of each row of the page's tables, heads left out. */
function rowsOf(page: string, heading = ''): string[][] {
  const text = read(`docs/${page}.md`);
  const part = heading === '' ? text : (text.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '');
  return part
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| -/.test(line))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    );
}

/** Every cell of a row says something. */
function expectFull(rows: readonly string[][]): void {
  expect(rows.filter((cells) => cells.some((cell) => cell === ''))).toEqual([]);
}

describe('docs/errors.md', () => {
  const statuses = rowsOf('errors', 'Statuses').filter(([code]) => code?.startsWith('`0x'));

  it('has each status once, with its number, a meaning and a remedy', () => {
    const found = Object.fromEntries(
      statuses.map(([code, name]) => [name?.slice(1, -1), Number(code?.slice(1, -1))]),
    );
    expect(statuses).toHaveLength(Object.keys(STATUS).length);
    expect(found).toEqual({ ...STATUS });
    expectFull(statuses);
    for (const [, name, , meaning, remedy] of statuses) {
      expect(`${name}: ${meaning}`).toMatch(/: [A-Z`].*\.$/);
      expect(`${name}: ${remedy}`).toMatch(/: [A-Z].*[.)]$/);
    }
  });

  it('tells what the producer does after each error ack of the service', () => {
    const acks = rowsOf('errors', 'Error acks of PutMedia').slice(1);
    const found = Object.fromEntries(acks.map(([id, code]) => [id, code?.slice(1, -1)]));
    expect(found).toEqual({ ...ACK_ERRORS });
    expectFull(acks);
  });

  it('has each exception of the service with its HTTP status and operations', () => {
    const rows = rowsOf('errors', 'Exceptions of service calls').slice(1);
    expectFull(rows);
    const found = new Map(rows.map(([name, http, by]) => [name?.slice(1, -1), { http, by }]));
    expect(found.size).toBe(rows.length);
    for (const [name, http] of Object.entries(SERVICE_ERRORS)) {
      expect(found.get(name)).toMatchObject({ http: String(http) });
      expect(found.get(name)?.by).not.toBe('AWS only');
    }
    for (const { name, errors } of OPERATIONS) {
      for (const error of errors) {
        expect(`${error}: ${found.get(error)?.by}`).toMatch(new RegExp(`every operation|${name}`));
      }
    }
  });
});

// The guide's tables: ClientCallbackProvider, StreamCallbackProvider, ClientCallbacks.
const GETTERS = `ClientReady StorageOverflowPressure DroppedFragmentReport DroppedFrameReport
  FragmentAckReceived StreamClosed StreamConnectionStale StreamDataAvailable StreamErrorReport
  StreamLatencyPressure StreamReady StreamUnderflowReport`;
const FUNCTIONS = `CreateDevice CreateStream DescribeStream GetStreamingEndpoint GetStreamingToken
  PutStream TagResource CreateMutex FreeMutex LockMutex TryLockMutex UnlockMutex ${GETTERS}
  DeviceCertToToken GetCurrentTime GetDeviceCertificate GetDeviceFingerprint GetRandomNumber
  GetSecurityToken LogPrint`;
const words = (text: string): string[] => text.split(/\s+/);

function membersOf(file: string, name: string): string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
  const found = source.statements
    .filter(ts.isInterfaceDeclaration)
    .find((node) => node.name.text === name);
  return (found?.members ?? []).map((member) => member.name?.getText() ?? '');
}

describe('docs/callbacks.md', () => {
  const guide = rowsOf('callbacks', 'Names of the guide').slice(1);
  const own = rowsOf('callbacks', 'Callbacks that the guide does not have').slice(1);

  it("has each name of the guide's tables once, and says what it is or why it is not", () => {
    const names = guide.flatMap(([cell]) => (cell ?? '').replace(/`/g, '').split(', '));
    const expected = [
      ...words(GETTERS).map((name) => `get${name}Callback`),
      ...words(FUNCTIONS).map((name) => `${name}Func`),
    ];
    expect(names.sort()).toEqual(expected.sort());
    for (const cells of guide) {
      expect(cells[3]).toMatch(/\w.*\.$/);
      if (cells[1] !== 'does not exist') expect(cells[2]).not.toBe('');
    }
    expectFull(own);
  });

  it.each([
    ['lib/providers/callbacks.ts', 'ClientCallbackProvider', 'ClientCallbackProvider'],
    ['lib/providers/callbacks.ts', 'StreamCallbackProvider', 'StreamCallbackProvider'],
    ['lib/providers/service-calls.ts', 'ServiceCalls', 'CallbackProvider'],
    ['lib/providers/service-calls.ts', 'PlatformCalls', 'CallbackProvider'],
  ])('%s: has each member of %s once', (file, name, shown) => {
    const members = membersOf(file, name);
    expect(members.length).toBeGreaterThan(2);
    const here = [...guide.map((cells) => cells[1]), ...own.map((cells) => cells[0])];
    for (const member of members) {
      expect(here.filter((cell) => cell === `\`${shown}.${member}\``)).toHaveLength(1);
    }
  });
});

describe('docs/metrics.md', () => {
  it('has each field that a producer and a stream answer, in order, with unit and meaning', async () => {
    const endpoint = 'http://127.0.0.1:9';
    const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' };
    const producer = await KinesisVideoProducer.create({ endpoint, credentials });
    const stream = await producer.createStream();
    for (const [heading, metrics] of [
      ['ClientMetrics', producer.getMetrics()],
      ['StreamMetrics', stream.getMetrics()],
    ] as const) {
      const rows = rowsOf('metrics', heading).slice(1);
      expect(rows.map(([name]) => name?.slice(1, -1))).toEqual(Object.keys(metrics));
      expectFull(rows);
      for (const [, unit] of rows) {
        expect(unit).toMatch(/^(ms|bytes|count|number|bytes\/s|count\/s)$/);
      }
    }
    await producer.close({ timeoutMs: 0 });
  });
});

describe('tools/docs.mjs --check', () => {
  let copy = '';

  beforeAll(() => {
    copy = realpathSync(mkdtempSync(join(tmpdir(), 'kvs-docs-')));
    for (const path of ['tools', 'lib', 'native', 'docs', 'package.json', '.prettierrc.json']) {
      cpSync(join(ROOT, path), join(copy, path), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  });

  afterAll(() => {
    rmSync(copy, { recursive: true, force: true });
  });

  function check(): { readonly code: number | null; readonly text: string } {
    const command = [join(copy, 'tools/docs.mjs'), '--check'];
    const done = spawnSync(process.execPath, command, { encoding: 'utf8' });
    return { code: done.status, text: done.stdout + done.stderr };
  }

  /** The outcome with one file changed, which is put back afterwards. */
  function checkWith(path: string, from: string, to: string): ReturnType<typeof check> {
    const whole = readFileSync(join(copy, path), 'utf8');
    expect(whole).toContain(from);
    writeFileSync(join(copy, path), whole.replace(from, to));
    const done = check();
    writeFileSync(join(copy, path), whole);
    return done;
  }

  it('passes', () => {
    expect(check()).toEqual({ code: 0, text: '' });
  });

  it.each([
    ['tools/docs/errors.json', 'Pass it.', 'Hand it over.', /docs\/errors\.md is not in step/],
    [
      'tools/docs/errors.json',
      '"NULL_ARG"',
      '"NIL_ARG"',
      /lacks \[NULL_ARG\].*in vain \[NIL_ARG\]/,
    ],
    [
      'native/include/kvs/metrics.def',
      '/* Buffering acks so far. */',
      '',
      /of 40 STREAM metrics 39 have a comment/,
    ],
    ['native/include/kvs/metrics.def', '/* Buffering acks so far.', '/* Few.', /docs\/metrics\.md/],
    ['lib/providers/callbacks.ts', 'A session had nothing to send.', 'Dry.', /docs\/callbacks\.md/],
    [
      'lib/providers/callbacks.ts',
      '  streamReady?(',
      '  streamRipe?(',
      /there is no .*streamReady/,
    ],
    [
      'lib/providers/reports.ts',
      '/** Media that still fit, ms. */\n  readonly remaining',
      'readonly rest',
      /rest is a number without a unit/,
    ],
  ])('%s: notices %s as %s', (path, from, to, fault) => {
    const done = checkWith(path, from, to);
    expect(done.text).toMatch(fault);
    expect(done.code).toBe(1);
  });
});
