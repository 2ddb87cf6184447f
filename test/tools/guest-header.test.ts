// kvs.h in the hands of a guest: a C++ program with warnings of its own, and macros of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'kvs-guest-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

// Names that real headers define (windows.h among them), as things that break what they meet.
const HOSTILE = ['F', 'min', 'max', 'ERROR', 'CALL', 'NOTE', 'COUNT', 'NUMBER', 'BYTES', 'FLAG'];
const GUEST = `
${HOSTILE.map((name) => `#define ${name} )hostile(`).join('\n')}
#include <kvs/kvs.h>
#include <kvs/kvs.h>
${HOSTILE.map((name) => `#ifndef ${name}\n#error "kvs.h took the guest's ${name}"\n#endif`).join('\n')}
#if defined(KVS_F) || defined(KVS_EVENT) || defined(KVS_STATUS) || defined(KVS_STREAM_METRIC)
#error "kvs.h leaves macros of its tables behind"
#endif
kvs_status use(kvs_client *client, kvs_stream_metrics *metrics);
kvs_status use(kvs_client *client, kvs_stream_metrics *metrics) {
  kvs_stream_info info{};
  kvs_stream *stream = nullptr;
  kvs_stream_info_init(&info);
  kvs_status status = kvs_stream_create(client, &info, kvs_time{0, 0}, &stream);
  return status == KVS_OK ? kvs_stream_get_metrics(stream, kvs_time{1, 2}, metrics) : status;
}
`;

function compilerOf(names: readonly string[]): string | undefined {
  return names.find((name) => spawnSync(name, ['--version']).status === 0);
}

const clang = compilerOf(['clang++', 'clang++-14', 'clang++-16', 'clang++-18']);
const gcc = compilerOf(['g++']);

function compile(compiler: string, flags: readonly string[]): string {
  const file = join(dir, 'guest.cc');
  writeFileSync(file, GUEST);
  const args = ['-Werror', '-fsyntax-only', '-I', join(root, 'native/include'), ...flags, file];
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
  return status === 0 ? '' : stderr;
}

// What -Weverything says of any header of C: that it is one, and that structs have holes.
const OF_EVERY_C_HEADER = ['c++98-compat', 'c++98-compat-pedantic', 'padded', 'old-style-cast'];

it.skipIf(clang === undefined)('is C++20 without a warning of -Weverything', () => {
  const but = OF_EVERY_C_HEADER.map((name) => `-Wno-${name}`);
  expect(compile(clang ?? '', ['-std=c++20', '-Weverything', ...but])).toBe('');
});

it.skipIf(gcc === undefined)('is C++20 without a warning of gcc', () => {
  expect(compile(gcc ?? '', ['-std=c++20', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow'])).toBe('');
});
