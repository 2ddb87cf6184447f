// The service, and a bare sink to compare it with, each in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const TICKS_PER_SECOND = 100;

async function start(script, ...args) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(script, import.meta.url)), ...args],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: child.stdout });
  const [endpoint] = await once(lines, 'line');
  return {
    endpoint,
    /** Seconds of processor time used so far. */
    cpuSeconds() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    /** Resident memory, bytes. */
    rss() {
      const pages = readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1];
      return Number(pages) * 4096;
    },
    /** Ends it and gives the figures that it prints last. */
    async stop() {
      const last = once(lines, 'line');
      child.stdin.end();
      const [text] = await last;
      await once(child, 'exit');
      return JSON.parse(text);
    },
  };
}

export const startService = (dataDir) => start('serve.mjs', dataDir);
export const startSink = (directory, flushMs) => start('sink.mjs', directory, String(flushMs));
