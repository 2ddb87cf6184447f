// `npm run prebuilds`: the addon for every target that this machine can build, into prebuilds/, each
// one checked; what it cannot build is named, with the way to get there.
//   node tools/prebuilds.mjs [--list] [TARGET…]
// prebuildify names and strips the files; cmake-js builds them (tools/prebuild/node-gyp.mjs).
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recipe } from './lib/recipes.mjs';
import { ELSEWHERE, SHIPPED, prebuildFile } from './lib/targets.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(command, args, options) {
  const done = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (done.status === 0) return undefined;
  return `${done.error?.message ?? ''}${done.stdout ?? ''}${done.stderr ?? ''}`.trim();
}

/** prebuildify works in a folder of its own, so that build/ stays what the developer built. */
function build(target, { env, strip }) {
  const [platform, arch, libc] = target.split('-');
  const stage = join(root, 'build-core', 'prebuild', target);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  writeFileSync(join(stage, 'package.json'), '{ "name": "kinesis-video" }\n');
  const args = ['--napi', '--name', 'kinesis-video', '--platform', platform, '--arch', arch];
  args.push('--node-gyp', join(root, 'tools', 'prebuild', 'node-gyp.mjs'), '--out', root);
  if (platform !== 'win32') args.push('--strip', '--strip-bin', strip);
  if (libc !== undefined) args.push('--libc', libc, '--tag-libc', libc);
  if (arch === 'arm') args.push('--tag-armv', '7');
  const program = join(root, 'node_modules', 'prebuildify', 'bin.js');
  return run(process.execPath, [program, ...args], { cwd: stage, env: { ...process.env, ...env } });
}

/** What is wrong with the file, or undefined. Symbols and libraries are read where it is ELF. */
function check(target) {
  const program = join(root, 'tools', 'check-addon.mjs');
  return run(process.execPath, [program, root, join(root, prebuildFile(target))]);
}

function make(target) {
  const how = recipe(target);
  if (how.missing !== undefined) return { target, state: 'skipped', note: how.missing };
  console.log(`--- ${target}`);
  const fault = build(target, how) ?? check(target);
  if (fault !== undefined) {
    console.log(fault);
    return { target, state: 'FAILED', note: '' };
  }
  const { size } = statSync(join(root, prebuildFile(target)));
  return { target, state: 'built', note: `${prebuildFile(target)}, ${size} bytes` };
}

function main() {
  const known = [...SHIPPED, ...ELSEWHERE];
  const named = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
  const unknown = named.filter((target) => !known.includes(target));
  if (unknown.length > 0) {
    console.error(`no such target: ${unknown.join(', ')}; there are ${known.join(', ')}`);
    process.exit(2);
  }
  const targets = named.length === 0 ? known : named;
  if (process.argv.includes('--list')) {
    for (const target of targets) {
      console.log(`${target.padEnd(18)}${recipe(target).missing ?? 'can be built here'}`);
    }
    return;
  }
  const results = targets.map(make);
  for (const { target, state, note } of results) {
    console.log(`${state.padEnd(8)}${target.padEnd(18)}${note}`.trimEnd());
  }
  const count = (state) => results.filter((result) => result.state === state).length;
  console.log(`${count('built')} built, ${count('FAILED')} failed, ${count('skipped')} skipped`);
  // One that was asked for by name is to be there afterwards.
  const bad = count('FAILED') > 0 || (named.length > 0 && count('skipped') > 0);
  process.exitCode = bad ? 1 : 0;
}

main();
