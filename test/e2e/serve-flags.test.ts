import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { byteCount } from '../../lib/cli/arguments.js';

const KVS = fileURLToPath(new URL('../../dist/cli/kvs.js', import.meta.url));

/** Runs `kvs serve` until it greets or ends, `use` in between; gives what it wrote. */
async function serve(
  args: readonly string[],
  use: (output: string) => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kvs-flags-'));
  const data = ['--port', '0', '--data-dir', join(directory, 'data')];
  const child = spawn(process.execPath, [KVS, 'serve', ...data, ...args]);
  const exit = once(child, 'exit');
  let output = '';
  const greeted = new Promise<void>((resolve) => {
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('Ctrl-C')) resolve();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
  });
  try {
    await Promise.race([greeted, exit]);
    await use(output);
  } finally {
    child.kill('SIGKILL');
    await exit;
    await rm(directory, { recursive: true, force: true });
  }
  return output;
}

describe.skipIf(!existsSync(KVS))('flags of kvs serve (needs npm run build)', () => {
  it('--tls tells how clients trust it, and that is enough', async () => {
    await serve(['--tls'], async (output) => {
      const endpoint = /KVS service at (https:\S+)/.exec(output)?.[1] ?? '';
      const path = /NODE_EXTRA_CA_CERTS=(\S+)/.exec(output)?.[1] ?? '';
      expect(output).toMatch(/SHA-256 fingerprint: ([0-9A-F]{2}:){31}[0-9A-F]{2}\n/);
      const call = `fetch('${endpoint}/listStreams', { method: 'POST', body: '{}' })
        .then((answer) => answer.text()).then(console.log, (error) => console.log(error.cause.code))`;
      const run = async (env: Readonly<Record<string, string>>): Promise<string> => {
        const child = spawn(process.execPath, ['-e', call], { env: { ...process.env, ...env } });
        let text = '';
        child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
        await once(child, 'close');
        return text.trim();
      };
      expect(await run({ NODE_EXTRA_CA_CERTS: path })).toBe('{"StreamInfoList":[]}');
      expect(await run({})).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    });
  });

  it('--tls and a certificate of the user exclude each other', async () => {
    expect(await serve(['--tls', '--tls-key', 'k.pem', '--tls-cert', 'c.pem'])).toContain('--tls');
  });

  it('--disk-quota takes sizes with units, and nothing else', async () => {
    expect(await serve(['--disk-quota', '10GB'])).toContain('KVS service at');
    expect(await serve(['--disk-quota', 'much'])).toContain('Give a number of bytes above 0');
    expect(['1', '2kb', '1.5 MB', '10GB', '3T'].map(byteCount)).toEqual([
      1, 2e3, 1.5e6, 1e10, 3e12,
    ]);
    for (const bad of ['', '0', '-1', '1PB', 'GB', '1e3']) expect(() => byteCount(bad)).toThrow();
  });
});
