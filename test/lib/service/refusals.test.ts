import * as archived from '@aws-sdk/client-kinesis-video-archived-media';
import * as control from '@aws-sdk/client-kinesis-video';
import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../../lib/service/api/operations.js';
import { UNSERVED } from '../../../lib/service/api/unserved.js';
import { NO_LIMITS } from '../../../lib/service/limits.js';
import { Refusals } from '../../../lib/service/refusals.js';
import { cluster, header } from '../../support/mkv.js';
import { signedFetch } from '../../support/signed-fetch.js';
import { createStream, putMedia, withService } from './helpers.js';

/* What refuses is seen. */

const ONE = { user: 'ann', operation: 'PutMedia', error: 'AccessDeniedException' } as const;

describe('refusals', () => {
  it('are told once a minute for each source, and answered later and later', () => {
    let now = 0;
    const lines: string[] = [];
    const clock = { mono: (): number => now, wall: (): number => now };
    const refusals = new Refusals(
      clock,
      (level, message, detail) => void lines.push(`${level} ${message} ${JSON.stringify(detail)}`),
      2000,
    );
    const delays = Array.from({ length: 14 }, () => refusals.add({ ...ONE, address: '10.0.0.1' }));
    expect(delays).toEqual([0, 0, 0, 0, 0, 50, 100, 200, 400, 800, 1600, 2000, 2000, 2000]);
    expect(refusals.add({ ...ONE, address: '10.0.0.2' })).toBe(0);
    const who = '{"user":"ann","operation":"PutMedia","error":"AccessDeniedException"}';
    expect(lines).toEqual([
      `warn refused 10.0.0.1 once ${who}`,
      `warn refused 10.0.0.2 once ${who}`,
    ]);
    now = 60_000;
    refusals.sweep();
    expect(lines.slice(2)).toEqual([`warn refused 10.0.0.1 13 times in the last minute ${who}`]);
    // A quiet minute, and all is forgotten.
    expect(refusals.add({ ...ONE, address: '10.0.0.1' })).toBe(0);
  });

  it('hold no more sources than a bound', () => {
    let lines = 0;
    const clock = { mono: (): number => 0, wall: (): number => 0 };
    const refusals = new Refusals(clock, () => void (lines += 1), 0);
    for (let at = 0; at < 5000; at += 1) refusals.add({ ...ONE, address: `10.0.${String(at)}` });
    expect(lines).toBe(1001);
  });

  it('are in the log of the service, and slow down who is refused', async () => {
    const lines: string[] = [];
    const credentials = {
      AKIACAM: { secretAccessKey: 's', accountId: '123456789012', userName: 'cam', policies: [] },
    };
    const limits = { ...NO_LIMITS, refusalDelay: 400 };
    const log = (level: string, message: string, detail?: object): void =>
      void lines.push(`${level} ${message} ${JSON.stringify(detail)}`);
    await withService({ credentials, limits, log }, async ({ endpoint }) => {
      const began = performance.now();
      for (let call = 0; call < 9; call += 1) {
        const keys = { accessKeyId: 'AKIACAM', secretAccessKey: 's' };
        const answer = await signedFetch(keys, `${endpoint}/listStreams`, {});
        expect(answer.status).toBe(400);
        await answer.body?.cancel();
      }
      expect(performance.now() - began).toBeGreaterThan(740);
    });
    expect(lines.filter((line) => line.includes('refused'))).toEqual([
      'warn refused 127.0.0.1 once {"user":"cam","operation":"ListStreams","error":"AccessDeniedException"}',
    ]);
  });
});

describe('PutMedia', () => {
  it('names the address of a client whose media it refuses, or that is silent', async () => {
    const lines: string[] = [];
    const log = (level: string, message: string, detail?: object): void =>
      void lines.push(`${level} ${message} ${JSON.stringify(detail)}`);
    await withService({ log, limits: { ...NO_LIMITS, idleClose: 200 } }, async (service) => {
      await createStream(service, 'cam');
      const bad = putMedia(service, 'cam');
      bad.send(header(), cluster(0, [{ time: 0, track: 9 }]));
      await bad.untilEnded();
      const silent = putMedia(service, 'cam');
      await silent.untilEnded();
      bad.destroy();
      silent.destroy();
    });
    expect(lines.find((line) => line.includes('PutMedia error 4010'))).toContain(
      '"client":"127.0.0.1"',
    );
    const told = lines.find((line) => line.includes('nothing came'));
    expect(told).toContain('"stream":"cam"');
    expect(told).toContain('"client":"127.0.0.1"');
  });
});

describe("operations of today's model", () => {
  const names = [...Object.keys(control), ...Object.keys(archived)].flatMap(
    (name) => /^(\w+)Command$/.exec(name)?.[1] ?? [],
  );

  it('are all served or known by name', () => {
    const served = OPERATIONS.map(({ name }) => String(name));
    const unserved = [...UNSERVED.values()];
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name) => ![...served, ...unserved].includes(name))).toEqual([]);
    expect(unserved.filter((name) => served.includes(name))).toEqual([]);
  });

  it('answer 501 with their name and the page that lists them, where they are not served', async () => {
    await withService({}, async ({ endpoint }) => {
      for (const [path, name] of UNSERVED) {
        const answer = await fetch(`${endpoint}${path}`, { method: 'POST', body: '{}' });
        expect(answer.status).toBe(501);
        expect(answer.headers.get('x-amzn-errortype')).toBe('NotImplementedException');
        expect(await answer.text()).toContain(
          `${name} is not served here; see docs/service-api.md`,
        );
      }
    });
  });
});
