import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHIPPED, prebuildFile } from '../../tools/lib/targets.mjs';
import { BUILT } from '../support/service-process.js';
import { budget } from './budget.js';
import { ROOT, processorOf, runnerOf, start } from './emulated.js';

const there = (target: string): boolean => existsSync(join(ROOT, prebuildFile(target)));
const HAS_READELF = spawnSync('readelf', ['--version']).status === 0;

/** Loads the addon as the package does, makes a client, and says what it is. */
const PROGRAM = `
const { loadBinding, platformTarget } = await import(process.argv[1]);
const { NativeClient } = loadBinding();
const client = new NativeClient({ name: 'device', clientId: 'client', streamCount: 1,
  storageSize: 16 * 1024 * 1024, tagCount: 0, seed0: 1, seed1: 2 }, 0, Date.now());
console.log(platformTarget(), client.check(), client.metrics(0, Date.now()).contentStoreSize);
client.close();
`;

function undefinedNames(file: string): string[] {
  const { stdout } = spawnSync('readelf', ['--dyn-syms', '--wide', file], { encoding: 'utf8' });
  return [...stdout.matchAll(/ UND ([\w.]+)/g)].map(([, name]) => name ?? '');
}

describe('the prebuilt addons', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kvs-prebuilds-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.for(SHIPPED)('%s: small, and asks for the C library alone', (target, { skip }) => {
    skip(!there(target), 'not built (npm run prebuilds)');
    skip(!HAS_READELF, 'readelf is not installed (Debian: binutils)');
    const file = join(ROOT, prebuildFile(target));
    expect(statSync(file).size).toBeLessThan(budget().addonKiB * 1024);
    // Libraries, symbol versions up to GLIBC_2.28, no C++ runtime, no external buffers.
    const check = start([process.execPath], 'tools/check-addon.mjs', ROOT, file);
    expect([check.stderr, check.status]).toEqual(['', 0]);
    const names = undefinedNames(file);
    expect(names).toContain('napi_create_double');
    expect(names.filter((name) => name.includes('external'))).toEqual([]);
    const sections = spawnSync('readelf', ['--sections', '--wide', file], { encoding: 'utf8' });
    expect(sections.stdout).not.toMatch(/\.symtab|\.debug_/);
  });

  it.for(SHIPPED)('%s: loads, in node or, for musl, in its own loader', (target, { skip }) => {
    const runner = runnerOf(target);
    if (runner.kind === 'none') return skip(runner.why);
    if (runner.kind === 'node') {
      skip(!BUILT, 'dist is not built (npm run build)');
      const loader = new URL('../../dist/native/load.js', import.meta.url).href;
      const args = ['--input-type=module', '--eval', PROGRAM, loader];
      const { stdout, stderr } = start(runner.command, ...args);
      expect([stdout.trim(), stderr]).toEqual([`${target} 0 16777216`, '']);
      return;
    }
    const host = buildHost(target, runner.host);
    const { stdout, stderr } = start(runner.command, host, join(ROOT, prebuildFile(target)));
    expect([stdout.trim(), stderr]).toEqual(['Node-API 8', '']);
  });

  /** A musl program that has every function the addon asks of node, and loads it. */
  function buildHost(target: string, musl: string): string {
    const wanted = undefinedNames(join(ROOT, prebuildFile(target)));
    const stubs = wanted.filter((name) => name.startsWith('napi_'));
    const source = join(folder, `${target}.c`);
    writeFileSync(
      source,
      `#include <dlfcn.h>
#include <stdio.h>
${stubs.map((name) => `int ${name}(void) { return 0; }`).join('\n')}
int main(int argc, char **argv) {
  void *addon = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  int (*version)(void);
  if (addon == NULL) return puts(dlerror()), 1;
  if (dlsym(addon, "napi_register_module_v1") == NULL) return puts(dlerror()), 1;
  *(void **)&version = dlsym(addon, "node_api_module_get_api_version_v1");
  return printf("Node-API %d\\n", version()) < 0;
}
`,
    );
    const { triple, cpu } = processorOf(target) ?? { triple: '', cpu: '' };
    const crt = join(musl, `root/usr/lib/${cpu}-linux-musl`);
    const file = join(folder, target);
    const done = spawnSync(`${triple}-gcc`, [
      ...['-nostdinc', '-isystem', join(musl, 'include'), '-nostdlib', '-rdynamic', '-w'],
      ...['-o', file, join(crt, 'Scrt1.o'), join(crt, 'crti.o'), source],
      ...['-L', join(musl, 'lib'), '-l:libc.so', '-lgcc', join(crt, 'crtn.o')],
    ]);
    expect([done.stderr.toString(), done.status]).toEqual(['', 0]);
    return file;
  }
});
