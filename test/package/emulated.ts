import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { platformTarget } from '../../lib/native/load.js';
import { prebuildFile } from '../../tools/lib/targets.mjs';

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

interface Processor {
  readonly triple: string;
  readonly qemu: string;
  /** Debian's name of the processor, and musl's. */
  readonly debian: string;
  readonly cpu: string;
}

const PROCESSORS: Readonly<Record<string, Processor>> = {
  x64: { triple: 'x86_64-linux-gnu', qemu: '', debian: 'amd64', cpu: 'x86_64' },
  arm64: {
    triple: 'aarch64-linux-gnu',
    qemu: 'qemu-aarch64-static',
    debian: 'arm64',
    cpu: 'aarch64',
  },
  arm: { triple: 'arm-linux-gnueabihf', qemu: 'qemu-arm-static', debian: 'armhf', cpu: 'armhf' },
};

/** What starts a program of a target on this machine, or why nothing does. */
export type Runner =
  | { readonly kind: 'node'; readonly command: readonly string[] }
  | { readonly kind: 'musl'; readonly command: readonly string[]; readonly host: string }
  | { readonly kind: 'none'; readonly why: string };

export function processorOf(target: string): Processor | undefined {
  return PROCESSORS[target.split('-')[1] ?? ''];
}

/** Whether the sources have changed since: then the addon may not be the one that lib expects. */
export function isOutdated(addon: string): boolean {
  const built = statSync(addon).mtimeMs;
  const sources = readdirSync(join(ROOT, 'native'), { recursive: true, withFileTypes: true });
  return sources
    .filter((entry) => entry.isFile())
    .some((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs > built);
}

function has(tool: string): boolean {
  return spawnSync(tool, ['--version']).status === 0;
}

/** The way to load the prebuilt addon of `target` here. */
export function runnerOf(target: string): Runner {
  const none = (why: string): Runner => ({ kind: 'none', why });
  const processor = processorOf(target);
  if (processor === undefined) return none('not a Linux target');
  const file = join(ROOT, prebuildFile(target));
  if (!existsSync(file)) return none('not built (npm run prebuilds)');
  if (isOutdated(file)) return none('older than its sources (npm run prebuilds)');
  if (target === platformTarget()) return { kind: 'node', command: [process.execPath] };
  const { qemu } = processor;
  const foreign = !target.startsWith(`linux-${process.arch}-`);
  if (foreign && (qemu === '' || !has(qemu))) return none(`${qemu} (Debian: qemu-user-static)`);
  return target.endsWith('-musl') ? muslRunner(processor, foreign) : glibcRunner(target, processor);
}

function glibcRunner(target: string, { qemu, triple }: Processor): Runner {
  const node = join(ROOT, 'build-core/nodes', target.split('-')[1] ?? '', 'bin/node');
  if (!existsSync(node)) {
    return { kind: 'none', why: 'no node for it (node tools/prebuild/nodes.mjs)' };
  }
  return { kind: 'node', command: [qemu, '-L', join('/usr', triple), node] };
}

// No registry has a node for musl: a small host with the same entry points is loaded by musl's loader.
function muslRunner(processor: Processor, foreign: boolean): Runner {
  const musl = join(ROOT, 'build-core/musl', processor.debian);
  const loader = join(musl, 'lib/libc.so');
  if (!existsSync(loader)) {
    return { kind: 'none', why: `no musl (tools/prebuild/musl-sysroot.sh ${processor.debian})` };
  }
  if (!has(`${processor.triple}-gcc`)) return { kind: 'none', why: `no ${processor.triple}-gcc` };
  return { kind: 'musl', command: foreign ? [processor.qemu, loader] : [loader], host: musl };
}

export function start(command: readonly string[], ...args: string[]): SpawnSyncReturns<string> {
  const [program = '', ...first] = command;
  return spawnSync(program, [...first, ...args], {
    encoding: 'utf8',
    cwd: ROOT,
    env: { ...process.env, PREBUILDS_ONLY: '1' },
    timeout: 300_000,
  });
}
