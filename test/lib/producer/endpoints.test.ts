// Which hosts a producer asks for, without leaving this machine: the agent's resolver writes the
// names down and resolves none of them.
import { Agent } from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KinesisVideoProducer, type ProducerOptions } from '../../../lib/index.js';
import { CREDENTIALS } from '../../support/upload.js';

const VARIABLES = [
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ENDPOINT_URL_KINESIS_VIDEO',
  'AWS_USE_FIPS_ENDPOINT',
  'AWS_USE_DUALSTACK_ENDPOINT',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
] as const;

describe('the host of the control plane', () => {
  const before = new Map<string, string | undefined>();

  beforeEach(() => {
    for (const name of VARIABLES) {
      before.set(name, process.env[name]);
      Reflect.deleteProperty(process.env, name);
    }
    // No settings of whoever runs the tests.
    process.env['AWS_CONFIG_FILE'] = '/dev/null';
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = '/dev/null';
  });

  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  /** The first host that a producer's stream asks for. */
  async function hostOf(options: ProducerOptions): Promise<string> {
    let found: (host: string) => void = () => undefined;
    const host = new Promise<string>((resolve) => {
      found = resolve;
    });
    const httpsAgent = new Agent({
      lookup: (name, _options, done) => {
        found(name);
        done(Object.assign(new Error(`no address of ${name}`), { code: 'ENOTFOUND' }), []);
      },
    });
    const producer = await KinesisVideoProducer.create({
      credentials: CREDENTIALS,
      httpsAgent,
      ...options,
    });
    await producer.createStream({ streamName: 'camera' });
    const name = await host;
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
    return name;
  }

  it.each([
    [{ region: 'eu-central-1' }, 'kinesisvideo.eu-central-1.amazonaws.com'],
    [
      { region: 'us-gov-west-1', useFipsEndpoint: true },
      'kinesisvideo-fips.us-gov-west-1.amazonaws.com',
    ],
    [{ region: 'us-west-2', useFipsEndpoint: true }, 'kinesisvideo-fips.us-west-2.amazonaws.com'],
    [{ region: 'us-west-2', useDualstackEndpoint: true }, 'kinesisvideo.us-west-2.api.aws'],
    [
      { region: 'us-west-2', useFipsEndpoint: true, useDualstackEndpoint: true },
      'kinesisvideo-fips.us-west-2.api.aws',
    ],
    [{ region: 'cn-north-1' }, 'kinesisvideo.cn-north-1.amazonaws.com.cn'],
  ])('is of the options %j', async (options, host) => {
    expect(await hostOf(options)).toBe(host);
  });

  it.each([
    [{ AWS_REGION: 'eu-west-1' }, 'kinesisvideo.eu-west-1.amazonaws.com'],
    [{ AWS_DEFAULT_REGION: 'eu-west-3' }, 'kinesisvideo.eu-west-3.amazonaws.com'],
    [
      { AWS_REGION: 'us-west-2', AWS_USE_FIPS_ENDPOINT: 'true' },
      'kinesisvideo-fips.us-west-2.amazonaws.com',
    ],
    [
      { AWS_REGION: 'us-west-2', AWS_USE_DUALSTACK_ENDPOINT: 'true' },
      'kinesisvideo.us-west-2.api.aws',
    ],
    [
      {
        AWS_REGION: 'us-west-2',
        AWS_ENDPOINT_URL_KINESIS_VIDEO: 'https://kinesisvideo.example:8443',
      },
      'kinesisvideo.example',
    ],
  ])('is of the environment %j', async (environment, host) => {
    Object.assign(process.env, environment);
    expect(await hostOf({})).toBe(host);
  });

  it('is of the options where they and the environment differ', async () => {
    Object.assign(process.env, { AWS_REGION: 'eu-west-1', AWS_USE_FIPS_ENDPOINT: 'true' });
    const options = { region: 'us-west-2', useFipsEndpoint: false };
    expect(await hostOf(options)).toBe('kinesisvideo.us-west-2.amazonaws.com');
  });

  it.each([
    [{ useFipsEndpoint: true }, {}, /useFipsEndpoint.*endpoint/],
    [{ useDualstackEndpoint: true }, {}, /useDualstackEndpoint.*endpoint/],
    [{}, { AWS_USE_FIPS_ENDPOINT: 'true' }, /AWS_USE_FIPS_ENDPOINT.*endpoint/],
    [{}, { AWS_USE_DUALSTACK_ENDPOINT: 'true' }, /AWS_USE_DUALSTACK_ENDPOINT.*endpoint/],
  ])('is not both given and of %j or %j', async (options, environment, text) => {
    Object.assign(process.env, environment);
    const creating = KinesisVideoProducer.create({
      endpoint: 'https://kinesisvideo.example',
      credentials: CREDENTIALS,
      ...options,
    });
    await expect(creating).rejects.toMatchObject({ status: 'STATUS_INVALID_ARG' });
    await expect(creating).rejects.toThrowError(text);
  });
});
