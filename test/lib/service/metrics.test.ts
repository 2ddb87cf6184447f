import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GetMediaForFragmentListCommand } from '@aws-sdk/client-kinesis-video-archived-media';
import { KinesisVideoArchivedMediaClient } from '@aws-sdk/client-kinesis-video-archived-media';
import { ListFragmentsCommand } from '@aws-sdk/client-kinesis-video-archived-media';
import { DeleteStreamCommand } from '@aws-sdk/client-kinesis-video';
import prettier from 'prettier';
import { describe, expect, it } from 'vitest';
import { FrameCounter } from '../../../lib/service/metrics/frames.js';
import { serviceMetricsMarkdown } from '../../../lib/service/metrics/markdown.js';
import { ServiceMetrics } from '../../../lib/service/metrics/meter.js';
import { prometheusText } from '../../../lib/service/metrics/pages.js';
import { MKV_ID } from '../../../lib/parser/index.js';
import { signedFetch, type CallerKeys } from '../../support/signed-fetch.js';
import { cluster, element, header, simpleBlock, uint } from '../../support/mkv.js';
import {
  CREDENTIALS,
  bytesOf,
  controlClient,
  createStream,
  getMedia,
  putMedia,
  withService,
  type Endpoint,
} from './helpers.js';

const PAGE = fileURLToPath(new URL('../../../docs/service-metrics.md', import.meta.url));
const BLOCKS = [{ time: 0 }, { time: 40 }, { time: 80 }];
const BODY = [header(), cluster(0, BLOCKS), cluster(2000, BLOCKS)] as const;

interface Metric {
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
  readonly Unit: string;
  readonly Sum: number;
  readonly SampleCount?: number;
  readonly Minimum?: number;
  readonly Maximum?: number;
}

function isAnswer(value: unknown): value is { readonly Metrics: readonly Metric[] } {
  return typeof value === 'object' && value !== null && 'Metrics' in value;
}

/** The metrics of `stream` by name. */
async function metricsOf({ endpoint }: Endpoint, stream = 'cam'): Promise<Map<string, Metric>> {
  const answer = await signedFetch(CREDENTIALS, `${endpoint}/metrics.json`);
  expect(answer.status).toBe(200);
  const value: unknown = await answer.json();
  if (!isAnswer(value)) throw new Error('no metrics');
  const own = value.Metrics.filter(({ Dimensions: [first] }) => first?.Value === stream);
  return new Map(own.map((metric) => [metric.MetricName, metric]));
}

async function fill(service: Endpoint): Promise<void> {
  const put = putMedia(service, 'cam');
  put.send(...BODY);
  put.end();
  await put.untilEnded();
  expect(put.count('PERSISTED')).toBe(2);
}

async function refusal(keys: CallerKeys, url: string, body: object): Promise<string> {
  return (await signedFetch(keys, url, body)).text();
}

