import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { KvsError } from '../../../lib/base/errors.js';
import {
  GetMediaReader,
  type GetMediaReaderOptions,
  type ReconnectNotice,
} from '../../../lib/consumer/index.js';
import { MKV_ID } from '../../../lib/parser/index.js';
import { FaultProxy } from '../../support/faults.js';
import { header, join } from '../parser/helpers.js';
import { tags } from '../parser/media.js';
import { putMedia, withService } from '../service/helpers.js';
import {
  clusterOf,
  connectionTo,
  fill,
  fragmentDocument,
  head,
  numbered,
  numberOf,
  START,
  withServer,
  type Asked,
} from './helpers.js';

const QUICK = { backoff: { firstMs: 5, longestMs: 50 } } as const;

/** Frame numbers until so many have come. */
async function take(options: GetMediaReaderOptions, count: number): Promise<number[]> {
  const numbers: number[] = [];
  for await (const frame of new GetMediaReader({ ...QUICK, ...options }).frames()) {
    numbers.push(numberOf(frame));
    if (numbers.length === count) break;
  }
  return numbers;
}

const expected = (fragments: number, frames: number): number[] =>
  Array.from({ length: fragments }, (_, f) =>
    Array.from({ length: frames }, (_, i) => f * 1000 + i),
  ).flat();

const selectors = (requests: readonly Asked[]): unknown[] =>
  requests.map(({ body }) =>
    typeof body === 'object' && body !== null ? Reflect.get(body, 'StartSelector') : undefined,
  );

describe('GetMediaReader against the service', () => {
  it('reads from the earliest fragment, and goes on from a token', async () => {
    await withService({}, async (service) => {
      await fill(service, 'cam', 4, 5, 100);
      const connection = connectionTo(service, 'cam');
      const reader = new GetMediaReader(connection);
      const tokens: (string | undefined)[] = [];
      const times: number[] = [];
      for await (const event of reader.events()) {
        if (event.kind === 'frame') times.push(event.timecodeMs - START);
        else tokens.push(event.fragment.continuationToken);
        if (tokens.length === 2) break;
      }
      expect(times).toEqual([0, 40, 80, 120, 160, 2000, 2040, 2080, 2120, 2160]);
      expect(reader.continuationToken).toBe(tokens[1]);
      const start = { kind: 'token', continuationToken: tokens[1] ?? '' } as const;
      expect(await take({ ...connection, start }, 10)).toEqual(expected(4, 5).slice(10));
    });
  });

  it('starts at a fragment and at times', async () => {
    await withService({}, async (service) => {
      await fill(service, 'cam', 4, 2, 100);
      const connection = connectionTo(service, 'cam');
      const numbers: string[] = [];
      for await (const frame of new GetMediaReader(connection).frames()) {
        numbers.push(frame.fragment?.fragmentNumber ?? '');
        if (numbers.length === 8) break;
      }
      const from = (start: GetMediaReaderOptions['start'] & object) =>
        take({ ...connection, start }, 2);
      expect(await from({ kind: 'fragment', fragmentNumber: numbers[4] ?? '' })).toEqual([
        2000, 2001,
      ]);
      expect(await from({ kind: 'producerTime', time: START + 4000 })).toEqual([2000, 2001]);
      expect(await from({ kind: 'now' })).toEqual([3000, 3001]);
    });
  });

  it('waits for media that comes later, and ends at once when aborted', async () => {
    await withService({}, async (service) => {
      await fill(service, 'cam', 1, 2, 100);
      const controller = new AbortController();
      const reader = new GetMediaReader({
        ...connectionTo(service, 'cam'),
        signal: controller.signal,
      });
      const seen: number[] = [];
      const reading = (async () => {
        for await (const frame of reader.frames()) {
          seen.push(numberOf(frame));
          if (seen.length === 2) {
            const put = putMedia(service, 'cam');
            put.send(head(), clusterOf(START + 2000, numbered(1, 2, 100)));
            put.end();
          }
          if (seen.length === 4) setImmediate(() => controller.abort(new Error('seen enough')));
        }
      })();
      await expect(reading).rejects.toThrow('seen enough');
      expect(seen).toEqual([0, 1, 1000, 1001]);
    });
  });

  it('gives every frame once over connections that break in the middle', async () => {
    await withService({}, async (service) => {
      await fill(service, 'cam', 12, 20, 8000);
      const proxy = await FaultProxy.start(Number(new URL(service.endpoint).port));
      const notices: ReconnectNotice[] = [];
      const reader = new GetMediaReader({
        ...connectionTo(service, 'cam'),
        ...QUICK,
        dataEndpoint: proxy.endpoint,
        onReconnect: (notice) => notices.push(notice),
      });
      proxy.rate = 4_000_000;
      const numbers: number[] = [];
      for await (const frame of reader.frames()) {
        numbers.push(numberOf(frame));
        if (numbers.length % 31 === 0) proxy.reset();
        if (numbers.length === 240) break;
      }
      await proxy.close();
      expect(numbers).toEqual(expected(12, 20));
      expect(notices.length).toBeGreaterThan(3);
      expect(notices[0]?.error?.retryable).toBe(true);
    });
  });

  it('tells what is wrong with the call', async () => {
    await withService({}, async (service) => {
      const missing = new GetMediaReader(connectionTo(service, 'nothing')).frames().next();
      await expect(missing).rejects.toMatchObject({
        status: 'STATUS_SERVICE_CALL_RESOURCE_NOT_FOUND_ERROR',
      });
      await expect(missing).rejects.toThrow(/stream nothing/);
      expect(() => new GetMediaReader({ region: 'us-west-2' })).toThrow(/streamName or streamArn/);
      expect(() => new GetMediaReader({ streamName: 'a', streamArn: 'b' })).toThrow(KvsError);
    });
  });
});

