import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { platformTarget } from '../../lib/native/load.js';
import { prebuildFile } from '../../tools/lib/targets.mjs';
import { isOutdated } from './emulated.js';
import { npmCli } from './npm.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What `npm pack` needs of a checkout: what it packs, and what `prepack` builds that from. */
const CHECKOUT = [
  ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'CMakeLists.txt', 'media', 'native'],
  ...['lib', 'tools', 'tsconfig.json', 'tsconfig.build.json', 'prebuilds'],
];

/**
 * The package as its users get it: packed with `npm pack` from a copy of the checkout, in a folder
 * under the system's temporary one, where nothing of the checkout is found by accident.
 */
export class PackageTrial {
  readonly folder: string;
  /** What npm says of the tarball; empty before `pack`. */
  tarball = '';

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'kvs-package-'));
  }

  /** Packs; the addon of this machine is the one built here when there is no prebuild of its sources. */
  pack(): void {
    const copy = join(this.folder, 'checkout');
    for (const name of CHECKOUT.filter((path) => existsSync(join(ROOT, path)))) {
      cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const addon = join(copy, prebuildFile(platformTarget()));
    if (!existsSync(addon) || isOutdated(join(ROOT, prebuildFile(platformTarget())))) {
      mkdirSync(dirname(addon), { recursive: true });
      cpSync(join(ROOT, 'build/Release/kinesis_video.node'), addon);
    }
    succeed(this.npm(copy, 'pack', '--pack-destination', this.folder));
    this.tarball = join(
      this.folder,
      readdirSync(this.folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball',
    );
  }

  /** A fresh project with the package in it, installed as `args` say; gives npm's result. */
  install(project: string, ...args: readonly string[]): SpawnSyncReturns<string> {
    this.write(`${project}/package.json`, '{ "name": "user", "version": "1.0.0" }\n');
    return this.npm(join(this.folder, project), 'install', '--ignore-scripts', ...args);
  }

  npm(cwd: string, ...args: readonly string[]): SpawnSyncReturns<string> {
    const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--prefer-offline'];
    return this.node(cwd, npmCli() ?? 'no npm', ...args, ...quiet);
  }

  /** Node with nothing else on the PATH but a shell, which npm asks for. */
  node(cwd: string, ...args: readonly string[]): SpawnSyncReturns<string> {
    const bin = join(this.folder, 'bin');
    if (!existsSync(bin)) {
      mkdirSync(bin);
      symlinkSync(process.execPath, join(bin, 'node'));
      // `npm pack` runs the package's own prepack through sh and npm.
      symlinkSync('/bin/sh', join(bin, 'sh'));
      writeFileSync(join(bin, 'npm'), `#!/bin/sh\nexec node '${npmCli() ?? ''}' "$@"\n`, {
        mode: 0o755,
      });
    }
    return spawnSync(process.execPath, args, {
      cwd,
      encoding: 'utf8',
      env: { ...withoutNpm(process.env), PATH: bin, PREBUILDS_ONLY: '1' },
      timeout: 600_000,
    });
  }

  write(path: string, text: string): string {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** `npm test` hands its own settings down; a user's shell has none of them but the registry. */
function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !/^(npm_|INIT_CWD|NODE_OPTIONS|VITEST)/.test(name) || /registry/i.test(name),
    ),
  );
}

/** The output of a process that must have ended well. */
export function succeed({ status, stdout, stderr, error }: SpawnSyncReturns<string>): string {
  if (status !== 0) throw new Error(`exit ${status}: ${error?.message ?? ''}${stdout}${stderr}`);
  return stdout;
}

/** Whether npm could not reach a registry: then nothing can be installed, by anyone. */
export function isOffline({ status, stderr }: SpawnSyncReturns<string>): boolean {
  return status !== 0 && /ENOTCACHED|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT/.test(stderr);
}
