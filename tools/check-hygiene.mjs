// What may not be in the repository: registry addresses, paths of one machine, keys, generated
// folders, what profilers, crashes and editors leave behind, large files. `node tools/check-hygiene.mjs [FOLDER]`
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, finish, lineAt, rootFolder } from './lib/source.mjs';

const MAX_BYTES = 3 * 1024 * 1024;
const GENERATED =
  /^(node_modules|dist|prebuilds|coverage|build(-[^/]*)?|\.kvs)\/|\.(node|o|a|so|tgz)$/;
const LEFT_BEHIND =
  /\.(log|cpuprofile|heapprofile|heapsnapshot|orig|rej|swp|gcda|gcno)$|~$|(^|\/)(\.DS_Store|core(\.\d+)?|gmon\.out|perf\.data(\.old)?|(callgrind|vgcore)\.[^/]*)$/;
// Written in pieces, so that this file does not find itself.
const HOMES = ['work', 'root', 'farm', 'home', 'Users'].join('|');
const MACHINE_PATH = new RegExp(`(?<![\\w.~*@)}\\]/<-])/(${HOMES})/[\\w.-]`, 'g');
const SECRETS = [
  [/\b(AKIA|ASIA)(?!IOSFODNN7EXAMPLE|\w*EXAMPLE)[A-Z0-9]{16}\b/g, 'an access key'],
  [new RegExp('-----BEGIN [A-Z ]*PRIVATE' + ' KEY-----', 'g'), 'a private key'],
  [/\b(npm_[A-Za-z0-9]{36}|gh[pousr]_[A-Za-z0-9]{36})\b/g, 'a token'],
  [/_auth(Token)?\s*=/g, 'a registry login'],
];

const root = rootFolder();
const faults = [];

/** Tracked files of a checkout; every file where there is no git. */
function trackedFiles() {
  if (!existsSync(join(root, '.git'))) return filesUnder(root, '.');
  const done = spawnSync('git', ['-C', root, 'ls-files', '-z'], { encoding: 'utf8' });
  if (done.status !== 0) faults.push(`git: ${done.error?.message ?? done.stderr.trim()}`);
  return done.stdout.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
}

function tell(path, text, shape, what) {
  for (const hit of text.matchAll(shape)) {
    faults.push(`${path}:${lineAt(text, hit.index)}: ${what}: ${hit[0].slice(0, 60)}`);
  }
}

function checkText(path, text) {
  tell(path, text, MACHINE_PATH, 'a path of one machine');
  for (const [shape, what] of SECRETS) tell(path, text, shape, what);
  if (/(^|\/)package-lock\.json$/.test(path)) {
    tell(path, text, /"resolved":\s*"https?:[^"]*"/g, 'the address of a registry');
  }
  if (/(^|\/)\.npmrc$/.test(path)) tell(path, text, /^.*registry\s*=.*$/gm, 'a registry');
  // A corpus holds what others send, as they send it.
  if (text.includes('\r\n') && !/^test\/(fuzz\/corpus|golden)\//.test(path))
    faults.push(`${path}: lines end with CR LF`);
}

const files = trackedFiles();
for (const path of files) {
  if (GENERATED.test(path)) faults.push(`${path}: made by a build, not to be kept`);
  // The index of a golden data directory has a log of its own.
  const isGolden = path.startsWith('test/golden/store/');
  if (LEFT_BEHIND.test(path) && !isGolden)
    faults.push(`${path}: left behind by a program, not to be kept`);
  const { size } = statSync(join(root, path));
  if (size > MAX_BYTES) faults.push(`${path}: ${size} bytes, at most ${MAX_BYTES} are kept`);
  const bytes = readFileSync(join(root, path));
  if (!bytes.subarray(0, 8192).includes(0)) checkText(path, bytes.toString('utf8'));
}
finish('check-hygiene', faults, files.length);
