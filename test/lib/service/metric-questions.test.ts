import { describe, expect, it } from 'vitest';
import { FIGURES } from '../../../lib/service/operate/figures.js';
import { QUESTIONS } from '../../../lib/service/metrics/questions.js';
import { METRICS } from '../../../lib/service/metrics/table.js';
import type { KvsService, ServiceOptions } from '../../../lib/service/index.js';
import { eventually } from '../../support/eventually.js';
import { cluster, header } from '../../support/mkv.js';
import { createStream, getMedia, mediaClient, putMedia, withService } from './helpers.js';
import { GetMediaCommand } from '@aws-sdk/client-kinesis-video-media';

/* Each of the guide's seven questions: its condition is raised, and its sign is seen. */

/** The value of a series of stream `cam`, or of the service. */
async function value({ metricsPort }: KvsService, name: string): Promise<number | undefined> {
  const answer = await fetch(`http://127.0.0.1:${String(metricsPort)}/metrics`);
  const line = (await answer.text())
    .split('\n')
    .find((text) => text.startsWith(`${name} `) || text.startsWith(`${name}{`));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
}

async function ask(
  options: Partial<ServiceOptions>,
  use: (service: KvsService) => Promise<void>,
): Promise<void> {
  await withService({ ...options, metricsListen: 0 }, async (service) => {
    await createStream(service, 'cam');
    await use(service);
  });
}

async function fill(service: KvsService, count: number): Promise<void> {
  const put = putMedia(service, 'cam');
  put.send(
    header(),
    ...Array.from({ length: count }, (_, at) => cluster(at * 2000, [{ time: 0 }])),
  );
  put.end();
  await put.untilEnded();
}

/** A GetMedia that waits; gives its status and how to end it. */
async function reader(service: KvsService): Promise<{ status: number; end: () => void }> {
  const client = mediaClient(service);
  const abort = new AbortController();
  const command = new GetMediaCommand({
    ...{ StreamName: 'cam', StartSelector: { StartSelectorType: 'NOW' } },
  });
  const end = (): void => {
    abort.abort();
    client.destroy();
  };
  return client.send(command, { abortSignal: abort.signal }).then(
    ({ $metadata }) => ({ status: $metadata.httpStatusCode ?? 0, end }),
    () => ({ status: 400, end }),
  );
}

describe('the seven questions', () => {
  it('name metrics that there are, in the words and in the alarm', () => {
    const known = [
      ...Object.values(METRICS).map(({ prometheus }) => prometheus),
      ...Object.keys(FIGURES),
    ];
    expect(QUESTIONS).toHaveLength(7);
    for (const { alarm, figures } of QUESTIONS) {
      for (const name of [...figures, ...(alarm.match(/kvs_\w+/g) ?? [])]) {
        const base = name.replace(/_(sum|count|bucket)$/, '');
        expect(known.includes(name) || known.includes(base), name).toBe(true);
      }
    }
  });

  it('1: a camera that sends nothing is silent', async () => {
    let ahead = 0;
    const clock = { mono: () => performance.now(), wall: () => Date.now() + ahead };
    await ask({ clock }, async (service) => {
      await fill(service, 2);
      expect(await value(service, 'kvs_stream_silent_seconds')).toBeLessThan(60);
      ahead = 61_000;
      expect(await value(service, 'kvs_stream_silent_seconds')).toBeGreaterThan(60);
    });
  });

  it('2: fragments that are refused are Error acks', async () => {
    await ask({}, async (service) => {
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(2000, [{ time: 0 }]), cluster(1000, [{ time: 0 }]));
      await put.untilEnded();
      expect(await value(service, 'kvs_put_media_error_acks_total')).toBe(1);
      expect(await value(service, 'kvs_put_media_success_sum')).toBe(1);
      expect(await value(service, 'kvs_put_media_success_count')).toBe(2);
    });
  });

  it('3: a slow camera has a long ingestion latency', async () => {
    await ask({}, async (service) => {
      const put = putMedia(service, 'cam');
      const slow = cluster(0, [{ time: 0, data: new Uint8Array(5000) }]);
      put.send(header(), slow.subarray(0, 100));
      await put.until((at) => at.count('BUFFERING') === 1);
      await new Promise((resolve) => setTimeout(resolve, 200));
      put.send(slow.subarray(100));
      put.end();
      await put.untilEnded();
      expect(
        await value(service, 'kvs_put_media_fragment_ingestion_latency_seconds_sum'),
      ).toBeGreaterThan(0.15);
    });
  });

  it('4: media that find no room lower the rate of success; flushes are timed', async () => {
    await ask({ diskQuota: 3000 }, async (service) => {
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(0, [{ time: 0 }]));
      put.send(cluster(2000, [{ time: 0, data: new Uint8Array(4000) }]));
      await put.untilEnded();
      const stored = (await value(service, 'kvs_put_media_success_sum')) ?? NaN;
      expect(stored).toBeLessThan((await value(service, 'kvs_put_media_success_count')) ?? NaN);
      expect(await value(service, 'kvs_flush_latency_seconds_count')).toBeGreaterThan(0);
    });
  });

  it('5: a reader of old media is behind', async () => {
    await ask({}, async (service) => {
      await fill(service, 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await fill(service, 2);
      await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 1);
      await eventually(async () => {
        expect(await value(service, 'kvs_get_media_behind_now_seconds_sum')).toBeGreaterThan(0);
      });
    });
  });

  it('6: a reader waits while nothing goes out', async () => {
    await ask({}, async (service) => {
      const { status, end } = await reader(service);
      expect(status).toBe(200);
      expect(await value(service, 'kvs_readers')).toBe(1);
      expect((await value(service, 'kvs_get_media_outgoing_fragments_total')) ?? 0).toBe(0);
      end();
    });
  });

  it('7: readers that are refused are connection errors', async () => {
    await ask({ limits: { getMediaReaders: 1 } }, async (service) => {
      const first = await reader(service);
      const second = await reader(service);
      expect(second.status).toBe(400);
      expect(await value(service, 'kvs_get_media_connection_errors_total')).toBe(1);
      first.end();
      second.end();
    });
  });
});
