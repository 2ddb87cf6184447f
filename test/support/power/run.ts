import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Where a process is watched and what may be done to it. */
export interface Watch {
  /** The library to preload. */
  readonly library: string;
  /** Directory whose calls are seen. */
  readonly root: string;
  /** File that the calls are appended to; without it nothing is recorded. */
  readonly log?: string;
  /** File that says which calls fail. */
  readonly control?: string;
}

/** The environment of a process that is watched. */
export function watchEnvironment({ library, root, log, control }: Watch): NodeJS.ProcessEnv {
  return {
    ...process.env,
    LD_PRELOAD: library,
    // The kernel would do calls that the library never sees.
    UV_USE_IO_URING: '0',
    KVS_POWER_ROOT: root,
    ...(log !== undefined && { KVS_POWER_LOG: log }),
    ...(control !== undefined && { KVS_POWER_CONTROL: control }),
  };
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly complaint: string;
}

/** Runs node to its end. */
export async function runNode(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let complaint = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (complaint += bytes.toString()));
  await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode, output, complaint };
}
