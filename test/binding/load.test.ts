import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KvsError } from '../../lib/base/errors.js';
import { loadBinding } from '../../lib/native/index.js';
import { platformTarget } from '../../lib/native/load.js';
import { addonPath, thrownBy } from './support.js';

const LIB = fileURLToPath(new URL('../../lib', import.meta.url));

/** `linux-x64-glibc` names prebuilds/linux-x64/kinesis-video.glibc.node. */
function prebuildOf(target: string): string {
  const [platform = '', arch = '', libc] = target.split('-');
  const tags = (arch === 'arm' ? '.armv7' : '') + (libc === undefined ? '' : `.${libc}`);
  return `prebuilds/${platform}-${arch}/kinesis-video${tags}.node`;
}

interface Loader {
  loadBinding(): unknown;
}

function isLoader(module: unknown): module is Loader {
  return typeof module === 'object' && module !== null && 'loadBinding' in module;
}

describe('the loader', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'kvs-load-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  /** A package as it is installed: the loader in `folder`, and what else the test puts there. */
  async function installed(folder: string): Promise<Loader> {
    for (const part of ['base', 'generated', 'native']) {
      cpSync(join(LIB, part), join(root, folder, part), { recursive: true });
    }
    const module: unknown = await import(join(root, folder, 'native/load.ts'));
    if (!isLoader(module)) throw new TypeError('no loader');
    return module;
  }

  function addPrebuild(content: 'addon' | 'rubbish'): void {
    const file = join(root, prebuildOf(platformTarget()));
    mkdirSync(dirname(file), { recursive: true });
    if (content === 'addon') cpSync(addonPath(), file);
    else writeFileSync(file, 'no addon\n');
  }

  it('finds the local build of a checkout', () => {
    expect(typeof loadBinding().NativeClient).toBe('function');
  });

  it('knows the platform, and on Linux the C library', () => {
    const libc = process.platform === 'linux' ? /-(glibc|musl)$/ : /^\w+-\w+$/;
    expect(platformTarget()).toMatch(libc);
    expect(platformTarget().startsWith(`${process.platform}-${process.arch}`)).toBe(true);
  });

  it.each(['lib', 'dist'])('finds the prebuild of a package from %s/native', async (folder) => {
    addPrebuild('addon');
    const { loadBinding: load } = await installed(folder);
    expect(load()).toHaveProperty('NativeClient');
  });

  it('tells what it tried, for which platform, and the two ways out', async () => {
    const { loadBinding: load } = await installed('dist');
    const error = thrownBy(load);
    expect(error).toMatchObject({ name: 'KvsError', status: 'STATUS_NOT_FOUND' });
    expect(error.message).toContain(`no native addon could be loaded for ${platformTarget()}`);
    expect(error.message).toContain(`the prebuild for ${platformTarget()}: Cannot find module`);
    expect(error.message).toContain('Two ways out');
    expect(error.message).toContain('npm ci');
    expect(error).not.toBeInstanceOf(KvsError); // that of the copy
  });

  it('passes on why a file that is there does not load', async () => {
    addPrebuild('rubbish');
    const { loadBinding: load } = await installed('dist');
    const error = thrownBy(load);
    expect(error.message).toContain('kinesis-video');
    expect(error.cause).toBeInstanceOf(AggregateError);
  });
});
