// A producer behind a proxy, with an authority of its own, and what it says of itself.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  connectionAgents,
  DefaultCallbackProvider,
  KinesisVideoProducer,
  VERSION,
  type ProducerOptions,
} from '../../lib/index.js';
import { HAVE_OPENSSL, makeCertificate } from '../support/certificate.js';
import { ConnectProxy } from '../support/connect-proxy.js';
import { syntheticFrames } from '../support/frames.js';
import { ScriptedService } from '../support/scripted-service.js';
import { CREDENTIALS, putAll } from '../support/upload.js';

const VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'NO_PROXY', 'no_proxy'] as const;
const OWN = { region: 'us-west-2', credentials: CREDENTIALS } as const;
const FRAMES = [...syntheticFrames({ count: 50, start: 1_700_000_000_000 })];

let service: ScriptedService | undefined;
let producer: KinesisVideoProducer | undefined;
const before = new Map<string, string | undefined>();

beforeEach(() => {
  for (const name of VARIABLES) {
    before.set(name, process.env[name]);
    Reflect.deleteProperty(process.env, name);
  }
});

afterEach(async () => {
  for (const [name, value] of before) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  await producer?.close({ timeoutMs: 0 }).catch(() => undefined);
  producer = undefined;
  await service?.close();
  service = undefined;
});

/** Uploads, and answers how many fragments are persisted. */
async function upload(options: ProducerOptions): Promise<number> {
  producer = await KinesisVideoProducer.create({
    limits: 'off',
    ...(options.callbackProvider === undefined ? OWN : {}),
    ...options,
  });
  const stream = await producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0 });
  await putAll(stream, FRAMES);
  await stream.stop({ timeoutMs: 60_000 });
  return stream.getMetrics().persistedAcks;
}

describe.skipIf(!HAVE_OPENSSL)('a host that only the proxy knows (needs openssl)', () => {
  const HOST = 'kvs.example';
  const tls = HAVE_OPENSSL ? makeCertificate(HOST) : { key: '', cert: '' };
  let proxy: ConnectProxy;
  let endpoint = '';

  beforeEach(async () => {
    proxy = await ConnectProxy.start();
    service = await ScriptedService.start({ tls: { ...tls, host: HOST } });
    ({ endpoint } = service);
  });

  afterEach(async () => {
    await proxy.close();
  });

  it('is reached by HTTPS_PROXY, for calls and for media, with an authority of its own', async () => {
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxy.port}`;
    expect(await upload({ endpoint, ca: tls.cert })).toBe(2);
    expect(new Set(proxy.targets)).toEqual(new Set([new URL(endpoint).host]));
  });

  it('is reached by a proxy that is given as curl takes it, too', async () => {
    process.env['https_proxy'] = `127.0.0.1:${proxy.port}`;
    expect(await upload({ endpoint, ca: tls.cert })).toBe(2);
    expect(proxy.targets).toContain(new URL(endpoint).host);
  });

  it('is reached by an agent, which stands above the environment', async () => {
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:9';
    const { httpsAgent } = connectionAgents({
      httpsProxy: `http://127.0.0.1:${proxy.port}`,
      ca: tls.cert,
    });
    if (httpsAgent === undefined) throw new Error('no agent');
    expect(await upload({ endpoint, httpsAgent })).toBe(2);
    expect(proxy.targets).toContain(new URL(endpoint).host);
    httpsAgent.destroy();
  });

  it('is not trusted without that authority, and the stream says why', async () => {
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxy.port}`;
    producer = await KinesisVideoProducer.create({
      region: 'us-west-2',
      endpoint,
      credentials: CREDENTIALS,
    });
    const stream = await producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0 });
    await putAll(stream, FRAMES);
    await expect.poll(() => stream.health.lastError?.message).toMatch(/self-signed certificate/);
    expect(stream.health.condition).toBe('failing');
  });

  it.each(['proxy:3128:x', 'socks5://proxy:1080'])('is refused for HTTPS_PROXY=%s', async (url) => {
    process.env['HTTPS_PROXY'] = url;
    await expect(upload({ endpoint })).rejects.toThrowError(/HTTPS_PROXY is no URL/);
  });
});

it('each call and each session says who calls', async () => {
  service = await ScriptedService.start();
  const { endpoint } = service;
  expect(await upload({ endpoint })).toBe(2);
  const own = `kinesis-video/${VERSION} node/${process.versions.node}`;
  const callbackProvider = new DefaultCallbackProvider({
    ...OWN,
    endpoint,
  });
  await producer?.close();
  expect(await upload({ callbackProvider })).toBe(2);
  // The SDK has features of the call in its own, which differ from call to call.
  const all = [...service.userAgents];
  expect(all.filter((one) => !one.includes(`kinesis-video/${VERSION}`))).toEqual([]);
  expect(all.filter((one) => one.startsWith(own))).toHaveLength(1);
});
