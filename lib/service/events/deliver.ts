import { spawn, type ChildProcess } from 'node:child_process';
import { isUrl } from './hook-target.js';
import type { Deliver } from './hook.js';

/** How events are handed over to a URL, or to a command line of this machine. @internal */
export function deliverTo(target: string): Deliver {
  return isUrl(target) ? postTo(new URL(target)) : runCommand(target);
}

function postTo(url: URL): Deliver {
  return async (json, signal) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body: json, signal });
    await answer.body?.cancel();
    // The URL may hold a secret: it is not told.
    if (!answer.ok) throw new Error(`the hook answered ${String(answer.status)}`);
  };
}

/** A process of its own for each event: what it leaves behind, or waits for, ends with it. */
function runCommand(command: string): Deliver {
  return async (json, signal) => {
    const child = spawn(command, {
      shell: true,
      // A group of its own, so that all of it can be ended.
      detached: process.platform !== 'win32',
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const stop = (): void => {
      endAll(child);
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      // One that does not read its input is no fault.
      child.stdin.on('error', () => undefined);
      child.stdin.end(`${json}\n`);
      await ended(child);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, killed) => {
      if (code === 0) resolve();
      else reject(new Error(`the command ended with ${killed ?? String(code)}`));
    });
  });
}

function endAll(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill();
    else process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}
