// Each check of tools/ passes on a small sound tree and fails on a fault planted in it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const TOOLS = fileURLToPath(new URL('../../tools/', import.meta.url));

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kvs-checks-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function plant(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function check(name: string, ...args: string[]): { code: number | null; text: string } {
  const script = join(TOOLS, `check-${name}.mjs`);
  const done = spawnSync(process.execPath, [script, ...(args.length > 0 ? args : [root])], {
    encoding: 'utf8',
  });
  return { code: done.status, text: done.stdout + done.stderr };
}

function expectSound(name: string): void {
  expect(check(name)).toMatchObject({ code: 0 });
}

function expectFault(name: string, fault: RegExp): void {
  const done = check(name);
  expect(done.text).toMatch(fault);
  expect(done.code).toBe(1);
}

describe('check-layers', () => {
  const sound = {
    'native/core/base.h': '#include <stdint.h>\n#include <kvs/kvs.h>\n',
    'native/core/bytes.h': '#include "core/base.h"\n',
    'native/core/nal_avx2.c': '#include "core/nal.h"\n#include <immintrin.h>\n',
    'native/core/nal.h': '/* #include "core/client.h" */\n#include "core/bytes.h"\n',
    'native/include/kvs/kvs.h': '#include <stddef.h>\n#include <kvs/status.def>\n',
    'native/addon/addon.cc': '#include <napi.h>\n#include "wrap.h"\n#include <kvs/kvs.h>\n',
    'native/addon/wrap.h': '#include <cstdint>\n',
    'lib/index.ts': "export { a } from './producer/a.js';\n",
    'lib/base/b.ts': "// import x from '../cli/x.js'\nimport { s } from '../generated/s.js';\n",
    'lib/producer/a.ts': "import { b } from '../base/b.js';\nimport { x } from './x.js';\n",
    'lib/producer/client/a.ts': "import { a } from '../stream/a.js';\n",
    'lib/service/s.ts': "import { p } from '../parser/p.js';\nimport 'node:fs';\n",
  };

  it('passes a sound tree', () => {
    plant(sound);
    expectSound('layers');
  });

  it.each([
    ['a C include upwards', 'native/core/bytes.c', '#include "core/view.h"\n', /view stands above/],
    ['equals in C', 'native/core/heap.c', '#include "core/ack.h"\n', /heap and ack are equals/],
    ['I/O in the core', 'native/core/heap.c', '#include <stdio.h>\n', /may not include stdio\.h/],
    ['intrinsics elsewhere', 'native/core/heap.c', '#include <immintrin.h>\n', /immintrin/],
    ['a core file in no layer', 'native/core/zebra.c', '', /zebra\.c: stands in no layer/],
    ['a folder in no layer', 'native/extra/a.c', '', /extra\/a\.c: stands in no layer/],
    ['an addon that looks inside', 'native/addon/x.cc', '#include "core/heap.h"\n', /public API/],
    ['a thread in the addon', 'native/addon/x.cc', '#include <thread>\n', /thread/],
    ['I/O in the header', 'native/include/kvs/x.h', '#include <stdio.h>\n', /stdio/],
    [
      'an import upwards',
      'lib/base/x.ts',
      "import { a } from '../cli/a.js';\n",
      /cli stands above/,
    ],
    ['equals', 'lib/parser/x.ts', "import { a } from '../native/a.js';\n", /are equals/],
    ['a type import', 'lib/base/x.ts', "let a: import('../cli/a.js').A;\n", /cli stands above/],
    ['many lines', 'lib/base/x.ts', "import {\n  a,\n} from '../cli/a.js';\n", /x\.ts:1: cli/],
    ['a re-export', 'lib/parser/x.ts', "export * from '../cli/a.js';\n", /cli stands above/],
    ['service to producer', 'lib/service/x.ts', "import '../producer/a.js';\n", /never uses/],
    ['producer to service', 'lib/producer/x.ts', "import '../service/a.js';\n", /stands above/],
    [
      'an import upwards inside a folder',
      'lib/producer/session/x.ts',
      "import { a } from '../client/a.js';\n",
      /client stands above session/,
    ],
    [
      'an import of the folder itself',
      'lib/producer/session/x.ts',
      "import { a } from '../a.js';\n",
      /stands above producer\/session/,
    ],
    ['a node: module', 'lib/parser/x.ts', "import { a } from 'node:fs';\n", /may not use node:fs/],
    ['no node: prefix', 'lib/service/x.ts', "import { a } from 'fs';\n", /write node:fs/],
    ['a package', 'lib/service/x.ts', "import { a } from 'left-pad';\n", /package left-pad/],
    ['a way out of lib', 'lib/cli/x.ts', "import '../../test/a.js';\n", /leads out of lib/],
    ['a lib folder in no layer', 'lib/extra/x.ts', '', /extra\/x\.ts: stands in no layer/],
    ['a lib file in no layer', 'lib/extra.ts', '', /extra\.ts: stands in no layer/],
  ])('finds %s', (_what, path, text, fault) => {
    plant({ ...sound, [path]: text });
    expectFault('layers', fault);
  });

  it.each([
    [
      'two files',
      "import { b } from './b.js';\n",
      "import { a } from './a.js';\n",
      /a\.ts → .*b\.ts → .*a\.ts/,
    ],
    [
      'types alone',
      "import type { B } from './b.js';\n",
      "export type { A } from './a.js';\n",
      /in a circle/,
    ],
    [
      'an inline type',
      "import { b } from './b.js';\n",
      "let a: import('./a.js').A;\n",
      /in a circle/,
    ],
    ['a third file', "import './c.js';\n", "import './a.js';\n", /a\.ts → .*c\.ts → .*b\.ts → /],
    ['itself', "import './a.js';\n", '', /a\.ts → lib\/cli\/a\.ts/],
  ])('finds a circle of %s', (_what, a, b, fault) => {
    const more = { 'lib/cli/a.ts': a, 'lib/cli/b.ts': b, 'lib/cli/c.ts': "import './b.js';\n" };
    plant({ ...sound, ...more });
    expectFault('layers', fault);
  });

  it('finds that there is nothing to look at', () => {
    expectFault('layers', /nothing to look at/);
  });
});

describe('check-state', () => {
  const sound = {
    'lib/a/sound.ts': [
      "import { x } from './x.js';",
      '/** let hidden = 1; */',
      "const NAME = 'let it be; = new Map()';",
      'const SIZE = 64 * 1024;',
      'const PATTERN = /[{;"]+/;',
      'export const TABLE = {\n  a: 1,\n} as const;',
      'const LIST: readonly string[] = [];',
      'const MAP: ReadonlyMap<string, number> = new Map([[`${NAME}`, 1]]);',
      'const make = (): Map<string, number> => new Map();',
      'export type Op =\n  | { readonly a: 1 }\n  | { readonly b: 2 };',
      'export function f(): { a: number } {\n  let a = 1;\n  a += 1;\n  return { a };\n}',
      'export class C {\n  static readonly LIMIT = 3;\n  #list: string[] = [];\n}',
      '',
    ].join('\n'),
    'lib/cli/main.ts': '#!/usr/bin/env node\nawait main(process.argv);\n',
  };

  it('passes a sound tree', () => {
    plant(sound);
    expectSound('state');
  });

  it.each([
    ['let', 'export function f(): void {}\n\nlet count = 0;\n', /x\.ts:3: a top-level let/],
    ['var', 'var count = 0;\n', /let or var/],
    ['a Map', 'const cache = new Map<string, number>();\n', /"new" needs a type/],
    ['an array', 'export const list: string[] = [];\n', /a table needs/],
    ['an object', 'const seen = {};\n', /a table needs/],
    ['a call', 'const x = createCache();\n', /createCache\(\) may be state/],
    ['a RegExp that remembers', 'const R = /a/g;\n', /remembers a place/],
    ['a side effect', "process.on('exit', f);\n", /may do nothing while it is loaded/],
    ['an await', 'const x = await f();\n', /may not wait/],
    ['a static', 'export class C {\n  static count = 0;\n}\n', /static that is not readonly/],
    ['a static table', 'class C {\n  static readonly m = new Map();\n}\n', /"new" needs a type/],
  ])('finds %s', (_what, text, fault) => {
    plant({ ...sound, 'lib/a/x.ts': text });
    expectFault('state', fault);
  });
});

describe('check-header', () => {
  const header = (comment: string, more = ''): Readonly<Record<string, string>> => ({
    'native/include/kvs/kvs.h': `#define KVS_API x\n${comment}
KVS_API kvs_status kvs_put(kvs_stream *stream, const uint8_t *data, int n,
                           char name[8]);\n${more}`,
  });
  const words = '/* Puts.\n *   |stream| [read]   |data| [lent]\n *   |name|\n * [filled] */';

  it('passes a sound header', () => {
    plant(header(words));
    expectSound('header');
  });

  it.each([
    ['a pointer without a word', '/* |stream| [read], |name| [filled] */', '', /for \|data\|/],
    ['an array without a word', '/* |stream| [read], |data| [read] */', '', /for \|name\|/],
    ['a word that is none', words.replace('lent', 'given'), '', /\[given\] is no ownership word/],
    ['no comment', '', '', /kvs_put has no comment/],
    ['an unreadable function', words, 'KVS_API int other(void);\n', /2 functions are marked/],
  ])('finds %s', (_what, comment, more, fault) => {
    plant(header(comment, more));
    expectFault('header', fault);
  });
});

describe('check-addon', () => {
  const sound = 'void f() {\n  static const int kTable[] = {1};\n  // throw std::thread\n}\n';

  it('passes a sound source', () => {
    plant({ 'native/addon/a.cc': sound });
    expectSound('addon');
  });

  it.each([
    ['a kept array', 'Napi::Reference<Napi::Uint8Array> kept_;', /keeps memory of JavaScript/],
    ['a kept array, made', 'r = Napi::Persistent(info[0].As<Napi::Uint8Array>());', /keeps memory/],
    ['an external buffer', 'napi_create_external_buffer(env, n, p, f, 0, &v);', /Electron forbids/],
    ['an external Buffer', 'Napi::Buffer<uint8_t>::New(env, ptr, len);', /Electron forbids/],
    ['an external ArrayBuffer', 'Napi::ArrayBuffer::New(env, data, n);', /Electron forbids/],
    ['an exception', 'throw Napi::Error::New(env);', /uses exceptions/],
    ['a thread', 'std::thread t(f);', /uses threads/],
    ['a static', 'static int count = 0;', /state outside a handle/],
  ])('finds %s', (_what, line, fault) => {
    plant({ 'native/addon/a.cc': `${sound}void g() {\n  ${line}\n}\n` });
    expectFault('addon', fault);
  });
});

describe('check-hygiene', () => {
  const sound = {
    'README.md': 'See [this](./docs/work/x.md), /tmp/x and ~/clips/x.\n',
    '.npmrc': 'omit-lockfile-registry-resolved=true\n',
    'package-lock.json': '{ "packages": { "node_modules/a": { "version": "1.0.0" } } }\n',
    'test/a.ts': "const key = 'AKIAIOSFODNN7EXAMPLE';\n",
  };

  it('passes a sound tree', () => {
    plant(sound);
    expectSound('hygiene');
  });

  it.each([
    ['a registry', 'package-lock.json', '{ "resolved": "https://example.org/a.tgz" }', /registry/],
    ['a registry setting', '.npmrc', 'registry=http://example.org\n', /a registry/],
    ['a machine path', 'a.md', `run ${['', 'home', 'someone', 'x'].join('/')}\n`, /one machine/],
    ['another one', 'a.mjs', `const a = '${['', 'root', 'x'].join('/')}';\n`, /one machine/],
    ['a key', 'a.md', `${'AKIA'}ABCDEFGHIJKLMNOP\n`, /an access key/],
    ['a private key', 'a.pem', `-----BEGIN RSA PRIVATE${' KEY-----'}\n`, /a private key/],
    ['a binary', 'lib/a.node', 'x', /made by a build/],
    ["V8's log", 'isolate-0x10ac1dc0-31436-v8.log', 'v8-version,11', /left behind/],
    ['a profile', 'a.cpuprofile', '{}', /left behind/],
    ['a rejected patch', 'lib/a.ts.rej', '', /left behind/],
    ['a large file', 'a.mkv', '\0'.repeat(3 * 1024 * 1024 + 1), /at most/],
    ['CR LF', 'a.md', 'a\r\nb\r\n', /CR LF/],
  ])('finds %s', (_what, path, text, fault) => {
    plant({ ...sound, [path]: text });
    expectFault('hygiene', fault);
  });
});

/** The core check reads archives, so the faults are compiled. */
describe('check-core', () => {
  const sound = 'int kvs_f(const char *p);\nint kvs_f(const char *p) { return p[0]; }\n';

  function archive(source: string): string {
    plant({ 'a.c': source });
    const path = join(root, 'libkvs.a');
    const flags = ['-O2', '-fPIC', '-fdata-sections', '-c', '-o', join(root, 'a.o')];
    for (const command of [
      ['cc', ...flags, join(root, 'a.c')],
      ['ar', 'rcs', path, join(root, 'a.o')],
    ]) {
      const done = spawnSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });
      expect(done.stderr).toBe('');
    }
    return path;
  }

  it('passes a sound archive', () => {
    const table = 'static const char *const T[] = {"a", "b"};\n';
    const path = archive(`${table}${sound}const char *kvs_g(int n) { return T[n]; }\n`);
    expect(check('core', path)).toMatchObject({ code: 0 });
  });

  it.each([
    ['malloc', '#include <stdlib.h>\nvoid *kvs_g(void) { return malloc(3); }', /host for malloc/],
    ['a clock', '#include <time.h>\nlong kvs_g(void) { return time(0); }', /host for time/],
    ['printing', '#include <stdio.h>\nvoid kvs_g(void) { puts("x"); }', /host for puts/],
    ['data', 'int kvs_n = 3;\n', /state/],
    ['bss', 'static int n; int kvs_g(void) { return ++n; }', /bytes in \.bss/],
    ['thread-local data', 'static _Thread_local int n; int kvs_g(void) { return ++n; }', /tbss/],
    ['a foreign name', 'int helper(void) { return 3; }', /exports helper/],
  ])('finds %s', (_what, source, fault) => {
    const done = check('core', archive(`${sound}${source}\n`));
    expect(done.text).toMatch(fault);
    expect(done.code).toBe(1);
  });

  it('finds that the archive is missing', () => {
    const done = check('core', join(root, 'nothing.a'));
    expect(done).toMatchObject({ code: 1 });
    expect(done.text).toMatch(/is not there/);
  });
});
