import { chmod, rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { KvsService } from '../../../lib/service/index.js';
import { cluster, header } from '../../support/mkv.js';
import { CREDENTIALS, createStream, putMedia, temporaryDirectory, withService } from './helpers.js';

const KEYS = {
  [CREDENTIALS.accessKeyId]: {
    secretAccessKey: CREDENTIALS.secretAccessKey,
    accountId: '111122223333',
  },
};

async function figures({ metricsPort }: KvsService): Promise<Map<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${String(metricsPort)}/metrics`);
  expect(answer.status).toBe(200);
  const lines = (await answer.text()).split('\n').filter((line) => /^[a-z]/.test(line));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

describe('health', () => {
  it('and readiness are told without a signature, and nothing else is', async () => {
    await withService({ credentials: KEYS }, async ({ endpoint }) => {
      const health = await fetch(`${endpoint}/health`);
      expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
      const ready = await fetch(`${endpoint}/ready`);
      expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
      expect((await fetch(`${endpoint}/metrics`)).status).toBe(403);
    });
  });

  it('is not ready while media would be refused: quota, key file', async () => {
    const dataDir = await temporaryDirectory();
    await withService({ dataDir }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(0, [{ time: 0, data: new Uint8Array(5000) }]));
      put.end();
      await put.untilEnded();
      expect(put.count('PERSISTED')).toBe(1);
    });
    await withService({ dataDir, diskQuota: 1000 }, async (service) => {
      const ready = await fetch(`${service.endpoint}/ready`);
      expect([ready.status, await ready.text()]).toEqual([
        503,
        expect.stringContaining('the disk or its quota is full'),
      ]);
      expect((await fetch(`${service.endpoint}/health`)).status).toBe(200);
      await chmod(`${dataDir}/master-keys.json`, 0o644);
      await service.reload({});
      expect(await (await fetch(`${service.endpoint}/ready`)).text()).toContain('the key file');
    });
    await rm(dataDir, { recursive: true, force: true });
  });
});

describe('metricsListen', () => {
  it('tells the figures of the service, and those of every account, to anybody', async () => {
    await withService({ metricsListen: 0, diskQuota: 1e9, tls: 'generated' }, async (service) => {
      const seen = await figures(service);
      expect(seen.get('kvs_certificate_days')).toBeGreaterThan(820);
      for (const name of ['kvs_disk_free_bytes', 'kvs_heap_bytes', 'kvs_resident_bytes']) {
        expect(seen.get(name), name).toBeGreaterThan(1e6);
      }
    });
    await withService({ metricsListen: 0, diskQuota: 1e9 }, async (service) => {
      await createStream(service, 'cam');
      await createStream(service, 'silent');
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(0, [{ time: 0 }]), cluster(2000, [{ time: 0 }]));
      await put.until((at) => at.count('PERSISTED') === 1);
      const seen = await figures(service);
      const labels = '{account="000000000000",stream_name="cam"}';
      expect(seen.get(`kvs_put_media_incoming_fragments_total${labels}`)).toBe(1);
      expect(seen.get('kvs_producers')).toBe(1);
      expect(seen.get('kvs_readers')).toBe(0);
      expect(seen.get('kvs_open_connections')).toBeGreaterThanOrEqual(1);
      expect(seen.get('kvs_flush_latency_seconds_count')).toBeGreaterThanOrEqual(1);
      expect(seen.get('kvs_flush_latency_seconds_bucket{le="+Inf"}')).toBe(
        seen.get('kvs_flush_latency_seconds_count'),
      );
      expect(seen.get('kvs_disk_used_bytes')).toBeGreaterThan(0);
      expect(seen.get('kvs_index_bytes')).toBeGreaterThan(0);
      expect(seen.get('kvs_disk_quota_bytes')).toBe(1e9);
      expect(seen.get('kvs_disk_quota_free_bytes')).toBeLessThan(1e9);
      expect(seen.get(`kvs_stream_silent_seconds${labels}`)).toBeLessThan(60);
      expect(seen.has(`kvs_stream_silent_seconds${labels.replace('cam', 'silent')}`)).toBe(true);
      expect(seen.has('kvs_certificate_days')).toBe(false);
      expect(seen.get('kvs_event_loop_lag_seconds')).toBeGreaterThanOrEqual(0);
      expect([...seen.keys()].find((name) => name.startsWith('kvs_build_info'))).toMatch(
        /node="\d/,
      );
      put.destroy();
      const base = `http://127.0.0.1:${String(service.metricsPort)}`;
      expect((await fetch(`${base}/ready`)).status).toBe(200);
      expect((await fetch(`${base}/listStreams`, { method: 'POST' })).status).toBe(404);
    });
  });

  it('answers no page whose name was made to mean this machine', async () => {
    await withService({ metricsListen: '127.0.0.1:0' }, async ({ metricsPort }) => {
      const { get } = await import('node:http');
      const status = await new Promise((resolve) => {
        const headers = { host: `evil.example:${String(metricsPort)}` };
        get({ host: '127.0.0.1', port: metricsPort, path: '/metrics', headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
      });
      expect(status).toBe(403);
    });
  });
});
