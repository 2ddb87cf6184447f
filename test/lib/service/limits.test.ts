import { describe, expect, it } from 'vitest';
import { MKV_ID, writeHeader } from '../../../lib/parser/index.js';
import type { KvsService } from '../../../lib/service/index.js';
import { GUIDE_LIMITS } from '../../../lib/service/limits.js';
import { cluster, header } from '../../support/mkv.js';
import { createStream, putMedia, withService } from './helpers.js';

/* The rows of the guide's tables of limits, with the guide's numbers, on a clock that stands still:
   so many calls are answered, and the next one is refused. */

interface Told {
  readonly status: number;
  readonly error: string;
}

async function post(service: KvsService, path: string, body: object): Promise<Told> {
  const answer = await fetch(`${service.endpoint}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  const error = answer.headers.get('x-amzn-errortype') ?? '';
  // GetMedia stays open.
  await answer.body?.cancel();
  return { status: answer.status, error };
}

const cam = { StreamName: 'cam' };
const version = { ...cam, CurrentVersion: 'none' };

/** Operations with their row's calls a second: of one stream, and of the account. */
const ROWS: readonly (readonly [string, string, object, number, number])[] = [
  ['DescribeStream', '/describeStream', cam, 5, 300],
  ['UpdateStream', '/updateStream', version, 5, 50],
  ['GetDataEndpoint', '/getDataEndpoint', { ...cam, APIName: 'PUT_MEDIA' }, 5, 300],
  ['ListTagsForStream', '/listTagsForStream', cam, 5, 300],
  ['TagStream', '/tagStream', { ...cam, Tags: { a: 'b' } }, 5, 50],
  ['UntagStream', '/untagStream', { ...cam, TagKeyList: ['a'] }, 5, 50],
  [
    'UpdateDataRetention',
    '/updateDataRetention',
    { ...version, Operation: 'INCREASE_DATA_RETENTION', DataRetentionChangeInHours: 1 },
    ...([5, 50] as const),
  ],
  ['ListFragments', '/listFragments', cam, 5, Infinity],
  [
    'GetMediaForFragmentList',
    '/getMediaForFragmentList',
    { ...cam, Fragments: ['1'] },
    ...([5, Infinity] as const),
  ],
];

async function withFrozen(
  use: (service: KvsService, advance: (ms: number) => void) => Promise<void>,
): Promise<void> {
  let now = 0;
  const clock = { mono: (): number => now, wall: (): number => Date.UTC(2026, 0, 1) };
  await withService({ clock, limits: {} }, (service) =>
    use(service, (ms) => {
      now += ms;
    }),
  );
}

describe("the guide's limits", () => {
  it.each(ROWS)('%s: calls a second of one stream', async (_, path, body, most) => {
    await withFrozen(async (service, advance) => {
      await createStream(service, 'cam');
      for (let call = 0; call < most; call += 1) {
        expect((await post(service, path, body)).error).not.toBe('ClientLimitExceededException');
      }
      const refused = await post(service, path, body);
      expect(refused).toEqual({ status: 400, error: 'ClientLimitExceededException' });
      advance(1000 / most);
      expect((await post(service, path, body)).error).not.toBe('ClientLimitExceededException');
    });
  });

  it.each(ROWS.filter(([, , , , account]) => account === 50))(
    '%s: calls a second of one account',
    async (_, path, body, ofStream, most) => {
      await withFrozen(async (service) => {
        const other = { ...body, StreamName: 'nobody' };
        for (let call = 0; call < most; call += 1) {
          expect((await post(service, path, other)).error).toBe('ResourceNotFoundException');
        }
        expect((await post(service, path, other)).error).toBe('ClientLimitExceededException');
        expect(ofStream).toBe(5);
      });
    },
  );

  it('CreateStream: five calls a second of one name, which only one of them makes', async () => {
    await withFrozen(async (service, advance) => {
      await createStream(service, 'cam');
      for (let call = 1; call < 5; call += 1) {
        expect((await post(service, '/createStream', cam)).error).toBe('ResourceInUseException');
      }
      const refused = await post(service, '/createStream', cam);
      expect(refused).toEqual({ status: 400, error: 'ClientLimitExceededException' });
      await createStream(service, 'door');
      advance(200);
      expect((await post(service, '/createStream', cam)).error).toBe('ResourceInUseException');
    });
  });

  it('CreateStream: 50 calls a second, 100 streams; ListStreams: 300 calls a second', async () => {
    await withFrozen(async (service, advance) => {
      for (let index = 0; index < 50; index += 1) await createStream(service, `s${String(index)}`);
      const fast = await post(service, '/createStream', { StreamName: 'fast' });
      expect(fast.error).toBe('ClientLimitExceededException');
      advance(1000);
      for (let index = 50; index < 100; index += 1) {
        await createStream(service, `s${String(index)}`);
      }
      advance(1000);
      const many = await post(service, '/createStream', { StreamName: 'one-more' });
      expect(many.error).toBe('AccountStreamLimitExceededException');
      for (let call = 0; call < 300; call += 1) {
        expect((await post(service, '/listStreams', { MaxResults: 1 })).status).toBe(200);
      }
      const refused = await post(service, '/listStreams', { MaxResults: 1 });
      expect(refused.error).toBe('ClientLimitExceededException');
    });
  });

  it('GetMedia: three readers of a stream, five calls a second', async () => {
    await withFrozen(async (service, advance) => {
      await createStream(service, 'cam');
      const body = JSON.stringify({ ...cam, StartSelector: { StartSelectorType: 'NOW' } });
      const ask = (): Promise<Response> =>
        fetch(`${service.endpoint}/getMedia`, { method: 'POST', body });
      const readers = [await ask(), await ask(), await ask()];
      expect(readers.map(({ status }) => status)).toEqual([200, 200, 200]);
      const fourth = await ask();
      expect(fourth.headers.get('x-amzn-errortype')).toBe('ConnectionLimitExceededException');
      expect((await ask()).status).toBe(400);
      const sixth = await ask();
      expect(sixth.headers.get('x-amzn-errortype')).toBe('ClientLimitExceededException');
      await readers[0]?.body?.cancel();
      advance(1000);
      await expect.poll(async () => (await ask()).status, { interval: 20 }).toBe(200);
      for (const reader of readers.slice(1)) await reader.body?.cancel();
    });
  });

  it('PutMedia: five calls a second; fragments of 10 s and 50 MB, three tracks, ten tags', async () => {
    await withFrozen(async (service) => {
      await createStream(service, 'cam');
      for (let call = 0; call < 5; call += 1) {
        const put = putMedia(service, 'cam');
        put.end();
        await put.untilEnded();
        expect(put.status).toBe(200);
        put.destroy();
      }
      const sixth = putMedia(service, 'cam');
      await sixth.until(({ text }) => text.endsWith('}'));
      expect(sixth.head).toContain('ClientLimitExceededException');
      sixth.destroy();
    });
    const { fragmentDuration, fragmentBytes, tracks, fragmentTags, fragmentsPerList } =
      GUIDE_LIMITS;
    expect([fragmentDuration, tracks, fragmentTags, fragmentsPerList]).toEqual([
      20_000, 3, 10, 1000,
    ]);
    // "50 megabytes": what a client counts as 50 MiB is not refused.
    expect(fragmentBytes).toBe(50 * 1024 * 1024);
  });

  it('PutMedia: a fragment of 50 MiB is taken, one byte more is 4001', async () => {
    await withService({ limits: { putMediaBytesPerSecond: Infinity } }, async (service) => {
      await createStream(service, 'cam');
      const whole = 50 * 1024 * 1024;
      for (const [bytes, last] of [
        [whole, 'PERSISTED 0'],
        [whole + 1, 'ERROR 0 4001'],
      ] as const) {
        const rest = bytes - cluster(0, []).length - writeHeader(MKV_ID.SIMPLE_BLOCK, bytes).length;
        const put = putMedia(service, 'cam');
        put.send(header(), cluster(0, []), writeHeader(MKV_ID.SIMPLE_BLOCK, rest));
        put.send(Uint8Array.of(0x81, 0, 0, 0x80), Buffer.alloc(rest - 4));
        put.end();
        await put.untilEnded();
        expect(put.summary().at(-1), String(rest)).toBe(last);
        put.destroy();
      }
    });
  });
});
