import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CredentialProvider } from '../../../lib/base/credentials.js';
import { iotCertificateCredentials } from '../../../lib/providers/index.js';
import { HAVE_OPENSSL, makeCertificate } from '../../support/certificate.js';
import { listen, type TestServer } from '../transport/put-media-server.js';

describe.skipIf(!HAVE_OPENSSL)('iotCertificateCredentials (needs openssl)', () => {
  const endpointKeys = HAVE_OPENSSL ? makeCertificate('127.0.0.1') : { key: '', cert: '' };
  const device = HAVE_OPENSSL ? makeCertificate('door') : { key: '', cert: '' };
  let server: TestServer;
  let now = 0;
  let status = 200;
  let text: string | undefined;
  const asked: unknown[] = [];

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    status = 200;
    text = undefined;
    asked.length = 0;
    const options = { ...endpointKeys, ca: device.cert, requestCert: true };
    const bare = createServer(options, (request, answer) => {
      const socket: unknown = request.socket;
      const names = isTls(socket) ? socket.getPeerCertificate().subject.CN : undefined;
      asked.push([names, request.url, request.headers['x-amzn-iot-thingname']]);
      const credentials = {
        accessKeyId: `AKID${asked.length}`,
        secretAccessKey: 'secret',
        sessionToken: 'token',
        expiration: new Date(now + 3_600_000).toISOString(),
      };
      answer.writeHead(status).end(text ?? JSON.stringify({ credentials }));
    });
    server = await listen(bare, 'https');
  });

  afterEach(async () => {
    await server.close();
  });

  function provider(): CredentialProvider {
    return iotCertificateCredentials({
      endpoint: `127.0.0.1:${server.port}`,
      roleAlias: 'kvs role',
      thingName: 'front-door',
      certificate: device.cert,
      privateKey: device.key,
      ca: endpointKeys.cert,
      wall: () => now,
    });
  }

  it('shows the certificate, and asks again five minutes before the end', async () => {
    const credentials = provider();
    expect(await credentials()).toMatchObject({
      accessKeyId: 'AKID1',
      sessionToken: 'token',
      expiration: new Date(now + 3_600_000),
    });
    expect(asked).toEqual([['door', '/role-aliases/kvs%20role/credentials', 'front-door']]);
    now += 3_600_000 - 300_001;
    expect((await credentials()).accessKeyId).toBe('AKID1');
    now += 2;
    expect((await credentials()).accessKeyId).toBe('AKID2');
  });

  it('rejects with the reason, and recovers', async () => {
    const credentials = provider();
    status = 403;
    text = '{"message":"Access Denied"}';
    await expect(credentials()).rejects.toMatchObject({
      status: 'STATUS_CLIENT_AUTH_CALL_FAILED',
      retryable: true,
    });
    await expect(credentials()).rejects.toThrowError(
      /403 for role alias 'kvs role'.*Access Denied/,
    );
    status = 200;
    text = 'no json';
    await expect(credentials()).rejects.toMatchObject({ status: 'STATUS_FORMAT_ERROR' });
    text = undefined;
    expect((await credentials()).secretAccessKey).toBe('secret');
    await server.close();
    now += 3_600_000;
    await expect(credentials()).rejects.toThrowError(/cannot be reached/);
  });
});

function isTls(socket: unknown): socket is TLSSocket {
  return typeof socket === 'object' && socket !== null && 'getPeerCertificate' in socket;
}
