// Rules 2 and 3 for the core: no I/O, no clock, no allocator, no state of its own.
//   node tools/check-core.mjs [ARCHIVE]      default build-core/release/libkvs.a
// What the archive asks for is the memory functions, strlen and the compiler's own helpers; what it
// gives begins with kvs_; it has no writable data.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { finish } from './lib/source.mjs';

const HOST = /^(mem(chr|cmp|cpy|move|set)|strlen)$/;
// libgcc and compiler-rt arithmetic, processor detection, and what hardened builds add.
const COMPILER =
  /^(_GLOBAL_OFFSET_TABLE_|__cpu_(model|indicator_init|features2)|__aeabi_\w+|__u?(div|mod|divmod)[dt]i[34]|__(mul|ashl|ashr|lshr|popcount|clz|ctz)[dst]i[23]|__stack_chk_(fail|guard)|__mem(cpy|move|set)_chk)$/;
const WRITABLE = /^\.(data|bss|tdata|tbss|sdata|sbss)(\.|$)/;

const archive =
  process.argv[2] ?? fileURLToPath(new URL('../build-core/release/libkvs.a', import.meta.url));
const faults = [];

function run(tool, ...args) {
  const done = spawnSync(tool, [...args, archive], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (done.status === 0) return done.stdout;
  faults.push(`${tool} failed: ${done.error?.message ?? done.stderr.trim()}`);
  return '';
}

function checkSymbols() {
  const defined = new Set();
  const wanted = new Map();
  let member = '?';
  for (const line of run('nm', '--format=posix').split('\n')) {
    member = /\[([^\]]+)\]:$/.exec(line)?.[1] ?? member;
    const [, name, kind] = /^(\S+) ([A-Za-z])\b/.exec(line) ?? [];
    if (name === undefined) continue;
    if (kind === 'U' || kind === 'w' || kind === 'v') wanted.set(name, member);
    else if (kind === 'C') faults.push(`${member}: ${name} is common data: state`);
    else if (kind === kind.toUpperCase()) {
      defined.add(name);
      if (!/^kvs_/.test(name)) faults.push(`${member}: exports ${name}, which is not kvs_…`);
    }
  }
  for (const [name, from] of wanted) {
    if (defined.has(name) || HOST.test(name) || COMPILER.test(name)) continue;
    faults.push(`${from}: asks the host for ${name}`);
  }
  return defined.size;
}

function checkSections() {
  let member = '?';
  for (const line of run('size', '--format=sysv').split('\n')) {
    member = /^(\S+)\s+\(ex /.exec(line)?.[1] ?? member;
    const [, section, bytes] = /^(\.\S+)\s+(\d+)\s/.exec(line) ?? [];
    // .data.rel.ro holds constants with addresses: read-only once they are filled in.
    if (section === undefined || bytes === '0' || section.startsWith('.data.rel.ro')) continue;
    if (WRITABLE.test(section)) faults.push(`${member}: ${bytes} bytes in ${section}: state`);
  }
}

if (!existsSync(archive)) {
  finish('check-core', [`${archive} is not there: build it with tools/test.mjs core-release`], 0);
}
const exported = checkSymbols();
checkSections();
finish('check-core', faults, exported);
