import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { describe, expect, it } from 'vitest';
import { startService } from '../../../lib/service/index.js';
import { HAVE_OPENSSL, makeCertificate } from '../../support/certificate.js';
import { withService } from './helpers.js';

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** POSTs a body, trusting `ca` alone. */
async function post(url: string, body: string, ca: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', ca, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => {
        resolve({ status: answer.statusCode, body: Buffer.concat(parts).toString() });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}

describe.runIf(HAVE_OPENSSL)('tls', () => {
  it('serves HTTPS alone, and says so in its endpoints', async () => {
    const tls = makeCertificate('127.0.0.1');
    expect(new X509Certificate(tls.cert).checkIP('127.0.0.1')).toBe('127.0.0.1');
    await withService({ tls }, async ({ endpoint, port }) => {
      expect(endpoint).toBe(`https://127.0.0.1:${String(port)}`);
      const made = await post(`${endpoint}/createStream`, '{"StreamName":"cam"}', tls.cert);
      expect(made.status).toBe(200);
      const asked = '{"StreamName":"cam","APIName":"PUT_MEDIA"}';
      const answer = await post(`${endpoint}/getDataEndpoint`, asked, tls.cert);
      expect(answer.body).toBe(JSON.stringify({ DataEndpoint: endpoint }));
      const stranger = makeCertificate('127.0.0.1').cert;
      await expect(post(`${endpoint}/listStreams`, '{}', stranger)).rejects.toThrow(/certificate/);
      await expect(fetch(`http://127.0.0.1:${String(port)}/listStreams`)).rejects.toThrow();
    });
  });

  it('refuses a key and a certificate that do not go together', async () => {
    const [one, other] = [makeCertificate('127.0.0.1'), makeCertificate('127.0.0.1')];
    const start = startService({ dataDir: 'unused', tls: { key: one.key, cert: other.cert } });
    await expect(start).rejects.toThrow(/startService: tls: .*mismatch.*; give a PEM key/);
    const nonsense = startService({ dataDir: 'unused', tls: { key: 'key', cert: 'cert' } });
    await expect(nonsense).rejects.toThrow(/startService: tls: /);
  });
});
