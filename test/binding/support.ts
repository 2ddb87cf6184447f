import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

function isFinder(value: unknown): value is { path(folder: string): string } {
  return typeof value === 'function' && 'path' in value && typeof value.path === 'function';
}

/** The addon's file, as the loader finds it in a checkout; child processes require it directly. */
export function addonPath(): string {
  const finder: unknown = require('node-gyp-build');
  if (!isFinder(finder)) throw new TypeError('node-gyp-build has no path()');
  return finder.path(fileURLToPath(new URL('../..', import.meta.url)));
}

/** How a child process ended, and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `child/<script>` with the addon's path as its first argument. */
export async function runChild(
  script: string,
  args: readonly string[] = [],
  nodeFlags: readonly string[] = [],
): Promise<Ended> {
  const file = fileURLToPath(new URL(`child/${script}`, import.meta.url));
  const child = spawn(process.execPath, [...nodeFlags, file, addonPath(), ...args]);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
  });
}

/** The object that a child process printed as JSON. */
export function printed({ stdout }: Ended): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(stdout);
  if (typeof value !== 'object' || value === null) throw new TypeError(`no object: ${stdout}`);
  return { ...value };
}

/** What `action` throws; fails when it throws nothing, or something that is no Error. */
export function thrownBy(action: () => unknown): Error & { code?: unknown } {
  try {
    action();
  } catch (error) {
    if (error instanceof Error) return error;
    throw new TypeError(`what was thrown is no Error: ${String(error)}`);
  }
  throw new TypeError('nothing was thrown');
}
