import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServiceLog } from '../service/index.js';

/**
 * Tells systemd how the service is (sd_notify). Node has no sockets of datagrams below Unix names, so
 * systemd's own `systemd-notify` sends the words, which wants `NotifyAccess=all` in the unit. Without
 * `NOTIFY_SOCKET` in the environment nothing is done.
 */
export class ServiceManager {
  readonly #env: NodeJS.ProcessEnv;
  readonly #log: ServiceLog;
  #watchdog: NodeJS.Timeout | undefined;
  #failed = false;

  constructor(env: NodeJS.ProcessEnv, log: ServiceLog) {
    this.#env = env;
    this.#log = log;
  }

  /** The service takes calls; from now on the watchdog is fed, if the unit has one. */
  async ready(status: string): Promise<void> {
    await this.#say('READY=1', `STATUS=${status}`);
    const interval = watchdogInterval(this.#env);
    if (interval === undefined || this.#watchdog !== undefined) return;
    this.#watchdog = setInterval(() => void this.#say('WATCHDOG=1'), interval);
    this.#watchdog.unref();
  }

  async reloading(): Promise<void> {
    await this.#say('RELOADING=1');
  }

  async stopping(): Promise<void> {
    clearInterval(this.#watchdog);
    await this.#say('STOPPING=1');
  }

  /** Resolves when it was said, or could not be, which is logged once. */
  async #say(...words: readonly string[]): Promise<void> {
    if (this.#env['NOTIFY_SOCKET'] === undefined || this.#failed) return;
    try {
      const child = spawn('systemd-notify', words, { env: this.#env, stdio: 'ignore' });
      await once(child, 'exit');
      if (child.exitCode === 0) return;
      throw new Error(`systemd-notify ended with ${String(child.exitCode ?? child.signalCode)}`);
    } catch (error) {
      this.#failed = true;
      this.#log('warn', 'systemd cannot be told how the service is', { error });
    }
  }
}

/** Twice in the time after which systemd gives a service up, ms; undefined without a watchdog. */
function watchdogInterval(env: NodeJS.ProcessEnv): number | undefined {
  const limit = Number(env['WATCHDOG_USEC']);
  if (!Number.isSafeInteger(limit) || limit <= 0) return undefined;
  const pid = env['WATCHDOG_PID'];
  if (pid !== undefined && pid !== String(process.pid)) return undefined;
  return Math.max(1, Math.floor(limit / 2000));
}
