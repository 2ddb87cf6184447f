import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const KVS: string = fileURLToPath(new URL('../../dist/cli/kvs.js', import.meta.url));

/** Whether `npm run build` has been run: the service's process runs what it made. */
export const BUILT: boolean = existsSync(KVS);

/** A service in a process of its own, so that it can be killed; the same port and data each time. */
export class ServiceProcess {
  readonly port: number;
  readonly endpoint: string;
  readonly #dataDir: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, dataDir: string) {
    this.port = port;
    this.endpoint = `http://127.0.0.1:${port}`;
    this.#dataDir = dataDir;
  }

  /** Takes a free port; the service is not running yet. */
  static async create(dataDir: string): Promise<ServiceProcess> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
    server.close();
    await once(server, 'close');
    return new ServiceProcess(address.port, dataDir);
  }

  /** Resolves when the service takes calls. */
  async start(): Promise<void> {
    const args = [KVS, 'serve', '--port', String(this.port), '--data-dir', this.#dataDir];
    const child = spawn(process.execPath, [...args, '--limits', 'off']);
    this.#child = child;
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
      child.emit('output');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    while (!output.includes(`KVS service at`)) {
      if (child.exitCode !== null) throw new Error(`the service ended: ${output}`);
      await Promise.race([once(child, 'output'), once(child, 'exit')]);
    }
  }

  /** `kill -9`: nothing is flushed, nothing is closed. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
