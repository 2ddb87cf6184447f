import { createServer, request as httpRequest } from 'node:http';
import { X509Certificate } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterEach, describe, expect, it } from 'vitest';
import { startService, type KvsService, type ServiceOptions } from '../../../lib/service/index.js';
import { Endpoints } from '../../../lib/service/endpoints.js';
import { checkOptions } from '../../../lib/service/options.js';
import { TrustedProxies, type Source } from '../../../lib/service/http/source.js';
import { Sha256 } from '../../../lib/transport/sha256.js';
import { CREDENTIALS, temporaryDirectory } from './helpers.js';

const KEYS: NonNullable<ServiceOptions['credentials']> = {
  [CREDENTIALS.accessKeyId]: {
    secretAccessKey: CREDENTIALS.secretAccessKey,
    accountId: '111122223333',
  },
};
const open: KvsService[] = [];
const directories: string[] = [];

afterEach(async () => {
  for (const service of open.splice(0)) await service.close();
  for (const path of directories.splice(0)) await rm(path, { recursive: true, force: true });
});

async function start(options: Partial<ServiceOptions>): Promise<KvsService> {
  const dataDir = options.dataDir ?? (await temporaryDirectory());
  directories.push(dataDir);
  const service = await startService({ dataDir, credentials: KEYS, limits: 'off', ...options });
  open.push(service);
  return service;
}

/** A call that was signed for `host`, sent to the service itself: as a proxy passes it on. */
async function call(
  { port }: KvsService,
  host: string,
  path: string,
  body: object,
  more: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const signer = new SignatureV4({
    ...{ service: 'kinesisvideo', region: 'us-west-2', credentials: CREDENTIALS, sha256: Sha256 },
  });
  const text = JSON.stringify(body);
  const signed = await signer.sign({
    ...{ method: 'POST', protocol: 'http:', hostname: host, path, body: text },
    headers: { host, 'content-type': 'application/json' },
  });
  const answer = await new Promise<string>((resolve, reject) => {
    const headers = { ...signed.headers, ...more };
    const sent = httpRequest(
      { host: '127.0.0.1', port, path, method: 'POST', headers },
      (response) => {
        let all = '';
        response.setEncoding('utf8').on('data', (part: string) => (all += part));
        response.on('end', () => {
          resolve(all);
        });
      },
    );
    sent.on('error', reject);
    sent.end(text);
  });
  const value: unknown = JSON.parse(answer === '' ? '{}' : answer);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

async function dataEndpoint(
  service: KvsService,
  host: string,
  api = 'PUT_MEDIA',
  more: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const name = { StreamName: 'cam', APIName: api };
  return (await call(service, host, '/getDataEndpoint', name, more))['DataEndpoint'];
}

describe('where clients are sent', () => {
  it('is where they came from, when every address is bound', async () => {
    const service = await start({ host: '0.0.0.0' });
    const port = String(service.port);
    await call(service, 'x', '/createStream', { StreamName: 'cam' });
    expect(await dataEndpoint(service, `nvr.example:${port}`)).toBe(`http://nvr.example:${port}`);
    expect(await dataEndpoint(service, '10.7.0.1:9000')).toBe('http://10.7.0.1:9000');
    expect(await dataEndpoint(service, '[fd00::7]:9000')).toBe('http://[fd00::7]:9000');
    // AWS's C clients leave the port out.
    expect(await dataEndpoint(service, '10.7.0.1')).toBe(`http://10.7.0.1:${port}`);
    // What is no host leads back to the address that was reached.
    expect(await dataEndpoint(service, 'a/b?c')).toBe(`http://127.0.0.1:${port}`);
    // A header that anybody may write changes nothing.
    const forged = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '1.2.3.4' };
    expect(await dataEndpoint(service, 'nvr.example', 'GET_MEDIA', forged)).toBe(
      `http://nvr.example:${port}`,
    );
    expect(service.endpoint).toBe(`http://127.0.0.1:${port}`);
  });

  it('is the public endpoint, for all APIs or for each', async () => {
    const everything = await start({ publicEndpoint: 'https://video.example.org/' });
    await call(everything, 'x', '/createStream', { StreamName: 'cam' });
    expect(await dataEndpoint(everything, 'else')).toBe('https://video.example.org');
    const some = await start({
      host: '0.0.0.0',
      publicEndpoint: {
        GET_MEDIA: 'https://read.example.org',
        LIST_FRAGMENTS: 'http://10.0.0.9:1',
      },
    });
    await call(some, 'x', '/createStream', { StreamName: 'cam' });
    expect(await dataEndpoint(some, 'else:99', 'GET_MEDIA')).toBe('https://read.example.org');
    expect(await dataEndpoint(some, 'else:99', 'LIST_FRAGMENTS')).toBe('http://10.0.0.9:1');
    expect(await dataEndpoint(some, 'else:99', 'PUT_MEDIA')).toBe('http://else:99');
  });

  it('is the proxy, when a trusted one passed the call on', async () => {
    const service = await start({ trustedProxies: ['127.0.0.0/8'] });
    await call(service, 'x', '/createStream', { StreamName: 'cam' });
    const through = (more: Readonly<Record<string, string>>, host = 'cams.example'): unknown =>
      dataEndpoint(service, host, 'PUT_MEDIA', more);
    expect(await through({ 'x-forwarded-proto': 'https' })).toBe('https://cams.example');
    expect(await through({ 'x-forwarded-proto': 'https' }, 'cams.example:444')).toBe(
      'https://cams.example:444',
    );
    const port = { 'x-forwarded-proto': 'https', 'x-forwarded-port': '8443' };
    expect(await through(port)).toBe('https://cams.example:8443');
    expect(await through({})).toBe('http://cams.example');
  });

  it('is the bound address in an open service, whatever Host says', () => {
    const options = checkOptions({ dataDir: 'x' });
    const source: Source = {
      ...{ address: '127.0.0.1', secure: false, forwarded: false, local: '127.0.0.1' },
      ...{ host: 'evil.example', port: undefined },
    };
    expect(new Endpoints(options, 'http', 7).of(source, 'PUT_MEDIA')).toBe('http://127.0.0.1:7');
  });

  it.each([
    [{ publicEndpoint: 'video.example.org' }, /publicEndpoint 'video.example.org' is not like/],
    [{ publicEndpoint: 'https://video.example.org/kvs' }, /publicEndpoint/],
    [{ publicEndpoint: 'ftp://video.example.org' }, /publicEndpoint/],
    [
      { publicEndpoint: { PUT: 'https://a.b' } },
      /publicEndpoint of 'PUT': give default, or one of/,
    ],
    [{ trustedProxies: ['10.0.0.0/33'] }, /'10.0.0.0\/33' is no IP address or range/],
    [{ trustedProxies: ['127.0.0.1'], credentials: 'open' as const }, /give credentials/],
    [{ tlsHosts: ['a b'] }, /'a b' is no host name or address/],
  ])('refuses %j', (options, words) => {
    expect(() => checkOptions({ dataDir: 'x', credentials: KEYS, ...options })).toThrow(words);
  });
});

