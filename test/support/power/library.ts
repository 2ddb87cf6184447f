import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCE = join(ROOT, 'test/power/power.c');
/** Where CMake builds it, and where it is built without CMake. */
const BUILT = join(ROOT, 'build-core/release/libkvs_power.so');
const OWN = join(ROOT, 'build-core/power/libkvs_power.so');

/** The library to preload, or why there is none here. */
export type PowerLibrary =
  | { readonly kind: 'built'; readonly path: string }
  | { readonly kind: 'missing'; readonly why: string };

/** The library that records and refuses calls to the disk, built anew where it is older than its source. */
export function powerLibrary(): PowerLibrary {
  if (process.platform !== 'linux') return missing('LD_PRELOAD is of Linux');
  if (!isGlibc()) return missing('the C library is not glibc');
  for (const path of [BUILT, OWN]) if (isFresh(path)) return { kind: 'built', path };
  try {
    mkdirSync(dirname(OWN), { recursive: true });
    // Under its name only when it is whole: others may look for it now.
    const draft = `${OWN}.${process.pid}`;
    const flags = ['-std=c11', '-D_GNU_SOURCE', '-O2', '-fPIC', '-shared'];
    execFileSync('cc', [...flags, '-o', draft, SOURCE, '-ldl', '-lpthread'], { stdio: 'pipe' });
    renameSync(draft, OWN);
    return { kind: 'built', path: OWN };
  } catch (error) {
    return missing(`test/power/power.c cannot be compiled: ${String(error)}`);
  }
}

function missing(why: string): PowerLibrary {
  return { kind: 'missing', why };
}

function isGlibc(): boolean {
  const report: unknown = process.report.getReport();
  return JSON.stringify(report).includes('"glibcVersionRuntime"');
}

function isFresh(path: string): boolean {
  const built = statSync(path, { throwIfNoEntry: false });
  return built !== undefined && built.mtimeMs >= statSync(SOURCE).mtimeMs;
}
