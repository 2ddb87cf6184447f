import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeStreamCommand } from '@aws-sdk/client-kinesis-video';
import {
  GetMediaForFragmentListCommand,
  KinesisVideoArchivedMediaClient,
  ListFragmentsCommand,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { GetMediaCommand } from '@aws-sdk/client-kinesis-video-media';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readMedia } from '../../../lib/parser/index.js';
import {
  fsck,
  rotateKey,
  type Policy,
  type ServiceCredentials,
} from '../../../lib/service/index.js';
import { signPutMedia } from '../../../lib/transport/sign.js';
import { cluster, header } from '../../support/mkv.js';
import { RawPutMedia } from '../../support/put-media.js';
import {
  CREDENTIALS,
  bytesOf,
  controlClient,
  createStream,
  getMedia,
  mediaClient,
  putMedia,
  temporaryDirectory,
  withService,
  type Endpoint,
} from './helpers.js';
import {
  KEY_ID,
  NEW,
  OLD,
  createWithKey,
  openPut,
  putOne,
  readToEnd,
  writeKeys,
  STORED,
} from './keys.js';

const ACCOUNT = '123456789012';
const ARN = `arn:aws:kms:us-west-2:${ACCOUNT}:key/${KEY_ID}`;
const ALIAS_ARN = `arn:aws:kms:us-west-2:${ACCOUNT}:alias/cameras`;
/** Of an open service's streams. */
const OWN = 'arn:aws:kms:us-west-2:000000000000';
const DEFAULT_ARN = `${OWN}:alias/aws/kinesisvideo`;

let directory = '';
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** The tags in which GetMedia says why it ended. */
async function errorsIn(media: Uint8Array): Promise<string[]> {
  const found: string[] = [];
  for await (const event of readMedia([media])) {
    if (event.kind === 'error') found.push(event.error.message);
  }
  return found;
}

