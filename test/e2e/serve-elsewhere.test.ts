import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HAVE_OPENSSL, makeCertificate } from '../support/certificate.js';
import { freePort, ServedCommand } from '../support/served-command.js';

/* The service seen from another machine: another network namespace, which has its own loopback. */

const KVS = fileURLToPath(new URL('../../dist/cli/kvs.js', import.meta.url));
const FOLLOW = fileURLToPath(new URL('../support/follow.mjs', import.meta.url));
const MEDIA = fileURLToPath(new URL('../../media/camera.mp4', import.meta.url));
const PAGE = new URL('../../docs/service-proxy.md', import.meta.url);
const SECRET = 'secretsecretsecret';
const NAMESPACE = `kvs${String(process.pid)}`;
const NET = `10.${String(200 + (process.pid % 50))}.${String((process.pid >> 6) % 250)}`;
const HERE = `${NET}.1`;

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'ignore' });
}

/** Only root may make namespaces, and not in every container. */
function haveNamespaces(): boolean {
  try {
    ip('netns', 'add', NAMESPACE);
    ip('netns', 'del', NAMESPACE);
    return true;
  } catch {
    return false;
  }
}

/** Before 2.7 Caddy could not send an answer while the request was still coming. */
function haveCaddy(): boolean {
  if (!have('caddy')) return false;
  const version = execFileSync('caddy', ['version'], { encoding: 'utf8' });
  const [, major = '0', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 7);
}

function have(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const READY = existsSync(KVS) && haveNamespaces();
const children: ChildProcess[] = [];
let directory = '';

beforeAll(async () => {
  if (!READY) return;
  directory = await mkdtemp(join(tmpdir(), 'kvs-elsewhere-'));
  await writeFile(
    join(directory, 'keys.json'),
    JSON.stringify({ AKIATEST: { secretAccessKey: SECRET, accountId: '111122223333' } }),
    { mode: 0o600 },
  );
  ip('netns', 'add', NAMESPACE);
  ip('link', 'add', `${NAMESPACE}a`, 'type', 'veth', 'peer', 'name', `${NAMESPACE}b`);
  ip('link', 'set', `${NAMESPACE}b`, 'netns', NAMESPACE);
  ip('addr', 'add', `${HERE}/24`, 'dev', `${NAMESPACE}a`);
  ip('link', 'set', `${NAMESPACE}a`, 'up');
  ip('-n', NAMESPACE, 'addr', 'add', `${NET}.2/24`, 'dev', `${NAMESPACE}b`);
  ip('-n', NAMESPACE, 'link', 'set', `${NAMESPACE}b`, 'up');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }
});
afterAll(async () => {
  if (!READY) return;
  // The namespace takes its end of the cable with it, and that the other.
  ip('netns', 'del', NAMESPACE);
  await rm(directory, { recursive: true, force: true });
});

async function serve(...args: readonly string[]): Promise<ServedCommand> {
  const served = await ServedCommand.start(KVS, [
    ...['--credentials', join(directory, 'keys.json'), '--limits', 'off'],
    ...['--data-dir', await mkdtemp(join(directory, 'data-')), ...args],
  ]);
  children.push(served.child);
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: SECRET };
  const { endpoint } = served;
  const client = new KinesisVideoClient({ endpoint, region: 'us-west-2', credentials });
  await client.send(new CreateStreamCommand({ StreamName: 'cam', DataRetentionInHours: 1 }));
  client.destroy();
  return served;
}

/** What a camera and a viewer elsewhere see, who know nothing but `endpoint`. */
async function follow(
  endpoint: string,
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const command = [process.execPath, FOLLOW, endpoint, 'cam', MEDIA];
  const child = spawn('ip', ['netns', 'exec', NAMESPACE, ...command], {
    env: { ...process.env, AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: SECRET, ...env },
  });
  children.push(child);
  let output = '';
  let complaint = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (complaint += bytes.toString()));
  await once(child, 'close');
  if (output === '') throw new Error(complaint);
  return JSON.parse(output);
}

function reached(endpoint: string): object {
  return {
    ...{ put: endpoint, archive: endpoint, frames: 20 },
    acks: { BUFFERING: 12, RECEIVED: 12, PERSISTED: 12 },
    hls: { origin: endpoint, answered: true },
  };
}

/** Starts a proxy, resolves when its port takes connections. */
async function startProxy(command: string, args: readonly string[], port: number): Promise<void> {
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let complaint = '';
  for (const out of [child.stdout, child.stderr]) {
    out.on('data', (bytes: Buffer) => (complaint += bytes.toString()));
  }
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${complaint}`);
    if (await isOpen(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A port that somebody listens on cannot be listened on. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(true);
    });
    probe.listen(port, HERE, () => {
      probe.close(() => {
        resolve(false);
      });
    });
  });
}

/** A block of docs/service-proxy.md. */
async function blockOf(language: string): Promise<string> {
  const page = await readFile(PAGE, 'utf8');
  const block = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page)?.[1];
  if (block === undefined) throw new Error(`docs/service-proxy.md has no block of ${language}`);
  return block;
}

describe.skipIf(!READY)('from another machine (needs npm run build, root, iproute2)', () => {
  it('a service on 0.0.0.0 leads its clients back to itself', async () => {
    const { port } = await serve('--host', '0.0.0.0');
    const endpoint = `http://${HERE}:${String(port)}`;
    expect(await follow(endpoint)).toMatchObject(reached(endpoint));
  });

  it.skipIf(!have('nginx') || !HAVE_OPENSSL)(
    'so does one behind nginx, which ends TLS',
    async () => {
      const { port } = await serve('--trusted-proxy', '127.0.0.1');
      const front = await freePort(HERE);
      const { key, cert } = makeCertificate(HERE);
      await writeFile(join(directory, 'key.pem'), key);
      await writeFile(join(directory, 'cert.pem'), cert);
      const block = (await blockOf('nginx'))
        .replace('443 ssl', `${HERE}:${String(front)} ssl`)
        .replace('127.0.0.1:8443', `127.0.0.1:${String(port)}`)
        .replace(/certificate \S+;/, `certificate ${directory}/cert.pem;`)
        .replace(/certificate_key \S+;/, `certificate_key ${directory}/key.pem;`);
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      const temporary = paths.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n');
      const file = join(directory, 'nginx.conf');
      await writeFile(
        file,
        `daemon off; master_process off; pid ${directory}/nginx.pid; error_log stderr;
      events {} http { access_log off; ${temporary} ${block} }`,
      );
      await startProxy('nginx', ['-c', file, '-e', 'stderr'], front);
      const endpoint = `https://${HERE}:${String(front)}`;
      const trust = { NODE_EXTRA_CA_CERTS: join(directory, 'cert.pem') };
      expect(await follow(endpoint, trust)).toMatchObject(reached(endpoint));
    },
  );

  it.skipIf(!haveCaddy())('so does one behind Caddy (needs 2.7)', async () => {
    const front = await freePort(HERE);
    const endpoint = `http://${HERE}:${String(front)}`;
    const { port } = await serve('--trusted-proxy', '127.0.0.1', '--public-endpoint', endpoint);
    const block = (await blockOf('caddyfile'))
      .replace('{\n', '{\n  admin off\n')
      .replace('video.example.org', endpoint)
      .replace('127.0.0.1:8443', `127.0.0.1:${String(port)}`);
    const file = join(directory, 'Caddyfile');
    await writeFile(file, block);
    await startProxy('caddy', ['run', '--adapter', 'caddyfile', '--config', file], front);
    expect(await follow(endpoint)).toMatchObject(reached(endpoint));
  });
});
