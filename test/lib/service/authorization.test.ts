import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knownValues } from '../../../lib/service/api/known.js';
import type { Operation } from '../../../lib/service/api/operation.js';
import { OPERATIONS } from '../../../lib/service/api/operations.js';
import { startService, type KvsService, type Policy } from '../../../lib/service/index.js';
import { signedFetch } from '../../support/signed-fetch.js';
import { temporaryDirectory } from './helpers.js';
import { valid, validValue } from './valid-input.js';

/* Policies are asked about the stream that an operation acts on, whatever else a request names:
   every operation with every member that is not its own, allowed and denied. */

const SECRET = 'secretsecretsecretsecret';
const policy = (allowed: string): Policy => ({
  Statement: [
    { Effect: 'Allow', Action: 'kinesisvideo:*', Resource: allowed },
    { Effect: 'Deny', Action: 'kinesisvideo:*', Resource: 'arn:aws:*:stream/vault/*' },
  ],
});
const ACCOUNT = { secretAccessKey: SECRET, accountId: '123456789012' };
const KEYS = {
  ADMIN: ACCOUNT,
  /** May use `camera-1` alone. */
  CAMERA: { ...ACCOUNT, policies: [policy('arn:aws:kinesisvideo:*:*:stream/camera-1/*')] },
  /** May use everything but `vault`. */
  GUEST: { ...ACCOUNT, policies: [policy('*')] },
} as const;

type Member = readonly [name: string, value: (stream: string) => unknown];

/** Members of all operations, those that name a stream with the stream's name or ARN. */
function members(arnOf: (stream: string) => string): readonly Member[] {
  const found = new Map<string, Member>();
  for (const { fields } of OPERATIONS) {
    for (const [name, field] of Object.entries(fields)) {
      found.set(name, [name, (): unknown => validValue(field)]);
    }
  }
  found.set('StreamName', ['StreamName', (stream) => stream]);
  for (const name of ['StreamARN', 'ResourceARN', 'ChannelARN', 'Resource', 'streamName']) {
    found.set(name, [name, arnOf]);
  }
  return [...found.values()];
}

describe('what policies are asked about', () => {
  let service: KvsService | undefined;
  let dataDir = '';
  const arns = new Map<string, string>();
  const arnOf = (stream: string): string => arns.get(stream) ?? '';

  async function send(
    user: keyof typeof KEYS,
    operation: Operation,
    values: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly type: string; readonly body: string }> {
    const keys = { accessKeyId: user, secretAccessKey: SECRET };
    const address = `${service?.endpoint ?? ''}${operation.path}`;
    const answer =
      operation.input === 'json'
        ? await signedFetch(keys, address, values)
        : await signedFetch(keys, address, undefined, headersOf(operation, values));
    return { type: answer.headers.get('x-amzn-errortype') ?? '', body: await answer.text() };
  }

  /** Values with which the operation acts on a stream, and changes nothing of it. */
  function target(operation: Operation, stream: string): Record<string, unknown> {
    const values = valid(operation.fields);
    if ('CurrentVersion' in operation.fields) values['CurrentVersion'] = 'none';
    if ('StreamName' in operation.fields) return { ...values, StreamName: stream };
    if ('StreamARN' in operation.fields) return { ...values, StreamARN: arnOf(stream) };
    return 'ResourceARN' in operation.fields ? { ...values, ResourceARN: arnOf(stream) } : values;
  }

  beforeAll(async () => {
    dataDir = await temporaryDirectory();
    service = await startService({ dataDir, limits: 'off', credentials: KEYS });
    for (const name of ['camera-1', 'vault']) {
      const create = OPERATIONS.find((one) => one.name === 'CreateStream');
      if (create === undefined) throw new Error('no CreateStream');
      const { body } = await send('ADMIN', create, { StreamName: name, DataRetentionInHours: 1 });
      arns.set(name, /arn:[^"]+/.exec(body)?.[0] ?? '');
    }
  });
  afterAll(async () => {
    await service?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it.each(OPERATIONS)('$name, with every member of another', async (operation) => {
    const refusal = operation.errors.includes('NotAuthorizedException')
      ? 'NotAuthorizedException'
      : 'AccessDeniedException';
    const foreign = members(arnOf).filter(([name]) => !(name in operation.fields));
    expect(foreign.length).toBeGreaterThan(20);
    const plain = (await send('CAMERA', operation, target(operation, 'camera-1'))).type;
    for (const [name, value] of foreign) {
      const what = `${operation.name} with ${name}`;
      const denied = { ...target(operation, 'vault'), [name]: value('camera-1') };
      const allowed = { ...target(operation, 'camera-1'), [name]: value('vault') };
      expect((await send('CAMERA', operation, denied)).type, what).toBe(refusal);
      if (operation.actsOn === 'stream') {
        expect((await send('GUEST', operation, denied)).type, what).toBe(refusal);
        expect((await send('CAMERA', operation, allowed)).type, what).toBe(plain);
        expect(plain).not.toBe(refusal);
      } else {
        // The whole account is asked for: one stream's Deny does not count, nor does its Allow.
        expect((await send('CAMERA', operation, allowed)).type, what).toBe(refusal);
        expect((await send('GUEST', operation, allowed)).type, what).toBe('');
      }
    }
  });

  it('makes no stream and lists none by a name that is not acted upon', async () => {
    const admin = { accessKeyId: 'ADMIN', secretAccessKey: SECRET };
    const listed = await signedFetch(admin, `${service?.endpoint ?? ''}/listStreams`, {});
    expect((await listed.text()).match(/"StreamName":"[^"]+"/g)).toEqual([
      '"StreamName":"camera-1"',
      '"StreamName":"vault"',
    ]);
  });
});

function headersOf(
  operation: Operation,
  values: Readonly<Record<string, unknown>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const field = operation.fields[name];
      const known = field !== undefined && 'header' in field ? field.header : undefined;
      const words = /^[A-Z]/.test(name) ? name.replace(/(?<=[a-z])(?=[A-Z])/g, '-') : name;
      const guess = `x-amzn-${words.toLowerCase()}`;
      return [known ?? guess, typeof value === 'string' ? value : JSON.stringify(value)];
    }),
  );
}

describe('knownValues', () => {
  it('drops what the table does not have, at every depth, and keeps wrong types for the message', () => {
    const fields = {
      Name: { type: 'string' },
      Map: { type: 'map', key: { type: 'string' }, value: { type: 'string' } },
      One: {
        type: 'object',
        fields: { In: { type: 'string' }, Wrong: { type: 'list', of: { type: 'string' } } },
      },
      Many: { type: 'list', of: { type: 'object', fields: { In: { type: 'integer' } } } },
    } as const;
    const sent: unknown = JSON.parse(
      '{"name":1,"Name":"n","__proto__":{"x":1},"constructor":1,"Map":{"any":"v","__proto__":"w"},' +
        '"One":{"In":"i","Out":{"In":1},"Wrong":{"In":1}},"Many":[{"In":1,"Out":2},"text",[{"Out":1}]],"Other":{}}',
    );
    if (typeof sent !== 'object' || sent === null) throw new Error('no object');
    expect(JSON.stringify(knownValues(fields, { ...sent }))).toBe(
      '{"Name":"n","Map":{"any":"v","__proto__":"w"},"One":{"In":"i","Wrong":{"In":1}},' +
        '"Many":[{"In":1},"text",[{"Out":1}]]}',
    );
  });
});