async function listed(service: Endpoint, stream: string): Promise<string> {
  const client = new KinesisVideoArchivedMediaClient({
    endpoint: service.endpoint,
    region: 'us-west-2',
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
  const { Fragments = [] } = await client.send(new ListFragmentsCommand({ StreamName: stream }));
  const numbers = Fragments.map(({ FragmentNumber }) => FragmentNumber ?? '');
  const answer = await client.send(
    new GetMediaForFragmentListCommand({ StreamName: stream, Fragments: numbers }),
  );
  const parts: Uint8Array[] = [];
  for await (const part of bytesOf(answer.Payload)) parts.push(part);
  client.destroy();
  return Buffer.concat(parts).toString('latin1');
}

interface Refusal {
  readonly id: number;
  readonly why: string;
  readonly text: string;
  readonly entry?: object | undefined;
  readonly kmsKeyId?: string;
}

const REFUSALS: readonly Refusal[] = [
  { id: 4501, why: 'a disabled key', text: 'is disabled', entry: { state: 'Disabled' } },
  { id: 4502, why: 'an id that is none', text: 'Validation error', kmsKeyId: 'not a key!' },
  { id: 4502, why: 'another region', text: 'Validation', kmsKeyId: ARN.replace('west', 'east') },
  { id: 4502, why: 'no key ARN', text: 'Validation', kmsKeyId: ARN.replace('key/', 'grant/') },
  { id: 4503, why: 'a key out of reach', text: 'unavailable', entry: { state: 'Unavailable' } },
  { id: 4504, why: 'a signing key', text: 'Invalid usage', entry: { usage: 'SIGN_VERIFY' } },
  { id: 4505, why: 'a doomed key', text: 'Invalid state', entry: { state: 'PendingDeletion' } },
  { id: 4505, why: 'an empty key', text: 'Invalid state', entry: { state: 'PendingImport' } },
  { id: 4506, why: 'a missing key', text: 'Unable to find', entry: undefined },
  { id: 4506, why: 'a missing alias', text: 'Unable to find', kmsKeyId: 'alias/nobody' },
  { id: 4506, why: 'the key of another', text: 'Unable', entry: { accountId: ACCOUNT } },
];

describe('a stream whose key cannot be used', () => {
  it.each(REFUSALS)('$id: $why', async ({ id, text, kmsKeyId = KEY_ID, ...rest }) => {
    const keyFile = await writeKeys(directory, 'entry' in rest ? rest.entry : {});
    await withService({ keyFile }, async (service) => {
      // Made, since the key is not touched before media is put or read.
      await createWithKey(service, 'cam', kmsKeyId);
      expect(await putOne(service, 'cam', 0)).toEqual([`ERROR ${String(id)}`]);
      const [error, ...more] = await errorsIn(await readToEnd(service, 'cam'));
      expect(more).toEqual([]);
      expect(error).toContain(text);
      expect(error).toContain(String(id));
      // Others are not concerned.
      await createStream(service, 'other');
      expect(await putOne(service, 'other', 0)).toEqual(STORED);
    });
  });

  it('is told so for each listed fragment, which ListFragments still lists', async () => {
    const keyFile = await writeKeys(directory, {});
    await withService({ keyFile }, async (service) => {
      await createWithKey(service, 'cam', KEY_ID);
      await putOne(service, 'cam', 0);
      expect(await listed(service, 'cam')).not.toContain('EXCEPTION');
      await writeKeys(directory, { state: 'Disabled' });
      const media = await listed(service, 'cam');
      expect(media).toMatch(/AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE.{1,6}4501/s);
      expect(media).toContain("Stream's KMS key is disabled");
    });
  });

  it('4502 where the version that wrapped the data key is another one now, 4503 where it is gone', async () => {
    const keyFile = await writeKeys(directory, {});
    await withService({ keyFile }, async (service) => {
      await createWithKey(service, 'cam', KEY_ID);
      expect(await putOne(service, 'cam', 0)).toEqual(STORED);
      await writeKeys(directory, { versions: { 1: NEW } });
      expect(await putOne(service, 'cam', 2000)).toEqual(['ERROR 4502']);
      await writeKeys(directory, { versions: { 2: NEW } });
      expect(await putOne(service, 'cam', 2000)).toEqual(['ERROR 4503']);
      await writeKeys(directory, { versions: { 1: OLD } });
      expect(await putOne(service, 'cam', 2000)).toContain('PERSISTED 2000');
    });
  });

  it('4503 while the key file is missing, bad or open to others, and no longer', async () => {
    const keyFile = await writeKeys(directory, {});
    const lines: string[] = [];
    const log = (level: string, message: string): void => {
      if (level === 'error') lines.push(message);
    };
    await withService({ keyFile, log }, async (service) => {
      await createWithKey(service, 'cam', KEY_ID);
      const harms = [
        () => rm(keyFile),
        () => writeFile(keyFile, '{', { mode: 0o600 }),
        () => chmod(keyFile, 0o640),
      ];
      for (const [round, harm] of harms.entries()) {
        await harm();
        expect(await putOne(service, 'cam', 0)).toEqual(['ERROR 4503']);
        expect(await putOne(service, 'cam', 0)).toEqual(['ERROR 4503']);
        expect(lines).toHaveLength(round + 1);
        await rm(keyFile, { force: true });
        await writeKeys(directory, {});
        expect(await putOne(service, 'cam', 0)).toEqual(STORED);
      }
    });
  });
});

describe('a caller that may not use the key', () => {
  const media: Policy = {
    Statement: { Effect: 'Allow', Action: 'kinesisvideo:*', Resource: '*' },
  };
  const may = (Action: string): Policy => ({
    Statement: { Effect: 'Allow', Action, Resource: ARN },
  });
  const keys = (...policies: readonly Policy[]): ServiceCredentials => ({
    [CREDENTIALS.accessKeyId]: {
      secretAccessKey: CREDENTIALS.secretAccessKey,
      accountId: ACCOUNT,
      policies: [media, ...policies],
    },
  });

  async function signedPut({ endpoint }: Endpoint, stream: string): Promise<readonly string[]> {
    const now = Date.now();
    const request = {
      endpoint,
      region: 'us-west-2',
      credentials: CREDENTIALS,
      streamName: stream,
      absolute: true,
      acks: true,
      start: now,
      connectTimeout: 5000,
    };
    const { url, headers } = await signPutMedia(request, 'test', now);
    const { host: _host, ...others } = headers;
    const put = new RawPutMedia(endpoint, { ...others, Host: url.host });
    put.send(header(), cluster(0, [{ time: 0 }]));
    put.end();
    await put.untilEnded();
    put.destroy();
    return put.summary();
  }

  it.each([
    { name: 'neither', policies: [], put: ['ERROR 4500'], read: 4500 },
    {
      name: 'kms:GenerateDataKey',
      policies: [may('kms:GenerateDataKey')],
      put: STORED,
      read: 4500,
    },
    { name: 'kms:Decrypt', policies: [may('kms:Decrypt')], put: ['ERROR 4500'], read: 0 },
    { name: 'both', policies: [may('kms:*')], put: STORED, read: 0 },
  ])('$name: put $put, read $read', async ({ policies, put, read }) => {
    const keyFile = await writeKeys(directory, {});
    await withService({ keyFile, credentials: keys(...policies) }, async (service) => {
      await createWithKey(service, 'cam', KEY_ID);
      expect(await signedPut(service, 'cam')).toEqual(put);
      if (read === 0 && put === STORED) {
        const bytes = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 1);
        expect(await errorsIn(bytes)).toEqual([]);
      } else if (read !== 0) {
        const errors = await errorsIn(await readToEnd(service, 'cam'));
        expect(errors).toEqual([expect.stringContaining(String(read))]);
      }
      // The default key asks for no permission.
      await createStream(service, 'plain');
      expect(await signedPut(service, 'plain')).toEqual(STORED);
    });
  });
});

describe('a key that can be used', () => {
  it.each([
    ['its id', KEY_ID, `${OWN}:key/${KEY_ID}`],
    ['its ARN', ARN, ARN],
    ['an alias', 'alias/cameras', `${OWN}:alias/cameras`],
    ['the ARN of an alias', ALIAS_ARN, ALIAS_ARN],
    ['nothing', undefined, DEFAULT_ARN],
    ['the default key', 'aws/kinesisvideo', DEFAULT_ARN],
    ['the default alias', 'alias/aws/kinesisvideo', DEFAULT_ARN],
  ])('is found by %s, and told as an ARN', async (_what, kmsKeyId, told) => {
    const keyFile = await writeKeys(directory, { aliases: ['alias/cameras'] });
    await withService({ keyFile }, async (service) => {
      await createWithKey(service, 'cam', kmsKeyId);
      expect(await putOne(service, 'cam', 0)).toEqual(STORED);
      const client = controlClient(service);
      const { StreamInfo } = await client.send(new DescribeStreamCommand({ StreamName: 'cam' }));
      client.destroy();
      expect(StreamInfo?.KmsKeyId).toBe(told);
    });
  });

  it('is what DescribeStream says and UpdateStream cannot change', async () => {
    const keyFile = await writeKeys(directory, {});
    await withService({ keyFile }, async (service) => {
      await createWithKey(service, 'cam', KEY_ID);
      const client = controlClient(service);
      const describeStream = async () =>
        (await client.send(new DescribeStreamCommand({ StreamName: 'cam' }))).StreamInfo;
      const answer = await fetch(`${service.endpoint}/updateStream`, {
        method: 'POST',
        body: JSON.stringify({
          StreamName: 'cam',
          CurrentVersion: (await describeStream())?.Version,
          KmsKeyId: 'aws/kinesisvideo',
        }),
      });
      expect(answer.status).toBe(200);
      expect((await describeStream())?.KmsKeyId).toBe(`${OWN}:key/${KEY_ID}`);
      client.destroy();
    });
  });

  it('ends open connections at their next fragment once it is disabled', async () => {
    const keyFile = await writeKeys(directory, {});
    await withService({ keyFile }, async (service) => {
      await createWithKey(service, 'cam', KEY_ID);
      const put = await openPut(service, 'cam');
      const reading = readToEnd(service, 'cam');
      // The reader has got what was there when a third fragment comes through.
      put.send(cluster(4000, [{ time: 0 }]));
      await put.until((self) => self.count('PERSISTED') === 2);
      await writeKeys(directory, { state: 'Disabled' });
      // Any call looks at the file; an idle service looks every ten seconds.
      await createWithKey(service, 'other', KEY_ID);
      expect(await putOne(service, 'other', 0)).toEqual(['ERROR 4501']);
      put.send(cluster(6000, [{ time: 0 }]));
      await put.untilEnded();
      expect(put.summary()).toContain('PERSISTED 4000');
      expect(put.summary()).toContain('ERROR 4501');
      expect(put.summary()).not.toContain('BUFFERING 6000');
      put.destroy();
      expect(await errorsIn(await reading)).toEqual([expect.stringContaining('4501')]);
    });
  });

  it('is rotated: old media stays readable, and the old version is needed no more once written to', async () => {
    const keyFile = await writeKeys(directory, {});
    const dataDir = join(directory, 'data');
    await withService({ keyFile, dataDir }, async (service) => {
      await createWithKey(service, 'cam', KEY_ID);
      await putOne(service, 'cam', 0, Buffer.from('first'));
      expect(await rotateKey(keyFile, KEY_ID)).toBe(2);
      const before = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 1);
      expect(before.includes('first')).toBe(true);
      await putOne(service, 'cam', 2000, Buffer.from('second'));
    });
    const file: unknown = JSON.parse(await readFile(keyFile, 'utf8'));
    const latest = JSON.stringify(file).replace(`"1":"${OLD}",`, '');
    expect(latest).not.toContain(OLD);
    await writeFile(keyFile, latest);
    await withService({ keyFile, dataDir }, async (service) => {
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 2);
      expect([media.includes('first'), media.includes('second')]).toEqual([true, true]);
    });
    expect(await fsck(dataDir, { keyFile })).toMatchObject({ fragments: 2, faults: [] });
  });

  it('gives two first connections of a stream the same data key', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const puts = [putMedia(service, 'cam'), putMedia(service, 'cam')];
      for (const [at, put] of puts.entries()) put.send(header(), cluster(at * 2000, [{ time: 0 }]));
      for (const put of puts) put.end();
      await Promise.all(puts.map((put) => put.untilEnded()));
      const stored = puts.reduce((sum, put) => sum + put.count('PERSISTED'), 0);
      for (const put of puts) put.destroy();
      expect(stored).toBeGreaterThan(0);
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, stored);
      expect(await errorsIn(media)).toEqual([]);
    });
  });

  it('is not needed by a reader that waits on an empty stream for what is sealed later', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const client = mediaClient(service);
      const answer = await client.send(
        new GetMediaCommand({ StreamName: 'cam', StartSelector: { StartSelectorType: 'NOW' } }),
      );
      await putOne(service, 'cam', 0, Buffer.from('later'));
      let media = '';
      for await (const part of bytesOf(answer.Payload)) {
        media += Buffer.from(part).toString('latin1');
        if (media.includes('CONTINUATION_TOKEN')) break;
      }
      expect(media).toContain('later');
      client.destroy();
    });
  });
});
