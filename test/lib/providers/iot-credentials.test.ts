import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CredentialProvider } from '../../../lib/base/credentials.js';
import {
  iotCertificateCredentials,
  type IotCertificateOptions,
} from '../../../lib/providers/index.js';
import { connectionAgents } from '../../../lib/transport/index.js';
import { ConnectProxy } from '../../support/connect-proxy.js';
import { HAVE_OPENSSL, makeCertificate } from '../../support/certificate.js';
import { listen, type TestServer } from '../transport/put-media-server.js';

describe.skipIf(!HAVE_OPENSSL)('iotCertificateCredentials (needs openssl)', () => {
  const endpointKeys = HAVE_OPENSSL ? makeCertificate('127.0.0.1') : { key: '', cert: '' };
  const device = HAVE_OPENSSL ? makeCertificate('door') : { key: '', cert: '' };
  let server: TestServer;
  let now = 0;
  /** How far the endpoint's clock is ahead of the device's. */
  let ahead = 0;
  let status = 200;
  let text: string | undefined;
  const asked: unknown[] = [];

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    ahead = 0;
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
        expiration: new Date(now + ahead + 3_600_000).toISOString(),
      };
      answer.setHeader('date', new Date(now + ahead).toUTCString());
      answer.writeHead(status).end(text ?? JSON.stringify({ credentials }));
    });
    server = await listen(bare, 'https');
  });

  afterEach(async () => {
    await server.close();
  });

  function provider(more?: Partial<IotCertificateOptions>): CredentialProvider {
    return iotCertificateCredentials({
      endpoint: `127.0.0.1:${server.port}`,
      roleAlias: 'kvs role',
      thingName: 'front-door',
      certificate: device.cert,
      privateKey: device.key,
      ca: endpointKeys.cert,
      wall: () => now,
      ...more,
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

  it.each([3_600_000, -3_600_000])(
    'asks again in time although the clock is %i ms off',
    async (off) => {
      ahead = off;
      const credentials = provider();
      await credentials();
      now += 3_600_000 - 301_000;
      expect((await credentials()).accessKeyId).toBe('AKID1');
      now += 2000;
      expect((await credentials()).accessKeyId).toBe('AKID2');
    },
  );

  it('asks again at once when the service refused those at hand', async () => {
    const credentials = provider();
    await credentials();
    expect((await credentials({ forceRefresh: true })).accessKeyId).toBe('AKID2');
    expect((await credentials()).accessKeyId).toBe('AKID2');
  });

  it('asks once for all who want fresh ones at the same time', async () => {
    const credentials = provider();
    const [first, second] = await Promise.all([credentials(), credentials()]);
    expect([first.accessKeyId, second.accessKeyId]).toEqual(['AKID1', 'AKID1']);
    const many = Array.from({ length: 20 }, () => credentials({ forceRefresh: true }));
    const fresh = await Promise.all(many);
    expect(new Set(fresh.map((one) => one.accessKeyId))).toEqual(new Set(['AKID2']));
    status = 503;
    now += 3_600_000;
    const none = await Promise.allSettled([credentials(), credentials()]);
    expect(none.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    status = 200;
    expect((await credentials()).accessKeyId).toBe('AKID4');
  });

  it('gives those at hand while they are good and the endpoint cannot be reached', async () => {
    const credentials = provider();
    await credentials();
    now += 3_600_000 - 60_000;
    status = 503;
    expect((await credentials()).accessKeyId).toBe('AKID1');
    now += 61_000;
    await expect(credentials()).rejects.toThrowError(/answered 503/);
  });

  it('goes through the proxy of an agent, and shows the certificate there, too', async () => {
    const keys = makeCertificate('iot.example');
    await server.close();
    const bare = createServer(
      { ...keys, ca: device.cert, requestCert: true },
      (request, answer) => {
        const socket: unknown = request.socket;
        const name = isTls(socket) ? socket.getPeerCertificate().subject.CN : undefined;
        const credentials = { accessKeyId: name, secretAccessKey: 'secret' };
        answer.end(JSON.stringify({ credentials }));
      },
    );
    server = await listen(bare, 'https');
    const proxy = await ConnectProxy.start();
    const { httpsAgent } = connectionAgents({
      httpsProxy: `http://127.0.0.1:${proxy.port}`,
      ca: keys.cert,
    });
    if (httpsAgent === undefined) throw new Error('no agent');
    const endpoint = `iot.example:${server.port}`;
    const credentials = provider({ endpoint, ca: keys.cert, agent: httpsAgent });
    expect((await credentials()).accessKeyId).toBe('door');
    expect(proxy.targets).toEqual([endpoint]);
    httpsAgent.destroy();
    await proxy.close();
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
