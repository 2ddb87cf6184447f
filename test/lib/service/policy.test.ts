import { readFile } from 'node:fs/promises';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import {
  CreateStreamCommand,
  DescribeStreamCommand,
  KinesisVideoClient,
  ListStreamsCommand,
} from '@aws-sdk/client-kinesis-video';
import { describe, expect, it } from 'vitest';
import { parseCredentialsFile } from '../../../lib/cli/credentials-file.js';
import { parsePolicy, type Policy, type PolicyStatement } from '../../../lib/service/index.js';
import { OPERATIONS } from '../../../lib/service/api/operations.js';
import { authorizePage } from '../../../lib/service/policy/authorize.js';
import { TrustedProxies } from '../../../lib/service/http/source.js';
import { decide, matches } from '../../../lib/service/policy/evaluate.js';
import { withService, type Endpoint } from './helpers.js';

const ARN = 'arn:aws:kinesisvideo:us-west-2:123456789012:stream/cam/1795408066856';
const GET: PolicyStatement = { Effect: 'Allow', Action: 'kinesisvideo:Get*', Resource: '*' };

function ask(
  statement: PolicyStatement | readonly PolicyStatement[],
  context: Readonly<Record<string, string>> = {},
  action = 'kinesisvideo:GetMedia',
): string {
  const policy = parsePolicy({ Version: '2012-10-17', Statement: statement }, 'test');
  return decide([policy], { action, resource: ARN, context: new Map(Object.entries(context)) });
}

