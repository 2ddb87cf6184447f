import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { DescribeStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Agent } from 'node:https';
import { describe, expect, it, vi } from 'vitest';
import { startService } from '../../../lib/service/index.js';
import { isFor, openCertificate } from '../../../lib/service/tls/generated.js';
import { HAVE_OPENSSL } from '../../support/certificate.js';
import { CREDENTIALS, temporaryDirectory, withService } from './helpers.js';

const DAY = 86_400_000;

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await temporaryDirectory();
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Connects as a client that trusts `ca` alone, or anybody; gives the fingerprint it was shown. */
function shownBy(port: number, ca: string | undefined, servername: string): Promise<string> {
  const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername, ...trust }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe("tls: 'generated'", () => {
  it('makes a certificate that clients can trust by its file, and keeps it', async () => {
    await withDirectory(async (dataDir) => {
      let first = '';
      await withService({ dataDir, tls: 'generated' }, async ({ endpoint, port, certificate }) => {
        if (certificate === undefined) throw new Error('no certificate');
        expect(endpoint).toBe(`https://127.0.0.1:${String(port)}`);
        expect(certificate.path).toBe(join(dataDir, 'tls', 'cert.pem'));
        expect(Object.keys(certificate).sort()).toEqual(['expires', 'fingerprint', 'path']);
        const ca = await readFile(certificate.path, 'utf8');
        expect(await shownBy(port, ca, 'localhost')).toBe(certificate.fingerprint);
        await expect(shownBy(port, ca, 'example.org')).rejects.toThrow(/altnames/);
        const client = new KinesisVideoClient({
          ...{ endpoint, region: 'us-west-2', credentials: CREDENTIALS, maxAttempts: 1 },
          requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca }) }),
        });
        await expect(
          client.send(new DescribeStreamCommand({ StreamName: 'nobody' })),
        ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
        client.destroy();
        first = certificate.fingerprint;
      });
      expect((await stat(join(dataDir, 'tls', 'key.pem'))).mode & 0o777).toBe(0o600);
      await withService({ dataDir, tls: 'generated' }, async ({ certificate }) => {
        expect(certificate?.fingerprint).toBe(first);
        return Promise.resolve();
      });
    });
  });

  it.each(['::ffff:10.1.2.3', 'fe80::1:2', 'camera.local', '10.9.8.7', '2001:db8::'])(
    'is for the host that is bound: %s',
    async (host) => {
      await withDirectory(async (directory) => {
        const now = Date.now();
        const { cert, key, fingerprint, expires } = await openCertificate(directory, [host], now);
        const parsed = new X509Certificate(cert);
        for (const name of ['localhost', '127.0.0.1', '::1', host]) {
          expect(isFor(parsed, name), name).toBe(true);
        }
        expect(isFor(parsed, 'other.local')).toBe(false);
        expect(isFor(parsed, '10.9.8.8')).toBe(false);
        expect(parsed.ca).toBe(false);
        expect(parsed.verify(createPublicKey(key))).toBe(true);
        expect(createHash('sha256').update(parsed.raw).digest('hex')).toBe(
          fingerprint.replaceAll(':', '').toLowerCase(),
        );
        expect(expires - now).toBeGreaterThan(800 * DAY);
        expect(Date.parse(parsed.validFrom)).toBeLessThan(now);
      });
    },
  );

  it.runIf(HAVE_OPENSSL)('is a certificate to openssl, strictly', async () => {
    await withDirectory(async (directory) => {
      const { path } = await openCertificate(directory, ['127.0.0.1'], Date.now());
      const openssl = (...args: string[]): string => execFileSync('openssl', args).toString();
      const strict = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname'];
      expect(openssl(...strict, 'localhost', '-CAfile', path, path)).toContain(': OK');
      expect(openssl('asn1parse', '-in', path)).not.toMatch(/error/i);
      const text = openssl('x509', '-in', path, '-noout', '-text');
      expect(text).toContain('Version: 3');
      expect(text).toContain('CA:FALSE');
      expect(text).toContain('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    });
  });

  it('is renewed before it ends, when the service starts', async () => {
    await withDirectory(async (dataDir) => {
      const now = Date.now();
      const first = await openCertificate(dataDir, ['127.0.0.1'], now);
      const early = await openCertificate(dataDir, ['127.0.0.1'], now + 790 * DAY);
      expect(early.fingerprint).toBe(first.fingerprint);
      const late = await openCertificate(dataDir, ['127.0.0.1'], now + 800 * DAY);
      expect(late.fingerprint).not.toBe(first.fingerprint);
      expect(await readFile(late.path, 'utf8')).toBe(late.cert);
    });
  });

  it('is renewed while the service runs', async () => {
    let wall = Date.now();
    const clock = { mono: (): number => performance.now(), wall: (): number => wall };
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      await withService({ tls: 'generated', clock }, async (service) => {
        const before = service.certificate?.fingerprint ?? '';
        expect(await shownBy(service.port, undefined, 'localhost')).toBe(before);
        wall += 800 * DAY;
        vi.advanceTimersByTime(10_000);
        await expect.poll(() => service.certificate?.fingerprint).not.toBe(before);
        const shown = await shownBy(service.port, undefined, 'localhost');
        expect(shown).toBe(service.certificate?.fingerprint);
      });
    } finally {
      vi.useRealTimers();
    }
  });

  it('is made anew where the kept one is damaged, of another key, or for another host', async () => {
    await withDirectory(async (directory) => {
      const now = Date.now();
      const first = await openCertificate(directory, ['127.0.0.1'], now);
      const prints = [first.fingerprint];
      await writeFile(first.path, 'no certificate');
      prints.push((await openCertificate(directory, ['127.0.0.1'], now)).fingerprint);
      await writeFile(join(directory, 'tls', 'key.pem'), first.key);
      prints.push((await openCertificate(directory, ['127.0.0.1'], now)).fingerprint);
      prints.push((await openCertificate(directory, ['10.1.1.1'], now)).fingerprint);
      expect(new Set(prints).size).toBe(4);
    });
  });

  it.skipIf(process.platform === 'win32')('refuses a key that others may read', async () => {
    await withDirectory(async (dataDir) => {
      await openCertificate(dataDir, ['127.0.0.1'], Date.now());
      await chmod(join(dataDir, 'tls', 'key.pem'), 0o640);
      const start = startService({ dataDir, tls: 'generated' });
      await expect(start).rejects.toThrow(/key\.pem may be used by others \(mode 640\); chmod 600/);
    });
  });
});