describe('metrics', () => {
  it('counts what PutMedia brings and how long it took', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      await fill(service);
      const metrics = await metricsOf(service);
      const sums = (name: string): number | undefined => metrics.get(name)?.Sum;
      expect(sums('PutMedia.Requests')).toBe(1);
      expect(sums('PutMedia.IncomingBytes')).toBe(Buffer.concat(BODY).length);
      expect(sums('PutMedia.IncomingFragments')).toBe(2);
      expect(sums('PutMedia.IncomingFrames')).toBe(6);
      expect(sums('PutMedia.ActiveConnections')).toBe(0);
      expect(sums('PutMedia.ConnectionErrors')).toBeUndefined();
      expect(sums('PutMedia.ErrorAckCount')).toBeUndefined();
      expect(metrics.get('PutMedia.Success')).toMatchObject({ SampleCount: 2, Sum: 2, Minimum: 1 });
      for (const name of [
        'FragmentIngestionLatency',
        'FragmentPersistLatency',
        'BufferingAckLatency',
        'ReceivedAckLatency',
        'PersistedAckLatency',
      ]) {
        const metric = metrics.get(`PutMedia.${name}`);
        expect(metric, name).toMatchObject({ SampleCount: 2, Unit: 'Milliseconds' });
        expect(metric?.Minimum, name).toBeGreaterThanOrEqual(0);
        expect(metric?.Maximum, name).toBeLessThan(60_000);
      }
      const persist = metrics.get('PutMedia.FragmentPersistLatency')?.Maximum ?? 0;
      expect(persist).toBeGreaterThan(0);
    });
  });

  it('counts what goes wrong with PutMedia', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(2000, BLOCKS), cluster(1000, BLOCKS));
      await put.untilEnded();
      const unknown = putMedia(service, 'nobody');
      await unknown.until(({ status }) => status === 404);
      const metrics = await metricsOf(service);
      expect(metrics.get('PutMedia.ErrorAckCount')?.Sum).toBe(1);
      expect(metrics.get('PutMedia.Success')).toMatchObject({ SampleCount: 2, Sum: 1, Minimum: 0 });
      expect(metrics.get('PutMedia.IncomingFragments')?.Sum).toBe(1);
      expect(await metricsOf(service, 'nobody')).toEqual(new Map());
    });
  });

  it('shows connections while they are open, and those that were refused', async () => {
    await withService({}, async (service) => {
      const arn = await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      await put.until(({ status }) => status === 200);
      expect((await metricsOf(service)).get('PutMedia.ActiveConnections')?.Sum).toBe(1);
      const refused = putMedia(service, 'cam', { 'x-amzn-stream-arn': arn });
      await refused.until(({ status }) => status === 400);
      put.end();
      await put.untilEnded();
      const metrics = await metricsOf(service);
      expect(metrics.get('PutMedia.ActiveConnections')?.Sum).toBe(0);
      expect(metrics.get('PutMedia.Requests')?.Sum).toBe(2);
      expect(metrics.get('PutMedia.ConnectionErrors')?.Sum).toBe(1);
    });
  });

  it('counts what is read, and forgets a stream that is deleted', async () => {
    await withService({}, async (service) => {
      const arn = await createStream(service, 'cam');
      await fill(service);
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 2);
      const archive = new KinesisVideoArchivedMediaClient({
        endpoint: service.endpoint,
        region: 'us-west-2',
        credentials: CREDENTIALS,
      });
      const { Fragments = [] } = await archive.send(
        new ListFragmentsCommand({ StreamName: 'cam' }),
      );
      const numbers = Fragments.map(({ FragmentNumber }) => FragmentNumber ?? '');
      const list = new GetMediaForFragmentListCommand({ StreamName: 'cam', Fragments: numbers });
      let listed = 0;
      for await (const part of bytesOf((await archive.send(list)).Payload)) listed += part.length;
      archive.destroy();
      const metrics = await metricsOf(service);
      const sum = (name: string): number | undefined => metrics.get(name)?.Sum;
      expect(sum('GetMedia.Requests')).toBe(1);
      expect(sum('GetMedia.OutgoingBytes')).toBe(media.length);
      expect(sum('GetMedia.OutgoingFragments')).toBe(2);
      expect(sum('GetMedia.OutgoingFrames')).toBe(6);
      expect(metrics.get('GetMedia.Success')).toMatchObject({ SampleCount: 2, Sum: 2 });
      expect(metrics.get('GetMedia.MillisBehindNow')).toMatchObject({ SampleCount: 2, Minimum: 0 });
      expect(sum('GetMediaForFragmentList.OutgoingBytes')).toBe(listed);
      expect(sum('GetMediaForFragmentList.OutgoingFrames')).toBe(6);
      expect(sum('GetMediaForFragmentList.Success')).toBe(2);
      expect(metrics.get('ListFragments.Latency')).toMatchObject({ SampleCount: 1 });

      const control = controlClient(service);
      await control.send(new DeleteStreamCommand({ StreamARN: arn }));
      control.destroy();
      expect(await metricsOf(service)).toEqual(new Map());
    });
  });

  it('speaks the text form of Prometheus', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      await fill(service);
      const answer = await fetch(`${service.endpoint}/metrics`);
      expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      const lines = (await answer.text()).split('\n');
      expect(lines).toContain('# TYPE kvs_put_media_incoming_frames_total counter');
      expect(lines).toContain('kvs_put_media_incoming_frames_total{stream_name="cam"} 6');
      expect(lines).toContain('kvs_put_media_success_count{stream_name="cam"} 2');
      const line = /^(# (HELP|TYPE) \w+ .+|\w+\{stream_name="cam"(,le="[\d.+Inf]+")?\} [\d.e-]+|)$/;
      expect(lines.filter((text) => !line.test(text))).toEqual([]);
    });
  });

  it('counts times in classes that each hold the ones below', () => {
    const metrics = new ServiceMetrics();
    const meter = metrics.of({ id: 1, account: '123456789012', name: 'cam' });
    for (const ms of [0.5, 1, 1.5, 99_999]) meter.add('ListFragments.Latency', ms);
    const text = prometheusText(metrics.list('123456789012'));
    const name = 'kvs_list_fragments_latency_seconds';
    expect(text).toContain(`${name}_bucket{stream_name="cam",le="0.001"} 2\n`);
    expect(text).toContain(`${name}_bucket{stream_name="cam",le="0.0025"} 3\n`);
    expect(text).toContain(`${name}_bucket{stream_name="cam",le="10"} 3\n`);
    expect(text).toContain(`${name}_bucket{stream_name="cam",le="+Inf"} 4\n`);
    expect(text).toContain(`${name}_count{stream_name="cam"} 4\n`);
    expect(prometheusText(metrics.list('210987654321'))).toBe('');
  });

  it('wants a signature where calls want one', async () => {
    const { accessKeyId, secretAccessKey } = CREDENTIALS;
    const credentials = { [accessKeyId]: { secretAccessKey, accountId: '123456789012' } };
    await withService({ credentials }, async ({ endpoint }) => {
      for (const path of ['metrics', 'metrics.json']) {
        const answer = await fetch(`${endpoint}/${path}`);
        expect(answer.status).toBe(403);
        expect(answer.headers.get('x-amzn-errortype')).toBe('MissingAuthenticationTokenException');
      }
      expect((await fetch(`${endpoint}/metrics`, { method: 'PUT' })).status).toBe(404);
    });
  });

  it('counts calls that are refused before they are carried out, but not those of strangers', async () => {
    const account = { secretAccessKey: CREDENTIALS.secretAccessKey, accountId: '123456789012' };
    const deny = { Statement: { Effect: 'Deny', Action: '*', Resource: '*' } } as const;
    const credentials = {
      [CREDENTIALS.accessKeyId]: account,
      AKIADENIED: { ...account, policies: [deny] },
    };
    await withService({ credentials }, async (service) => {
      await createStream(service, 'cam');
      const stranger = { ...CREDENTIALS, secretAccessKey: 'guessed' };
      const denied = { ...CREDENTIALS, accessKeyId: 'AKIADENIED' };
      for (const [keys, selector, words] of [
        [denied, 'NOW', /explicit deny/],
        [CREDENTIALS, 'SOMETIME', /validation error/],
        [stranger, 'NOW', /signature/],
      ] as const) {
        const body = { StreamName: 'cam', StartSelector: { StartSelectorType: selector } };
        expect(await refusal(keys, `${service.endpoint}/getMedia`, body)).toMatch(words);
        const list = { StreamName: 'cam', Fragments: [selector === 'NOW' ? '1' : 'x'] };
        const path = `${service.endpoint}/getMediaForFragmentList`;
        expect(await refusal(keys, path, list)).toMatch(words);
      }
      const metrics = await metricsOf(service);
      expect(metrics.get('GetMedia.Requests')?.Sum).toBe(2);
      expect(metrics.get('GetMedia.ConnectionErrors')?.Sum).toBe(2);
      expect(metrics.get('GetMediaForFragmentList.Requests')?.Sum).toBe(2);
    });
  });

  it('counts calls above the rate as well', async () => {
    const limits = { streamCallRate: 2 };
    await withService({ limits }, async (service) => {
      await createStream(service, 'cam');
      const list = { StreamName: 'cam', Fragments: ['1'] };
      for (let call = 0; call < 4; call += 1) {
        await refusal(CREDENTIALS, `${service.endpoint}/getMediaForFragmentList`, list);
      }
      const metrics = await metricsOf(service);
      expect(metrics.get('GetMediaForFragmentList.Requests')?.Sum).toBe(4);
    });
  });

  it('counts frames of a Cluster in any pieces', () => {
    const bytes = element(MKV_ID.CLUSTER, [
      uint(MKV_ID.TIMESTAMP, 5),
      simpleBlock({ time: 0 }),
      element(MKV_ID.BLOCK_GROUP, [element(MKV_ID.BLOCK, [Uint8Array.of(0x81, 0, 0, 0, 7)])]),
      element(MKV_ID.VOID, [Uint8Array.of(0xa3, 0x81)]),
    ]);
    for (const size of [1, 7, bytes.length]) {
      const counter = new FrameCounter();
      for (let at = 0; at < bytes.length; at += size) counter.push(bytes.subarray(at, at + size));
      expect(counter.frames).toBe(2);
    }
  });

  it('docs/service-metrics.md is made from the table (KVS_WRITE_DOCS=1 writes it)', async () => {
    const options = await prettier.resolveConfig(PAGE);
    const markdown = serviceMetricsMarkdown();
    const text = await prettier.format(markdown, { ...options, parser: 'markdown' });
    if (process.env['KVS_WRITE_DOCS'] === '1') await writeFile(PAGE, text);
    expect(await readFile(PAGE, 'utf8')).toBe(text);
  });
});