describe('decide', () => {
  it('allows what is allowed and nothing else', () => {
    expect(ask(GET)).toBe('allowed');
    expect(ask(GET, {}, 'kinesisvideo:PutMedia')).toBe('notAllowed');
    expect(ask({ ...GET, Action: 'KinesisVideo:getmedia' })).toBe('allowed');
    expect(ask({ ...GET, Resource: ARN })).toBe('allowed');
    expect(ask({ ...GET, Resource: ARN.replace('cam', 'Cam') })).toBe('notAllowed');
    expect(ask({ ...GET, Resource: ['x', 'arn:aws:kinesisvideo:*:*:stream/c?m/*'] })).toBe(
      'allowed',
    );
  });

  it('puts an explicit deny above every allow', () => {
    const deny: PolicyStatement = { Effect: 'Deny', Action: '*', Resource: '*/cam/*' };
    expect(ask([GET, deny])).toBe('denied');
    expect(ask([deny, GET])).toBe('denied');
    expect(ask([GET, { ...deny, Resource: '*/door/*' }])).toBe('allowed');
  });

  it.each([
    ['StringEquals', 'aws:username', 'ann', 'Ann'],
    ['StringLike', 'aws:username', 'a*', 'A*'],
    ['StringNotLike', 'aws:username', 'b*', 'a*'],
    ['StringNotEquals', 'aws:username', 'bob', 'ann'],
    ['StringEquals', 'aws:ResourceTag/Room', 'hall', 'attic'],
    ['IpAddress', 'aws:SourceIp', '10.1.0.0/16', '10.2.0.0/16'],
    ['IpAddress', 'AWS:SourceIP', '10.1.2.3', 'fe80::/10'],
    ['NotIpAddress', 'aws:SourceIp', '192.168.0.0/16', '10.0.0.0/8'],
    ['Bool', 'aws:SecureTransport', 'false', 'true'],
  ])('%s of %s', (operator, key, good, bad) => {
    const context = {
      'aws:username': 'ann',
      'aws:resourcetag/room': 'hall',
      'aws:sourceip': '10.1.2.3',
      'aws:securetransport': 'false',
    };
    const test = (value: string | string[]): string =>
      ask({ ...GET, Condition: { [operator]: { [key]: value } } }, context);
    expect(test(good)).toBe('allowed');
    expect(test(bad)).toBe('notAllowed');
    if (!operator.includes('Not')) expect(test([bad, good])).toBe('allowed');
    const missing = ask({ ...GET, Condition: { [operator]: { [key]: good } } });
    expect(missing).toBe(operator.includes('Not') ? 'allowed' : 'notAllowed');
  });

  it.each([
    ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'axxbyy', false],
    ['*', '', true],
    ['?', '', false],
    ['a**', 'a', true],
    ['a.c', 'abc', false],
    ['*aab', 'aaaab', true],
  ])('matches(%s, %s) is %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it('is not slow on any pattern', () => {
    const began = performance.now();
    expect(matches('*a'.repeat(100) + 'b', 'a'.repeat(10_000))).toBe(false);
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

describe('parsePolicy', () => {
  it.each([
    ['NotAction', { Effect: 'Allow', NotAction: 'x', Resource: '*' }, /'NotAction'/],
    ['an effect', { ...GET, Effect: 'allow' }, /Effect is not Allow or Deny/],
    ['no resource', { Effect: 'Allow', Action: '*' }, /Resource is not/],
    [
      'a variable in a resource',
      { ...GET, Resource: ['arn:aws:kinesisvideo:*:*:stream/${aws:username}/*'] },
      /variable '\$\{aws:username\}'/,
    ],
    [
      'a variable in a condition',
      { ...GET, Condition: { StringEquals: { 'aws:ResourceTag/owner': '${aws:username}' } } },
      /variable/,
    ],
    ['an operator', { ...GET, Condition: { DateLessThan: {} } }, /operator DateLessThan/],
    ['a key', { ...GET, Condition: { Bool: { 'aws:MFA': 'true' } } }, /key aws:MFA is not known/],
    ['a range', { ...GET, Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/33' } } }, /no IP/],
  ])('refuses what it cannot obey: %s', (_what, Statement, words) => {
    expect(() => parsePolicy({ Statement }, 'AKIAONE')).toThrow(/policy of AKIAONE/);
    expect(() => parsePolicy({ Statement }, 'AKIAONE')).toThrow(words);
  });

  it('comes from the credentials file', () => {
    const text = (policies: unknown): string =>
      JSON.stringify({ AKIAONE: { secretAccessKey: 's', policies } });
    const keys = parseCredentialsFile(text([{ Statement: GET }]), 'keys.json');
    expect(keys['AKIAONE']?.policies).toEqual([{ Statement: [GET] }]);
    expect(() => parseCredentialsFile(text([{ Statement: {} }]), 'keys.json')).toThrow(
      /policy of AKIAONE in keys.json: Effect/,
    );
    expect(() => parseCredentialsFile(text('all'), 'keys.json')).toThrow(/not a list/);
  });
});

describe('examples', () => {
  const decision = (policy: unknown, operation: string, resource = ARN): string =>
    decide([parsePolicy(policy, 'guide')], {
      ...{ action: `kinesisvideo:${operation}`, resource, context: new Map() },
    });
  const one = (Action: string | string[], Resource = '*'): object => ({
    Statement: [{ Effect: 'Allow', Action, Resource }],
  });

  it("the guide's four do what it says of them", () => {
    const own = 'arn:aws:kinesisvideo:us-west-2:123456789012:stream/your_stream/0123456789012';
    const policies = {
      read: one(['kinesisvideo:Describe*', 'kinesisvideo:Get*', 'kinesisvideo:List*']),
      camera: one(['kinesisvideo:CreateStream', 'kinesisvideo:PutMedia']),
      all: one('kinesisvideo:*'),
      device: one('kinesisvideo:PutMedia', own),
    };
    const allowed = (policy: object, resource?: string): string[] =>
      OPERATIONS.map(({ name }) => name).filter(
        (name) => decision(policy, name, resource) === 'allowed',
      );
    const names = OPERATIONS.map(({ name }) => name);
    expect(allowed(policies.read)).toEqual(
      names.filter((name) => /^(Describe|Get|List)/.test(name)),
    );
    expect(allowed(policies.camera)).toEqual(['CreateStream', 'PutMedia']);
    expect(allowed(policies.all)).toEqual(names);
    expect(allowed(policies.device, own)).toEqual(['PutMedia']);
    expect(allowed(policies.device)).toEqual([]);
  });

  it('of docs/service-running.md is a credentials file that does what the page says', async () => {
    const page = new URL('../../../docs/service-running.md', import.meta.url);
    const text = /```json\n(.*?)```/s.exec(await readFile(page, 'utf8'))?.[1] ?? '';
    const { AKIAADMIN, AKIACAMERA } = parseCredentialsFile(text, 'page');
    expect(AKIAADMIN?.policies).toBeUndefined();
    const camera = AKIACAMERA?.policies?.[0];
    const arn = ARN.replace('/cam/', '/camera-1/');
    expect(decision(camera, 'PutMedia', arn)).toBe('allowed');
    expect(decision(camera, 'PutMedia')).toBe('notAllowed');
    expect(decision(camera, 'DeleteStream', arn)).toBe('notAllowed');
  });
});

describe('authorizePage', () => {
  it('asks for the action that CloudWatch has', () => {
    const caller = { account: '123456789012', user: 'ann', accessKeyId: 'AKIAONE' };
    const read = (policies: readonly Policy[] | undefined): void => {
      authorizePage(
        { ...caller, policies },
        new TrustedProxies([]).sourceOf(new IncomingMessage(new Socket())),
      );
    };
    const metrics = { Effect: 'Allow', Action: 'cloudwatch:GetMetricData', Resource: '*' } as const;
    read(undefined);
    read([{ Statement: metrics }]);
    expect(() => {
      read([{ Statement: GET }]);
    }).toThrow(/not authorized to perform: cloudwatch:GetMetricData/);
  });
});

describe('a service with policies', () => {
  const client = ({ endpoint }: Endpoint, accessKeyId: string): KinesisVideoClient =>
    new KinesisVideoClient({
      endpoint,
      region: 'us-west-2',
      credentials: { accessKeyId, secretAccessKey: 'secret' },
      maxAttempts: 1,
    });

  it('lets each user do what the policies say', async () => {
    const camera: Policy = {
      Statement: {
        Effect: 'Allow',
        Action: ['kinesisvideo:CreateStream', 'kinesisvideo:DescribeStream'],
        Resource: 'arn:aws:kinesisvideo:us-west-2:123456789012:stream/cam-*/*',
      },
    };
    const secret = 'secret';
    const account = { secretAccessKey: secret, accountId: '123456789012' };
    const credentials = {
      ADMIN: account,
      CAMERA: { ...account, userName: 'camera', policies: [camera] },
      NOBODY: { ...account, policies: [] },
    };
    await withService({ credentials }, async (service) => {
      const [admin, cam, nobody] = ['ADMIN', 'CAMERA', 'NOBODY'].map((id) => client(service, id));
      await admin?.send(new CreateStreamCommand({ StreamName: 'door' }));
      await cam?.send(new CreateStreamCommand({ StreamName: 'cam-1' }));
      const found = await cam?.send(new DescribeStreamCommand({ StreamName: 'cam-1' }));
      expect(found?.StreamInfo?.StreamName).toBe('cam-1');
      await expect(
        cam?.send(new DescribeStreamCommand({ StreamARN: found?.StreamInfo?.StreamARN })),
      ).resolves.toBeDefined();
      await expect(
        cam?.send(new DescribeStreamCommand({ StreamName: 'door' })),
      ).rejects.toMatchObject({
        name: 'NotAuthorizedException',
        $metadata: { httpStatusCode: 401 },
        message: expect.stringMatching(/user\/camera .* kinesisvideo:DescribeStream on .*door/),
      });
      await expect(cam?.send(new CreateStreamCommand({ StreamName: 'x' }))).rejects.toMatchObject({
        name: 'AccessDeniedException',
      });
      await expect(cam?.send(new ListStreamsCommand({}))).rejects.toMatchObject({
        name: 'AccessDeniedException',
      });
      await expect(
        nobody?.send(new DescribeStreamCommand({ StreamName: 'cam-1' })),
      ).rejects.toMatchObject({ name: 'NotAuthorizedException' });
      const all = await admin?.send(new ListStreamsCommand({}));
      expect(all?.StreamInfoList?.map(({ StreamName }) => StreamName)).toEqual(['cam-1', 'door']);
      for (const one of [admin, cam, nobody]) one?.destroy();
    });
  });
});
