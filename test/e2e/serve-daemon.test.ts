import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'node:tls';
import {
  CreateStreamCommand,
  KinesisVideoClient,
  ListStreamsCommand,
} from '@aws-sdk/client-kinesis-video';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HAVE_OPENSSL, makeCertificate } from '../support/certificate.js';
import { eventually } from '../support/eventually.js';
import { ServedCommand } from '../support/served-command.js';
import { startUpload } from '../support/signed-upload.js';

/* kvs serve as a daemon: what its log says, SIGHUP, systemd. */

const KVS = fileURLToPath(new URL('../../dist/cli/kvs.js', import.meta.url));

function have(...commands: readonly string[]): boolean {
  try {
    for (const command of commands) execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!existsSync(KVS))('kvs serve as a daemon (needs npm run build)', () => {
  let directory = '';
  let served: ServedCommand | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-daemon-'));
  });
  afterEach(async () => {
    await served?.stop('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });

  async function serve(
    args: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Promise<ServedCommand> {
    served = await ServedCommand.start(KVS, ['--data-dir', join(directory, 'data'), ...args], env);
    return served;
  }

  function keysOf(keys: Readonly<Record<string, string>>): string {
    const accountId = '111122223333';
    return JSON.stringify(
      Object.fromEntries(
        Object.entries(keys).map(([key, secretAccessKey]) => [key, { secretAccessKey, accountId }]),
      ),
    );
  }

  function list(endpoint: string, accessKeyId: string): Promise<unknown> {
    const credentials = { accessKeyId, secretAccessKey: `secret of ${accessKeyId}` };
    const client = new KinesisVideoClient({
      ...{ endpoint, region: 'us-west-2', credentials, maxAttempts: 1 },
    });
    return client.send(new ListStreamsCommand({}));
  }

  it('its log has time and level, and is JSON when so asked', async () => {
    const text = await serve();
    await text.stop();
    const stamp = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
    expect(text.output).toMatch(new RegExp(`^${stamp} info: listening on http`, 'm'));
    const json = await serve(['--log-format', 'json']);
    expect(await json.stop()).toBe(0);
    const logged = json.output.split('\n').filter((line) => line.startsWith('{'));
    expect(logged.map((line) => Object.keys(JSON.parse(line)).slice(0, 3))).toEqual(
      logged.map(() => ['time', 'level', 'message']),
    );
    expect(logged.at(-1)).toContain('"message":"closed"');
  });

  it.skipIf(process.platform === 'win32')(
    'SIGHUP takes new access keys, and none that are bad, while a camera goes on',
    async () => {
      const file = join(directory, 'keys.json');
      await writeFile(file, keysOf({ AKIAOLD: 'secret of AKIAOLD' }), { mode: 0o600 });
      const { endpoint, child } = await serve(['--credentials', file]);
      const old = { accessKeyId: 'AKIAOLD', secretAccessKey: 'secret of AKIAOLD' };
      const client = new KinesisVideoClient({ endpoint, region: 'us-west-2', credentials: old });
      await client.send(new CreateStreamCommand({ StreamName: 'cam', DataRetentionInHours: 1 }));
      const upload = await startUpload(endpoint, 'cam', old);
      await upload.fragment(0);
      await writeFile(file, keysOf({ AKIANEW: 'secret of AKIANEW' }), { mode: 0o600 });
      child.kill('SIGHUP');
      await served?.until(/info: reloaded/);
      await expect(list(endpoint, 'AKIANEW')).resolves.toBeDefined();
      await expect(list(endpoint, 'AKIAOLD')).rejects.toThrow(/security token/);
      await upload.fragment(2000);
      await writeFile(file, '{"AKIANEW":');
      child.kill('SIGHUP');
      await served?.until(/error: nothing was reloaded.*not JSON/);
      await expect(list(endpoint, 'AKIANEW')).resolves.toBeDefined();
      // The connection that was let in by the old key is still there.
      await upload.fragment(4000);
      expect(upload.persisted()).toEqual([0, 2000, 4000]);
      upload.end();
    },
  );

  it.skipIf(!HAVE_OPENSSL)('SIGHUP takes a new certificate', async () => {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const use = async (): Promise<void> => {
      const made = makeCertificate('localhost');
      await writeFile(key, made.key, { mode: 0o600 });
      await writeFile(cert, made.cert);
    };
    await use();
    const { port, child } = await serve(['--tls-key', key, '--tls-cert', cert]);
    const fingerprint = async (): Promise<string> => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const print = socket.getPeerCertificate().fingerprint256;
      socket.destroy();
      return print;
    };
    const first = await fingerprint();
    await use();
    child.kill('SIGHUP');
    await served?.until(/info: reloaded/);
    await eventually(async () => {
      expect(await fingerprint()).not.toBe(first);
    });
  });

  it.skipIf(!have('systemd-notify', 'python3'))('tells systemd how it is', async () => {
    const socket = join(directory, 'notify');
    const script = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True: print(s.recv(4096).decode().replace('\\n', ' '), flush=True)`;
    const systemd = spawn('python3', ['-c', script, socket], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let heard = '';
    systemd.stdout.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    try {
      await eventually(() => {
        expect(heard).toContain('bound');
      });
      const file = join(directory, 'keys.json');
      await writeFile(file, keysOf({ AKIAOLD: 'x' }), { mode: 0o600 });
      await serve(['--credentials', file], { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' });
      await eventually(() => {
        expect(heard).toMatch(/READY=1 STATUS=http:\S+[^]*WATCHDOG=1[^]*WATCHDOG=1/);
      });
      served?.child.kill('SIGHUP');
      await eventually(() => {
        expect(heard).toMatch(/RELOADING=1[^]*READY=1/);
      });
      expect(await served?.stop()).toBe(0);
      expect(heard).toMatch(/STOPPING=1/);
    } finally {
      systemd.kill('SIGKILL');
    }
  });
});
