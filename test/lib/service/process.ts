import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { CompiledLib } from '../../support/compiled.js';

/** A service in a process of its own, run from the sources as they are. */
export interface ServiceProcess {
  readonly endpoint: string;
  readonly pid: number;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
}

/** What a service's process is given of the machine. */
export interface ProcessHost {
  /** Files may become this large, bytes; writes behind that fail. */
  readonly fileBytes?: number;
  /** Its environment; that of this process by default. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a service on `dataDir`; rejects with what it said when it does not come up. */
export async function startProcess(
  lib: CompiledLib,
  dataDir: string,
  options: Readonly<Record<string, unknown>> = {},
  host: ProcessHost = {},
): Promise<ServiceProcess> {
  const module = pathToFileURL(join(lib.directory, 'service', 'index.js')).href;
  const script = `
    import { startService } from ${JSON.stringify(module)};
    const service = await startService(${JSON.stringify({ limits: 'off', ...options, dataDir })});
    console.log(service.endpoint);
  `;
  const node = [process.execPath, '--input-type=module', '-e', script];
  // `ulimit -f` of a POSIX shell counts blocks of 512 bytes.
  const limit = host.fileBytes === undefined ? '' : `ulimit -f ${String(host.fileBytes / 512)};`;
  const child = spawn('sh', ['-c', `${limit} exec "$@"`, 'sh', ...node], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: host.env ?? process.env,
  });
  let complaint = '';
  child.stderr.on('data', (bytes: Buffer) => {
    complaint += bytes.toString();
  });
  const lines = createInterface({ input: child.stdout });
  const endpoint = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    once(child, 'exit').then(() => ''),
  ]);
  if (endpoint === '') throw new Error(`the service did not start: ${complaint}`);
  return { endpoint, pid: child.pid ?? 0, kill: () => killNow(child) };
}

async function killNow(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Resident memory of a process, bytes. */
export function rss(pid: number): number {
  return Number(readFileSync(`/proc/${String(pid)}/statm`, 'utf8').split(' ')[1]) * 4096;
}