describe('GetMediaReader when the service ends the connection', () => {
  const connection = (dataEndpoint: string): GetMediaReaderOptions => ({
    streamName: 'cam',
    region: 'us-west-2',
    dataEndpoint,
    credentials: { accessKeyId: 'A', secretAccessKey: 'B' },
    ...QUICK,
  });

  it('goes on with the token after a connection that ended in order', async () => {
    const answer = (_: Asked, response: { end(body: Uint8Array): void }, count: number) =>
      response.end(
        join(
          fragmentDocument(2 * count, numbered(2 * count, 3, 50)),
          fragmentDocument(2 * count + 1, numbered(2 * count + 1, 3, 50)),
        ),
      );
    await withServer(answer, async (endpoint, requests) => {
      expect(await take(connection(endpoint), 15)).toEqual(expected(7, 3).slice(6));
      expect(selectors(requests)).toEqual([
        { StartSelectorType: 'EARLIEST' },
        { StartSelectorType: 'CONTINUATION_TOKEN', ContinuationToken: '3' },
        { StartSelectorType: 'CONTINUATION_TOKEN', ContinuationToken: '5' },
      ]);
    });
  });

  it('goes on inside a fragment that was cut off, before the first token, too', async () => {
    const whole = fragmentDocument(7, numbered(7, 6, 500));
    const next = fragmentDocument(8, numbered(8, 2, 50));
    const parts = [0.6, 0.3, 0.9].map((part) => whole.slice(0, Math.floor(whole.length * part)));
    const answer = (_: Asked, response: { end(body: Uint8Array): void }, count: number) =>
      response.end(parts[count - 1] ?? join(whole, next));
    await withServer(answer, async (endpoint, requests) => {
      expect(await take(connection(endpoint), 8)).toEqual([
        7000, 7001, 7002, 7003, 7004, 7005, 8000, 8001,
      ]);
      expect(selectors(requests).slice(1)).toEqual(
        Array.from({ length: 3 }, () => ({
          StartSelectorType: 'FRAGMENT_NUMBER',
          AfterFragmentNumber: '7',
        })),
      );
    });
  });

  it('gives the first frames again to nobody when a fragment comes whole but without its token', async () => {
    const whole = fragmentDocument(7, numbered(7, 3, 50));
    const noToken = join(
      head(),
      tags(['AWS_KINESISVIDEO_FRAGMENT_NUMBER', '7']),
      clusterOf(14000, numbered(7, 3, 50)),
    );
    const answer = (_: Asked, response: { end(body: Uint8Array): void }, count: number) =>
      response.end(count === 1 ? noToken : join(whole, fragmentDocument(8, numbered(8, 1, 50))));
    await withServer(answer, async (endpoint) => {
      expect(await take(connection(endpoint), 4)).toEqual([7000, 7001, 7002, 8000]);
    });
  });

  it('throws the error that the media ends with, or tries again when it passes', async () => {
    const trouble = (id: string) =>
      join(
        header(MKV_ID.SEGMENT, undefined, 8),
        tags(['AWS_KINESISVIDEO_ERROR_ID', id], ['AWS_KINESISVIDEO_ERROR_CODE', 'in words']),
      );
    const answer = (_: Asked, response: { end(body: Uint8Array): void }, count: number) =>
      response.end(
        join(
          fragmentDocument(count, numbered(count, 1, 50)),
          trouble(count === 1 ? '5000' : '4500'),
        ),
      );
    await withServer(answer, async (endpoint) => {
      const notices: ReconnectNotice[] = [];
      const numbers: number[] = [];
      const reading = (async () => {
        const reader = new GetMediaReader({
          ...connection(endpoint),
          onReconnect: (notice) => notices.push(notice),
        });
        for await (const frame of reader.frames()) numbers.push(numberOf(frame));
      })();
      await expect(reading).rejects.toMatchObject({
        status: 'STATUS_ACK_ERR_KMS_KEY_ACCESS_DENIED',
      });
      await expect(reading).rejects.toThrow(/4500: in words/);
      expect(numbers).toEqual([1000, 2000]);
      expect(notices.map(({ error }) => error?.status)).toEqual([
        'STATUS_ACK_ERR_ACK_INTERNAL_ERROR',
      ]);
    });
  });

  it('gives up after maxFailures connections that bring nothing', async () => {
    await withServer(
      (_, response) => response.writeHead(503).end('{}'),
      async (endpoint) => {
        const reader = new GetMediaReader({ ...connection(endpoint), maxFailures: 1 });
        await expect(reader.frames().next()).rejects.toMatchObject({ retryable: true });
      },
    );
  });

  it('ends with the connection when told never to reconnect', async () => {
    await withServer(
      (_, response) => response.end(fragmentDocument(1, numbered(1, 2, 50))),
      async (endpoint, requests) => {
        const numbers: number[] = [];
        const reader = new GetMediaReader({ ...connection(endpoint), reconnect: 'never' });
        for await (const frame of reader.frames()) numbers.push(numberOf(frame));
        expect(numbers).toEqual([1000, 1001]);
        expect(requests).toHaveLength(1);
        await expect(reader.frames().next()).rejects.toThrow(/reads already/);
      },
    );
  });

  it('throws at once for what is no Matroska', async () => {
    await withServer(
      (_, response) => response.end('<html>a proxy page</html>'),
      async (endpoint) => {
        const reading = new GetMediaReader(connection(endpoint)).frames().next();
        await expect(reading).rejects.toMatchObject({ status: 'STATUS_FORMAT_ERROR' });
      },
    );
  });

  it('lets the sender wait when frames are not taken', async () => {
    const most = 256 * 1024 * 1024;
    let sent = 0;
    let blocked: () => void = () => undefined;
    const stuck = new Promise<void>((resolve) => (blocked = resolve));
    const document = fragmentDocument(1, numbered(1, 16, 65536));
    const sendOn = async (
      response: NodeJS.WritableStream & { destroyed: boolean },
    ): Promise<void> => {
      while (sent < most && !response.destroyed) {
        sent += document.length;
        if (response.write(document)) continue;
        const drained = Promise.race([
          once(response, 'drain').then(() => true),
          once(response, 'close').then(() => false),
        ]);
        // The reader takes nothing: after the buffers are full there is no drain any more.
        const idle = new Promise<'idle'>((resolve) => setTimeout(resolve, 500, 'idle'));
        if ((await Promise.race([drained, idle])) === 'idle') blocked();
        await drained;
      }
    };
    await withServer(
      (_, response) => void sendOn(response),
      async (endpoint) => {
        const frames = new GetMediaReader(connection(endpoint)).frames();
        expect((await frames.next()).value).toBeDefined();
        await stuck;
        expect(sent).toBeLessThan(32 * 1024 * 1024);
        await frames.return(undefined);
      },
    );
  });
});