describe('who calls, behind a proxy', () => {
  const proxies = new TrustedProxies(['10.0.0.1', 'fd00::/8', '127.0.0.1', '::1']);

  function addressOf(forwardedFor: string): Promise<string> {
    return new Promise((resolve, reject) => {
      // A real request, as Node reads it.
      const server = createServer((request, response) => {
        resolve(proxies.sourceOf(request).address);
        response.end();
        server.close();
      });
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        const headers = { 'x-forwarded-for': forwardedFor, connection: 'close' };
        httpRequest({ host: '127.0.0.1', port, headers }).on('error', reject).end();
      });
    });
  }

  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['6.6.6.6, 203.0.113.9', '203.0.113.9'],
    ['6.6.6.6, 203.0.113.9, 10.0.0.1', '203.0.113.9'],
    ['203.0.113.9, fd00::1, 10.0.0.1', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['10.0.0.1', '10.0.0.1'],
    ['6.6.6.6, unknown', '127.0.0.1'],
    ['', '127.0.0.1'],
  ])('%j is %s', async (forwardedFor, address) => {
    expect(await addressOf(forwardedFor)).toBe(address);
  });

  it('is what policies and the log of calls see', async () => {
    const dataDir = await temporaryDirectory();
    const policy = {
      Statement: [
        {
          Effect: 'Allow',
          Action: '*',
          Resource: '*',
          Condition: {
            IpAddress: { 'aws:SourceIp': '203.0.113.0/24' },
            Bool: { 'aws:SecureTransport': 'true' },
          },
        },
      ],
    } as const;
    const apiLog = `${dataDir}/api.log`;
    const secretAccessKey = CREDENTIALS.secretAccessKey;
    const service = await start({
      ...{ dataDir, apiLog, trustedProxies: ['127.0.0.1'] },
      credentials: {
        [CREDENTIALS.accessKeyId]: {
          ...{ secretAccessKey, accountId: '111122223333', policies: [policy] },
        },
      },
    });
    const list = (address: string, scheme: string): ReturnType<typeof call> =>
      call(
        service,
        'cams.example',
        '/listStreams',
        {},
        {
          'x-forwarded-for': address,
          'x-forwarded-proto': scheme,
        },
      );
    expect(await list('203.0.113.9', 'https')).toEqual({ StreamInfoList: [] });
    expect(await list('203.0.113.9', 'http')).toHaveProperty('__type');
    expect(await list('198.51.100.1', 'https')).toHaveProperty('__type');
    await service.close();
    const lines = (await readFile(apiLog, 'utf8')).trim().split('\n');
    const seen = lines.map((line) => /"sourceIPAddress":"([^"]*)"/.exec(line)?.[1]);
    expect(seen).toEqual(['203.0.113.9', '203.0.113.9', '198.51.100.1']);
  });
});

it('a generated certificate is for the names that clients call', async () => {
  const service = await start({
    ...{ tls: 'generated', tlsHosts: ['nvr.local', '10.7.0.1'] },
    publicEndpoint: 'https://video.example.org:8443',
  });
  const certificate = new X509Certificate(await readFile(service.certificate?.path ?? ''));
  expect(certificate.checkHost('nvr.local')).toBeDefined();
  expect(certificate.checkIP('10.7.0.1')).toBeDefined();
  expect(certificate.checkHost('video.example.org')).toBeDefined();
  expect(certificate.checkHost('else.example.org')).toBeUndefined();
});
