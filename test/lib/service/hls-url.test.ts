import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GetDataEndpointCommand } from '@aws-sdk/client-kinesis-video';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Policy } from '../../../lib/service/index.js';
import { isValidCodecPrivate } from '../../../lib/service/hls/codec-private.js';
import type { HeaderOptions } from '../../support/mkv.js';
import {
  CREDENTIALS,
  controlClient,
  createStream,
  temporaryDirectory,
  withService,
} from './helpers.js';
import {
  AAC,
  ANNEX_B,
  ASC,
  AVC,
  AVCC,
  HEVC,
  HVCC,
  answerOf,
  ask,
  store,
  withStream,
} from './hls.js';
import { KEY_ID, createWithKey, writeKeys } from './keys.js';

let directory = '';
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Range of producer times, in seconds. */
function between(start: number, end?: number, type = 'PRODUCER_TIMESTAMP'): object {
  return {
    HLSFragmentSelector: {
      FragmentSelectorType: type,
      TimestampRange: {
        StartTimestamp: new Date(start * 1000),
        ...(end !== undefined && { EndTimestamp: new Date(end * 1000) }),
      },
    },
  };
}

describe('GetHLSStreamingSessionURL', () => {
  it('gives the URL of a session, found by GetDataEndpoint', async () => {
    await withStream(async (service) => {
      const control = controlClient(service);
      const { DataEndpoint } = await control.send(
        new GetDataEndpointCommand({ StreamName: 'cam', APIName: 'GET_HLS_STREAMING_SESSION_URL' }),
      );
      control.destroy();
      const url = await ask({ endpoint: DataEndpoint ?? '' });
      const [before, token = ''] = url.split('=');
      expect(before).toBe(`${service.endpoint}/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken`);
      expect(token).toMatch(/^[\w-]{100,}$/);
      expect(Buffer.from(token, 'base64url').toString('latin1')).not.toMatch(/LIVE|session|stream/);
      const metrics = await (await fetch(`${service.endpoint}/metrics`)).text();
      const name = 'kvs_get_hls_streaming_session_url';
      expect(metrics).toContain(`${name}_requests_total{stream_name="cam"} 1`);
      expect(metrics).toContain(`${name}_success_sum{stream_name="cam"} 1`);
      expect(metrics).toContain(`${name}_latency_seconds_count{stream_name="cam"} 1`);
    });
  });

  it.each<[string, object]>([
    ['LIVE by default', {}],
    [
      'LIVE',
      { PlaybackMode: 'LIVE', HLSFragmentSelector: { FragmentSelectorType: 'SERVER_TIMESTAMP' } },
    ],
    ['ON_DEMAND', { PlaybackMode: 'ON_DEMAND', ...between(0, 2) }],
    ['ON_DEMAND from within a fragment', { PlaybackMode: 'ON_DEMAND', ...between(1.5, 2) }],
    ['LIVE_REPLAY', { PlaybackMode: 'LIVE_REPLAY', ...between(0, 2) }],
    ['LIVE_REPLAY that goes on', { PlaybackMode: 'LIVE_REPLAY', ...between(0) }],
    [
      'all there is',
      {
        ...{ ContainerFormat: 'MPEG_TS', DiscontinuityMode: 'ON_DISCONTINUITY' },
        ...{ DisplayFragmentTimestamp: 'ALWAYS', Expires: 43_200 },
        MaxMediaPlaylistFragmentResults: 1000,
      },
    ],
  ])('takes %s', async (_what, input) => {
    await withStream(async (service) => {
      const url = await ask(service, { StreamName: 'cam', ...input });
      expect((await answerOf(url))[0]).toBe(501);
    });
  });

  const now = Date.now() / 1000;
  it.each<[string, RegExp, object]>([
    ['a range with LIVE', /TimestampRange must not/, { ...between(0, 2) }],
    ['no selector', /hLSFragmentSelector/, { PlaybackMode: 'ON_DEMAND' }],
    [
      'no range',
      /timestampRange/,
      {
        PlaybackMode: 'ON_DEMAND',
        HLSFragmentSelector: { FragmentSelectorType: 'SERVER_TIMESTAMP' },
      },
    ],
    [
      'no type of time stamps',
      /fragmentSelectorType/,
      {
        PlaybackMode: 'ON_DEMAND',
        HLSFragmentSelector: {
          TimestampRange: { StartTimestamp: new Date(0), EndTimestamp: new Date(1000) },
        },
      },
    ],
    ['no end', /endTimestamp/, { PlaybackMode: 'ON_DEMAND', ...between(0) }],
    ['an end before the start', /later than/, { PlaybackMode: 'ON_DEMAND', ...between(2, 1) }],
    ['an end at the start', /later than/, { PlaybackMode: 'LIVE_REPLAY', ...between(2, 2) }],
    ['more than a day', /within 24 hours/, { PlaybackMode: 'ON_DEMAND', ...between(0, 86_401) }],
    [
      'an end to come',
      /in the past/,
      { PlaybackMode: 'ON_DEMAND', ...between(now - 60, now + 3600, 'SERVER_TIMESTAMP') },
    ],
    [
      'a start before what is retained',
      /stream head/,
      { PlaybackMode: 'ON_DEMAND', ...between(now - 7200, now - 60, 'SERVER_TIMESTAMP') },
    ],
    ['too short a life', /greater than or equal to 300/, { Expires: 299 }],
    ['too many fragments', /less than or equal to 5000/, { MaxMediaPlaylistFragmentResults: 5001 }],
  ])('InvalidArgumentException: %s', async (_what, message, input) => {
    await withStream(async (service) => {
      await expect(ask(service, { StreamName: 'cam', ...input })).rejects.toMatchObject({
        name: 'InvalidArgumentException',
        message: expect.stringMatching(message),
        $metadata: { httpStatusCode: 400 },
      });
    });
  });

  it('ResourceNotFoundException: no stream, nothing in the range, nothing for 30 seconds', async () => {
    let ahead = 0;
    const clock = { mono: () => performance.now(), wall: () => Date.now() + ahead };
    await withStream(
      async (service) => {
        const missing = { name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 404 } };
        const onDemand = { StreamName: 'cam', PlaybackMode: 'ON_DEMAND' as const };
        await expect(ask(service, { StreamName: 'nobody' })).rejects.toMatchObject(missing);
        await expect(ask(service, { ...onDemand, ...between(0, 0.9) })).rejects.toMatchObject(
          missing,
        );
        await expect(ask(service, { ...onDemand, ...between(3, 9) })).rejects.toMatchObject(
          missing,
        );
        ahead = 25_000;
        await ask(service);
        ahead = 31_000;
        await expect(ask(service)).rejects.toMatchObject({
          ...missing,
          message: expect.stringMatching(/last 30 seconds/),
        });
        await ask(service, { ...onDemand, ...between(0, 2) });
      },
      { clock },
    );
  });

  it('NoDataRetentionException where nothing is retained', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam', 0);
      await expect(ask(service)).rejects.toMatchObject({ name: 'NoDataRetentionException' });
    });
  });

  const invalid = 'InvalidCodecPrivateDataException';
  const missing = 'MissingCodecPrivateDataException';
  const unsupported = 'UnsupportedStreamMediaTypeException';
  it.each<[string, string | undefined, NonNullable<HeaderOptions['codecs']>]>([
    ['H.264', undefined, [AVC]],
    ['H.265', undefined, [HEVC]],
    ['H.264 and AAC', undefined, [AVC, AAC]],
    ['H.265 and AAC as older muxers write it', undefined, [HEVC, { ...AAC, id: 'A_AAC/MPEG4/LC' }]],
    ['VP8', unsupported, [{ id: 'V_VP8' }]],
    ['AAC alone', unsupported, [AAC]],
    ['two videos', unsupported, [AVC, AVC]],
    ['Opus', unsupported, [AVC, { id: 'A_OPUS', private: ASC }]],
    ['three tracks', unsupported, [AVC, AAC, AAC]],
    ['H.264 without', missing, [{ id: AVC.id }]],
    ['H.264 with none', missing, [{ id: AVC.id, private: new Uint8Array() }]],
    ['AAC without', missing, [AVC, { id: AAC.id }]],
    ['H.264 in Annex B', invalid, [{ ...AVC, private: ANNEX_B }]],
    ['H.264 cut off', invalid, [{ ...AVC, private: AVCC.subarray(0, -1) }]],
    ['H.265 without a picture set', invalid, [{ ...HEVC, private: HVCC.subarray(0, -7) }]],
    ['AAC of a reserved frequency', invalid, [AVC, { ...AAC, private: Uint8Array.of(0x16, 0x90) }]],
  ])('%s: %s', async (_what, exception, codecs) => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      await store(service, 'cam', codecs);
      if (exception === undefined) await ask(service);
      else await expect(ask(service)).rejects.toMatchObject({ name: exception });
    });
  });

  it('judges codec private data of any kind without failing', () => {
    const ids = fc.constantFrom(AVC.id, HEVC.id, AAC.id);
    fc.assert(
      fc.property(ids, fc.uint8Array({ maxLength: 60 }), fc.nat(40), (id, noise, cut) => {
        expect(isValidCodecPrivate(id, noise)).toBeTypeOf('boolean');
        for (const { id: own, private: good } of [AVC, HEVC]) {
          if (cut < good.length)
            expect(isValidCodecPrivate(own, good.subarray(0, cut))).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('ClientLimitExceededException: five at once, and one a second from then on', async () => {
    let mono = 0;
    const clock = { mono: () => mono, wall: () => Date.now() };
    const limits = { streamCallRate: 5, hlsSessionRate: 1 };
    await withStream(
      async (service) => {
        const refused = { name: 'ClientLimitExceededException' };
        for (let count = 0; count < 5; count += 1) await ask(service);
        await expect(ask(service)).rejects.toMatchObject(refused);
        for (let second = 0; second < 3; second += 1) {
          mono += 1000;
          await ask(service);
          await expect(ask(service)).rejects.toMatchObject(refused);
        }
      },
      { clock, limits },
    );
  });

  it('needs kinesisvideo:GetHLSStreamingSessionURL, and the key of the stream', async () => {
    const keyFile = await writeKeys(directory, {});
    const policy = (Action: string): Policy => ({
      Statement: { Effect: 'Allow', Action, Resource: '*' },
    });
    const withPolicies = async (...actions: readonly string[]): Promise<unknown> => {
      let outcome: unknown;
      const dataDir = join(directory, 'data');
      const credentials = {
        [CREDENTIALS.accessKeyId]: {
          secretAccessKey: CREDENTIALS.secretAccessKey,
          accountId: '000000000000',
          policies: actions.map(policy),
        },
      };
      await withService({ dataDir, keyFile, credentials }, async (service) => {
        outcome = await ask(service).then(
          () => 'a URL',
          (error: unknown) => error,
        );
      });
      return outcome;
    };
    await withService({ dataDir: join(directory, 'data'), keyFile }, async (service) => {
      await createWithKey(service, 'cam', KEY_ID);
      await store(service, 'cam');
    });
    const denied = { name: 'NotAuthorizedException', $metadata: { httpStatusCode: 401 } };
    expect(await withPolicies('kinesisvideo:GetMedia', 'kms:*')).toMatchObject(denied);
    expect(await withPolicies('kinesisvideo:GetHLS*')).toMatchObject({
      ...denied,
      message: expect.stringMatching(/4500/),
    });
    expect(await withPolicies('kinesisvideo:GetHLSStreamingSessionURL', 'kms:Decrypt')).toBe(
      'a URL',
    );
    for (const [entry, name] of [
      [{ state: 'Disabled' }, 'InvalidArgumentException'],
      [{ state: 'Unavailable' }, 'ServiceUnavailable'],
      [undefined, 'ResourceNotFoundException'],
    ] as const) {
      await writeKeys(directory, entry);
      expect(await withPolicies('*')).toMatchObject({ name });
    }
  });

  it('is written to the log of API calls, its answer and token not', async () => {
    const apiLog = join(directory, 'calls.log');
    let token = '';
    await withStream(
      async (service) => {
        token = (await ask(service)).split('=')[1] ?? '';
        await answerOf(`${service.endpoint}/hls/v1/getMP4InitFragment.mp4?SessionToken=${token}`);
      },
      { apiLog },
    );
    const text = await readFile(apiLog, 'utf8');
    const line = text.split('\n').find((one) => one.includes('"GetHLSStreamingSessionURL"'));
    expect(line).toContain('"requestParameters":{"streamName":"cam"},"responseElements":null');
    expect(text).not.toContain(token);
  });
});
