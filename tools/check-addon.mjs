// What the addon may not do: keep JavaScript memory, hand out its own, hold state, throw.
//   node tools/check-addon.mjs [FOLDER] [ADDON]
// The built addon, when it is there, asks for nothing but libc, of a version that devices have.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { blank, filesUnder, finish, lineAt, readText, rootFolder } from './lib/source.mjs';

const FORBIDDEN = [
  [
    /\bReference<\s*(Napi::)?(Uint8Array|TypedArray\w*|ArrayBuffer|Buffer<)/g,
    'keeps memory of JavaScript: use it during the call only',
  ],
  [
    /\bPersistent\(\s*\w+(\[\w+\])?\s*\.As<\s*(Napi::)?(Uint8Array|ArrayBuffer|Buffer<)/g,
    'keeps memory of JavaScript: use it during the call only',
  ],
  [
    /\bnapi_create_external_(array)?buffer\b|\bNewOrCopy\(/g,
    'gives out native memory: Electron forbids external buffers',
  ],
  [
    /\b(Buffer<\s*\w+\s*>|ArrayBuffer)::New\(\s*[^,()]+(\(\))?\s*,\s*[^,()]+(\(\))?\s*,/g,
    'gives out native memory: Electron forbids external buffers',
  ],
  [
    /\bArrayBuffer::New\(\s*[^,()]+(\(\))?\s*,\s*(&|\w*(data|bytes|ptr|arena))/g,
    'gives out native memory: Electron forbids external buffers',
  ],
  [/\bthrow\b(?!\s*\()|\btry\s*\{|\bcatch\s*\(/g, 'uses exceptions: they are switched off'],
  [
    /\bstd::(thread|mutex|atomic|async|condition_variable)\b/g,
    'uses threads: one thread per environment',
  ],
  [
    /^\s*static\s+(?!const\b|constexpr\b|inline\b)[\w:<>*& ]+\s\w+\s*(=[^;]*|\{[^;]*\})?;/gm,
    'is state outside a handle',
  ],
];
const NEEDED =
  /^(libc\.so(\.6)?|libm\.so\.6|libc\.musl-\w+\.so\.1|ld-linux[\w.-]*|libpthread\.so\.0|libdl\.so\.2)$/;
const NEWEST_GLIBC = 28;
/** A Release build; raised only by the change that spends it. */
// On arm64 a segment more of 64 KiB is begun as soon as the code is above 128 KiB.
const MAX_BYTES = 200 * 1024;

const root = rootFolder();
const addon = process.argv[3] ?? join(root, 'build/Release/kinesis_video.node');
const faults = [];

const sources = filesUnder(root, 'native/addon').filter((path) => /\.(cc|h|hpp|cpp)$/.test(path));
for (const path of sources) {
  const code = blank(readText(root, path), ['comment', 'text']);
  for (const [shape, why] of FORBIDDEN) {
    for (const hit of code.matchAll(shape)) {
      faults.push(`${path}:${lineAt(code, hit.index)}: ${hit[0].trim()} ${why}`);
    }
  }
}

function read(tool, ...args) {
  const done = spawnSync(tool, [...args, addon], { encoding: 'utf8' });
  if (done.status !== 0) faults.push(`${tool}: ${done.error?.message ?? done.stderr.trim()}`);
  return done.status === 0 ? done.stdout : '';
}

if (process.platform === 'linux' && existsSync(addon)) {
  const { size } = statSync(addon);
  if (size > MAX_BYTES) faults.push(`the built addon has ${size} bytes, at most ${MAX_BYTES}`);
  for (const [, name] of read('readelf', '--dynamic', '--wide').matchAll(/NEEDED\).*\[(.+)\]/g)) {
    if (!NEEDED.test(name)) faults.push(`the built addon needs ${name}`);
  }
  for (const line of read('readelf', '--dyn-syms', '--wide').split('\n')) {
    const name = /\sUND\s+(\S+)/.exec(line)?.[1] ?? '';
    if (/^_Z|^__cxa_(?!finalize|atexit)/.test(name)) {
      faults.push(`the built addon lacks ${name}: native/addon/runtime.cc is to define it`);
    }
    if (/external_(array)?buffer/.test(name)) faults.push(`the built addon uses ${name}`);
    const glibc = /@GLIBC_2\.(\d+)/.exec(name)?.[1] ?? '0';
    if (Number(glibc) > NEWEST_GLIBC) {
      faults.push(`the built addon needs ${name}: newer than 2.${NEWEST_GLIBC}`);
    }
  }
}
finish('check-addon', faults, sources.length);
