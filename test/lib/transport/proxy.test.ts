import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer, request, type RequestOptions } from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import tls from 'node:tls';
import type { LookupFunction } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectionAgents, HttpPutMediaTransport } from '../../../lib/transport/index.js';
import { HAVE_OPENSSL, makeCertificate } from '../../support/certificate.js';
import { ConnectProxy } from '../../support/connect-proxy.js';
import {
  BodyIo,
  collect,
  listen,
  pattern,
  putMediaRequest,
  type Ending,
  type TestServer,
} from './put-media-server.js';

const NAME = 'kvs.example';
const BODY = pattern(500_000);

/** One call on a connection of its own. */
async function answered(endpoint: string, options: RequestOptions): Promise<void> {
  const call = request(endpoint, { ...options, method: 'POST', headers: { connection: 'close' } });
  const [answer]: unknown[] = await once(call.end(BODY), 'response');
  expect(answer).toHaveProperty('statusCode', 200);
}

describe('connections through a proxy', () => {
  let server: TestServer;
  let proxy: ConnectProxy;
  let received = 0;
  const certificate = HAVE_OPENSSL ? makeCertificate(NAME) : undefined;

  beforeEach(async () => {
    received = 0;
    proxy = await ConnectProxy.start();
  });

  afterEach(async () => {
    await server.close();
    await proxy.close();
  });

  async function start(scheme: 'http' | 'https'): Promise<string> {
    const bare = scheme === 'http' ? createHttpServer() : createHttpsServer(certificate ?? {});
    bare.on('request', (request, answer) => {
      void collect(request).then((bytes) => {
        received = bytes.equals(BODY) ? bytes.length : -1;
        answer.end();
      });
    });
    server = await listen(bare, scheme);
    return `${scheme}://${NAME}:${server.port}`;
  }

  async function put(
    endpoint: string,
    settings: Parameters<typeof connectionAgents>[0],
  ): Promise<Ending> {
    const io = new BodyIo(BODY, 'end');
    const agents = connectionAgents(settings);
    new HttpPutMediaTransport({ userAgent: 'test/1', gatherMs: 0, ...agents }).open(
      putMediaRequest(endpoint),
      io,
    );
    return io.ending;
  }

  it('go through for http, whose host only the proxy knows', async () => {
    const endpoint = await start('http');
    const ending = await put(endpoint, { httpProxy: `http://127.0.0.1:${proxy.port}` });
    expect(ending).toEqual({ result: 200, cause: undefined });
    expect(received).toBe(BODY.length);
    expect(proxy.targets).toEqual([`${NAME}:${server.port}`]);
  });

  it.skipIf(!HAVE_OPENSSL)('go through for https, checked to the end', async () => {
    const endpoint = await start('https');
    const httpsProxy = `http://127.0.0.1:${proxy.port}`;
    const ca = certificate?.cert ?? '';
    expect((await put(endpoint, { httpsProxy, ca })).result).toBe(200);
    expect(received).toBe(BODY.length);
    const unknown = await put(endpoint, { httpsProxy });
    expect(unknown.result).toBe(598);
    expect(unknown.cause?.message).toMatch(/self-signed/);
  });

  it.each([
    ['p%40ss', 'p@ss'],
    ['100%', '100%'],
    ['%zz%20', '%zz '],
  ])('log in with the password %s of a URL', async (written, password) => {
    proxy.login = `user:${password}`;
    const endpoint = await start('http');
    const httpProxy = `http://user:${written}@127.0.0.1:${proxy.port}`;
    expect(await put(endpoint, { httpProxy })).toEqual({ result: 200, cause: undefined });
  });

  it('log in at the proxy, and say so when that fails', async () => {
    proxy.login = 'me:pass@word';
    const endpoint = await start('http');
    const good = `http://me:pass%40word@127.0.0.1:${proxy.port}`;
    expect((await put(endpoint, { httpProxy: good })).result).toBe(200);
    const refused = await put(endpoint, { httpProxy: `http://me:x@127.0.0.1:${proxy.port}` });
    expect(refused.cause?.message).toMatch(/proxy 127\.0\.0\.1:\d+ answered 407 for kvs\.example/);
  });

  it.each([
    ['kvs.example', 0],
    ['.example', 0],
    ['*', 0],
    ['kvs.example:1', 1],
    ['vs.example', 1],
    [' other, EXAMPLE', 0],
  ])('with noProxy %j use the proxy %i times', async (noProxy, times) => {
    const endpoint = await start('http');
    const httpProxy = `http://127.0.0.1:${proxy.port}`;
    const ending = await put(endpoint, { httpProxy, noProxy });
    expect(proxy.targets).toHaveLength(times);
    expect(ending.result).toBe(times === 1 ? 200 : 599);
  });

  it('never use the proxy for this machine', async () => {
    await start('http');
    const httpProxy = `http://127.0.0.1:${proxy.port}`;
    expect((await put(server.endpoint, { httpProxy })).result).toBe(200);
    expect(proxy.targets).toEqual([]);
  });

  it.skipIf(!HAVE_OPENSSL)(
    'trust a certificate authority of their own without a proxy',
    async () => {
      const own = makeCertificate('127.0.0.1');
      const bare = createHttpsServer(own, (request, answer) => {
        request.resume();
        request.once('end', () => answer.end());
      });
      server = await listen(bare, 'https');
      expect((await put(server.endpoint, { ca: own.cert })).result).toBe(200);
      expect((await put(server.endpoint, {})).result).toBe(598);
    },
  );

  it.skipIf(!HAVE_OPENSSL).each(['no', 'http'])(
    'read a bundle of authorities once for all, through a proxy: %s',
    async (scheme) => {
      const endpoint = await start('https');
      const own = certificate?.cert ?? '';
      const httpsProxy = `${scheme}://127.0.0.1:${proxy.port}`;
      const settings = scheme === 'no' ? {} : { httpsProxy };
      const agents = connectionAgents({ ...settings, ca: [own, ...tls.rootCertificates] });
      const read = vi.spyOn(tls, 'createSecureContext');
      syncBuiltinESMExports();
      try {
        const { httpsAgent } = agents;
        expect(httpsAgent).toBeDefined();
        const lookup: LookupFunction = (_name, _options, done) => {
          done(null, [{ address: '127.0.0.1', family: 4 }]);
        };
        for (let call = 0; call < 3; call += 1)
          await answered(endpoint, { agent: httpsAgent, lookup });
        expect(read).toHaveBeenCalledTimes(1);
      } finally {
        read.mockRestore();
        syncBuiltinESMExports();
      }
    },
  );
});
