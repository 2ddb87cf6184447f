import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteStreamCommand } from '@aws-sdk/client-kinesis-video';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HlsTokens } from '../../../lib/service/hls/token.js';
import {
  controlClient,
  createStream,
  temporaryDirectory,
  withService,
  type Endpoint,
} from './helpers.js';
import { AVC, answerOf, ask, store, withStream } from './hls.js';

let directory = '';
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the session token', () => {
  const forbidden = (words: RegExp): readonly unknown[] => [
    403,
    'NotAuthorizedException',
    expect.stringMatching(words),
  ];

  it('is answered 501 where playlists and fragments will be, and 404 elsewhere', async () => {
    await withStream(async (service) => {
      const url = await ask(service);
      for (const name of [
        'getHLSMasterPlaylist.m3u8',
        'getHLSMediaPlaylist.m3u8',
        'getMP4InitFragment.mp4',
        'getMP4MediaFragment.mp4',
        'getTSFragment.ts',
      ]) {
        const resource = url.replace('getHLSMasterPlaylist.m3u8', name);
        const [status, type, text] = await answerOf(resource);
        expect([status, type]).toEqual([501, 'NotImplementedException']);
        expect(text).toMatch(
          /session of stream cam is valid, but .* no playlists and fragments yet/,
        );
      }
      const unknown = url.replace('getHLSMasterPlaylist.m3u8', 'nothing');
      expect((await answerOf(unknown)).slice(0, 2)).toEqual([404, 'UnknownOperationException']);
      expect((await answerOf(url, 'POST')).slice(0, 2)).toEqual([404, 'UnknownOperationException']);
      const [bare = ''] = url.split('?');
      expect(await answerOf(bare)).toEqual(forbidden(/not valid/));
      expect(await answerOf(bare.replace('getHLS', 'nothing'))).toEqual(forbidden(/not valid/));
    });
  });

  it('cannot be made or changed by others', () => {
    const tokens = new HlsTokens(Buffer.alloc(32, 1));
    const request = {
      mode: 'LIVE',
      timestamps: 'server',
      container: 'FRAGMENTED_MP4',
      discontinuity: 'ALWAYS',
      showTimestamps: 'NEVER',
      expires: 300_000,
      maxFragments: 5,
    } as const;
    const claims = { stream: 1, session: 'a'.repeat(32), expiresAt: 5, request };
    const token = tokens.seal(claims);
    expect(tokens.open(token)).toEqual(claims);
    expect(tokens.seal(claims)).not.toBe(token);
    expect(new HlsTokens(Buffer.alloc(32, 2)).open(token)).toBeUndefined();
    const bytes = Buffer.from(token, 'base64url');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ mask, at);
        expect(tokens.open(changed.toString('base64url'))).toBeUndefined();
        expect(tokens.open(bytes.subarray(0, at).toString('base64url'))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
        expect(tokens.open(text)).toBeUndefined();
      }),
    );
    expect(tokens.open('A'.repeat(1_000_000))).toBeUndefined();
  });

  it('holds until it expires, also over a restart of the service', async () => {
    let ahead = 0;
    const clock = { mono: () => performance.now(), wall: () => Date.now() + ahead };
    let path = '';
    const options = { dataDir: directory, clock };
    await withStream(async (service) => {
      const url = new URL(await ask(service, { StreamName: 'cam', Expires: 600 }));
      path = `${url.pathname}${url.search}`;
    }, options);
    expect((await stat(join(directory, 'hls-token.key'))).mode & 0o777).toBe(0o600);
    await withService(options, async ({ endpoint }) => {
      ahead = 599_000 - 30_000;
      expect((await answerOf(`${endpoint}${path}`))[0]).toBe(501);
      ahead = 601_000;
      expect(await answerOf(`${endpoint}${path}`)).toEqual(forbidden(/has expired/));
    });
  });

  it('is worth nothing to another service, nor once its stream is deleted', async () => {
    await withStream(async (service) => {
      const url = await ask(service);
      await withStream(async (other) => {
        const there = url.replace(service.endpoint, other.endpoint);
        expect(await answerOf(there)).toEqual(forbidden(/not valid/));
      });
      const arn = await createStream(service, 'other');
      await store(service, 'other');
      const gone = await ask(service, { StreamARN: arn });
      const client = controlClient(service);
      await client.send(new DeleteStreamCommand({ StreamARN: arn }));
      client.destroy();
      expect((await answerOf(gone)).slice(0, 2)).toEqual([404, 'ResourceNotFoundException']);
      await createStream(service, 'other');
      expect((await answerOf(gone)).slice(0, 2)).toEqual([404, 'ResourceNotFoundException']);
      expect((await answerOf(url))[0]).toBe(501);
    });
  });

  it('ends where a sixth session is begun: the oldest is closed, and stays so', async () => {
    const options = {
      dataDir: directory,
      limits: { hlsSessions: 5, hlsSessionRate: Infinity, streamCallRate: Infinity },
    };
    const paths: string[] = [];
    const statuses = async ({ endpoint }: Endpoint): Promise<number[]> =>
      Promise.all(paths.map(async (path) => (await answerOf(`${endpoint}${path}`))[0]));
    await withStream(async (service) => {
      for (let count = 0; count < 7; count += 1) {
        const url = new URL(await ask(service));
        paths.push(`${url.pathname}${url.search}`);
      }
      expect(await statuses(service)).toEqual([403, 403, 501, 501, 501, 501, 501]);
      expect(await answerOf(`${service.endpoint}${paths[0] ?? ''}`)).toEqual(
        forbidden(/was closed, since newer ones/),
      );
    }, options);
    await withService(options, async (service) => {
      expect(await statuses(service)).toEqual([403, 403, 501, 501, 501, 501, 501]);
    });
  });

  it('is not given by expired sessions', async () => {
    let ahead = 0;
    const clock = { mono: () => performance.now(), wall: () => Date.now() + ahead };
    await withStream(
      async (service) => {
        const long = await ask(service, { StreamName: 'cam', Expires: 43_200 });
        for (let count = 0; count < 4; count += 1) await ask(service);
        ahead = 301_000;
        await store(service, 'cam', [AVC], 5000);
        for (let count = 0; count < 4; count += 1) await ask(service);
        // The four that expired no longer count.
        expect((await answerOf(long))[0]).toBe(501);
      },
      { clock, limits: { hlsSessions: 5, hlsSessionRate: Infinity, streamCallRate: Infinity } },
    );
  });
});
