import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** `kvs serve` in a process of its own, as a person starts it. */
export class ServedCommand {
  readonly child: ChildProcess;
  /** What it has written, to both its outputs. */
  output = '';

  private constructor(kvs: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    const command = [kvs, 'serve', '--port', '0', ...args];
    const child = spawn(process.execPath, command, { env: { ...process.env, ...env } });
    const collect = (bytes: Buffer): void => {
      this.output += bytes.toString();
      child.emit('output');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    this.child = child;
  }

  /** Resolves when it takes calls; rejects with what it wrote when it ends instead. */
  static async start(
    kvs: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<ServedCommand> {
    const served = new ServedCommand(kvs, args, env);
    await served.until(/KVS service at \S+\n[^]*Ctrl-C/);
    return served;
  }

  /** Resolves when it has written what is asked for. */
  async until(wanted: RegExp): Promise<void> {
    while (!wanted.test(this.output)) {
      if (this.child.exitCode !== null) throw new Error(`kvs serve ended: ${this.output}`);
      await Promise.race([once(this.child, 'output'), once(this.child, 'exit')]);
    }
  }

  get endpoint(): string {
    return /KVS service at (\S+)/.exec(this.output)?.[1] ?? '';
  }

  get port(): number {
    return Number(new URL(this.endpoint).port);
  }

  /** Ends it in order; gives its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit');
      this.child.kill(signal);
      await gone;
    }
    return this.child.exitCode;
  }
}

/** A port that nobody listens on now. */
export async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  server.close();
  await once(server, 'close');
  return address.port;
}
