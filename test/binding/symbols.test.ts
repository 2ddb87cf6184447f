import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { addonPath } from './support.js';

const HAS_READELF = spawnSync('readelf', ['--version']).status === 0;

function readelf(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('readelf', [...args, '--wide', addonPath()], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** Dynamic symbols as [where they are defined, name without its version]. */
function symbols(): [string, string][] {
  return readelf('--dyn-syms')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => /^\d+:$/.test(words[0] ?? '') && words[7] !== undefined)
    .map((words): [string, string] => [words[6] ?? '', (words[7] ?? '').replace(/@.*/, '')]);
}

// Without readelf (Debian: binutils) or on another system there is no ELF file to look at.
describe.skipIf(process.platform !== 'linux' || !HAS_READELF)(
  'what the addon needs (readelf)',
  () => {
    it('libraries: the C library alone', () => {
      const needed = [...readelf('--dynamic').matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(
        ([, name]) => name,
      );
      expect(needed.filter((name) => !/^(libc|libm)\.so|^libc\.musl/.test(name ?? ''))).toEqual([]);
      expect(needed.length).toBeGreaterThan(0);
    });

    it('versions: GLIBC_2.28 at most', () => {
      const versions = [...readelf('--version-info').matchAll(/Name: (\w+?)_([\d.]+)/g)];
      const tooNew = versions.filter(([, library, version]) => {
        const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
        return library !== 'GLIBC' || major > 2 || minor > 28;
      });
      expect(tooNew.map(([text]) => text)).toEqual([]);
    });

    it('symbols: Node-API and the C library, no C++ runtime', () => {
      const wanted = symbols().filter(([where]) => where === 'UND');
      const foreign = wanted
        .map(([, name]) => name)
        .filter((name) => /^_Z|^__cxa_(?!finalize|atexit)|^__gxx|^_Unwind/.test(name));
      expect(wanted.some(([, name]) => name === 'napi_create_double')).toBe(true);
      expect(foreign).toEqual([]);
    });

    it('shows nothing but its entry', () => {
      const shown = symbols().filter(([where, name]) => where !== 'UND' && name !== '');
      expect(shown.map(([, name]) => name).sort()).toEqual([
        'napi_register_module_v1',
        'node_api_module_get_api_version_v1',
      ]);
    });
  },
);
