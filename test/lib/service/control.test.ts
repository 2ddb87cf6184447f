import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  GetDataEndpointCommand,
  ListStreamsCommand,
  ListTagsForResourceCommand,
  ListTagsForStreamCommand,
  TagResourceCommand,
  TagStreamCommand,
  UntagResourceCommand,
  UntagStreamCommand,
  UpdateDataRetentionCommand,
  UpdateStreamCommand,
  type KinesisVideoClient,
} from '@aws-sdk/client-kinesis-video';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startService } from '../../../lib/service/index.js';
import { controlClient, createStream, temporaryDirectory, withService } from './helpers.js';

async function withControl(
  use: (client: KinesisVideoClient, endpoint: string) => Promise<void>,
  limits: Parameters<typeof withService>[0]['limits'] = 'off',
): Promise<void> {
  await withService({ limits }, async (service) => {
    const client = controlClient(service);
    try {
      await use(client, service.endpoint);
    } finally {
      client.destroy();
    }
  });
}

async function failure(
  call: Promise<unknown>,
): Promise<{ name: string; status: number; text: string }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error && '$metadata' in error) {
      const { $metadata: metadata } = error;
      return { name: error.name, status: statusOf(metadata), text: error.message };
    }
    throw error;
  }
  throw new Error('the call succeeded');
}

function statusOf(metadata: unknown): number {
  return typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
    ? Number(metadata.httpStatusCode)
    : 0;
}

describe('control plane, called by the AWS SDK unchanged', () => {
  it('makes, describes, changes and deletes a stream', async () => {
    await withControl(async (client) => {
      const { StreamARN: arn } = await client.send(
        new CreateStreamCommand({
          StreamName: 'front-door',
          DeviceName: 'cam.1',
          MediaType: 'video/h264,audio/aac',
          DataRetentionInHours: 2,
          Tags: { site: 'home' },
        }),
      );
      expect(arn).toMatch(
        /^arn:aws:kinesisvideo:us-west-2:000000000000:stream\/front-door\/\d{13}$/,
      );
      const describe = async (): Promise<Record<string, unknown>> => {
        const { StreamInfo: info } = await client.send(
          new DescribeStreamCommand({ StreamName: 'front-door' }),
        );
        return { ...info };
      };
      const before = await describe();
      expect(before).toMatchObject({
        StreamName: 'front-door',
        StreamARN: arn,
        Status: 'ACTIVE',
        DataRetentionInHours: 2,
        DeviceName: 'cam.1',
        MediaType: 'video/h264,audio/aac',
        KmsKeyId: 'arn:aws:kms:us-west-2:000000000000:alias/aws/kinesisvideo',
      });
      expect(before['CreationTime']).toBeInstanceOf(Date);
      const version = String(before['Version']);
      await client.send(
        new UpdateStreamCommand({ StreamARN: arn, CurrentVersion: version, DeviceName: 'cam.2' }),
      );
      const stale = await failure(
        client.send(
          new UpdateStreamCommand({ StreamARN: arn, CurrentVersion: version, DeviceName: 'cam.3' }),
        ),
      );
      expect(stale).toMatchObject({ name: 'VersionMismatchException', status: 400 });
      const changed = await describe();
      expect(changed).toMatchObject({ DeviceName: 'cam.2', DataRetentionInHours: 2 });
      expect(changed['Version']).not.toBe(version);
      await client.send(
        new UpdateDataRetentionCommand({
          StreamName: 'front-door',
          CurrentVersion: String(changed['Version']),
          Operation: 'INCREASE_DATA_RETENTION',
          DataRetentionChangeInHours: 5,
        }),
      );
      expect(await describe()).toMatchObject({ DataRetentionInHours: 7 });
      await client.send(new DeleteStreamCommand({ StreamARN: arn }));
      expect(await failure(describe())).toMatchObject({
        name: 'ResourceNotFoundException',
        status: 404,
      });
    });
  });

  it('lists streams by prefix, in pages', async () => {
    await withControl(async (client) => {
      for (const name of ['b2', 'a1', 'b1', 'b3']) {
        await client.send(new CreateStreamCommand({ StreamName: name }));
      }
      const names: (string | undefined)[] = [];
      let token: string | undefined;
      do {
        const page = await client.send(
          new ListStreamsCommand({
            MaxResults: 2,
            NextToken: token,
            StreamNameCondition: { ComparisonOperator: 'BEGINS_WITH', ComparisonValue: 'b' },
          }),
        );
        expect(page.StreamInfoList?.length).toBeLessThanOrEqual(2);
        names.push(...(page.StreamInfoList ?? []).map((info) => info.StreamName));
        token = page.NextToken;
      } while (token !== undefined);
      expect(names).toEqual(['b1', 'b2', 'b3']);
    });
  });

  it('keeps tags, by stream and by resource', async () => {
    await withControl(async (client) => {
      const { StreamARN: arn } = await client.send(new CreateStreamCommand({ StreamName: 's' }));
      await client.send(new TagStreamCommand({ StreamName: 's', Tags: { a: '1', b: '2' } }));
      await client.send(
        new TagResourceCommand({ ResourceARN: arn, Tags: [{ Key: 'c', Value: '3' }] }),
      );
      await client.send(new UntagStreamCommand({ StreamName: 's', TagKeyList: ['a', 'zzz'] }));
      const list = await client.send(new ListTagsForStreamCommand({ StreamARN: arn }));
      expect(list.Tags).toEqual({ b: '2', c: '3' });
      await client.send(new UntagResourceCommand({ ResourceARN: arn, TagKeyList: ['b'] }));
      const rest = await client.send(new ListTagsForResourceCommand({ ResourceARN: arn }));
      expect(rest.Tags).toEqual({ c: '3' });
      const tooMany = Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [`k${String(index)}`, 'v']),
      );
      expect(
        await failure(client.send(new TagStreamCommand({ StreamName: 's', Tags: tooMany }))),
      ).toMatchObject({ name: 'TagsPerResourceExceededLimitException', status: 400 });
    });
  });

  it('gives its own endpoint', async () => {
    await withControl(async (client, endpoint) => {
      await client.send(new CreateStreamCommand({ StreamName: 's' }));
      const answer = await client.send(
        new GetDataEndpointCommand({ StreamName: 's', APIName: 'PUT_MEDIA' }),
      );
      expect(answer.DataEndpoint).toBe(endpoint);
    });
  });

  it('refuses what the guide forbids, naming it', async () => {
    await withControl(async (client) => {
      const bad = await failure(client.send(new CreateStreamCommand({ StreamName: 'a/b' })));
      expect(bad).toMatchObject({ name: 'InvalidArgumentException', status: 400 });
      expect(bad.text).toContain("Value 'a/b' at 'streamName'");
      expect(bad.text).toContain('[a-zA-Z0-9_.-]+');
      await client.send(new CreateStreamCommand({ StreamName: 's' }));
      const again = await failure(client.send(new CreateStreamCommand({ StreamName: 's' })));
      expect(again).toMatchObject({ name: 'ResourceInUseException', status: 400 });
      const nobody = await failure(client.send(new DescribeStreamCommand({ StreamName: 'x' })));
      expect(nobody).toMatchObject({ name: 'ResourceNotFoundException', status: 404 });
      const neither = await failure(client.send(new DescribeStreamCommand({})));
      expect(neither).toMatchObject({ name: 'InvalidArgumentException', status: 400 });
    });
  });

  it('limits streams and calls', async () => {
    await withControl(
      async (client) => {
        await client.send(new CreateStreamCommand({ StreamName: 's1' }));
        expect(
          await failure(client.send(new CreateStreamCommand({ StreamName: 's2' }))),
        ).toMatchObject({ name: 'AccountStreamLimitExceededException' });
        const calls = Array.from({ length: 20 }, () =>
          client.send(new DescribeStreamCommand({ StreamName: 's1' })),
        );
        const results = await Promise.allSettled(calls);
        const limited = results.filter((result) => result.status === 'rejected');
        expect(limited.length).toBeGreaterThan(5);
        expect(limited.length).toBeLessThan(20);
        expect(
          await failure(
            Promise.all(
              Array.from({ length: 20 }, () =>
                client.send(new DescribeStreamCommand({ StreamName: 's1' })),
              ),
            ),
          ),
        ).toMatchObject({ name: 'ClientLimitExceededException', status: 400 });
      },
      { streamsPerAccount: 1 },
    );
  });

  it('keeps everything over a restart', async () => {
    await withService({}, async (service, dataDir) => {
      const client = controlClient(service);
      await client.send(new CreateStreamCommand({ StreamName: 's', Tags: { a: 'b' } }));
      const before = await client.send(new DescribeStreamCommand({ StreamName: 's' }));
      client.destroy();
      await service.close();
      await withService({ dataDir }, async (next) => {
        const second = controlClient(next);
        const after = await second.send(new DescribeStreamCommand({ StreamName: 's' }));
        expect(after.StreamInfo).toEqual(before.StreamInfo);
        const tags = await second.send(new ListTagsForStreamCommand({ StreamName: 's' }));
        expect(tags.Tags).toEqual({ a: 'b' });
        second.destroy();
      });
    });
  });
});

describe('startService', () => {
  it('refuses to be open beyond loopback', async () => {
    const dataDir = await temporaryDirectory();
    await expect(startService({ dataDir, host: '0.0.0.0' })).rejects.toThrow(/loopback only/);
    await rm(dataDir, { recursive: true });
  });

  it('an open service does nothing for web pages of other machines', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const call = (path: string, origin?: string): Promise<Response> =>
        // As a page may send it without asking first.
        fetch(`${service.endpoint}${path}`, {
          ...{ method: 'POST', body: '{"StreamName":"page"}' },
          headers: { 'content-type': 'text/plain', ...(origin !== undefined && { origin }) },
        });
      for (const origin of ['https://evil.example', 'http://127.0.0.1.evil.example', 'null', 'x']) {
        const answer = await call('/createStream', origin);
        expect(answer.status, origin).toBe(400);
        expect(await answer.text()).toMatch(/AccessDeniedException.*open to programs/);
      }
      const page = await fetch(`${service.endpoint}/metrics`, {
        headers: { origin: 'https://evil.example' },
      });
      expect(page.status).toBe(400);
      expect((await call('/describeStream')).status).toBe(404);
      for (const origin of ['http://localhost:5173', 'http://127.0.0.1:80', 'http://[::1]:1']) {
        expect((await call('/describeStream', origin)).status, origin).toBe(404);
      }
    });
  });

  it('says why it cannot listen', async () => {
    await withService({}, async ({ port }) => {
      const start = withService({ port }, () => Promise.resolve());
      await expect(start).rejects.toThrow(/cannot listen on 127.0.0.1 port \d+: another program/);
    });
    const credentials = { AKIAONE: { secretAccessKey: 's', accountId: '123456789012' } };
    const start = withService({ host: '192.0.2.1', credentials }, () => Promise.resolve());
    await expect(start).rejects.toThrow(/no interface of this machine has that address/);
  });

  it('keeps its data from other users, and says which directory it cannot make', async () => {
    await withService({}, async (service, dataDir) => {
      await createStream(service, 'cam');
      for (const name of ['index', 'media']) {
        expect((await stat(join(dataDir, name))).mode & 0o077, name).toBe(0);
      }
      const start = startService({ dataDir: join(dataDir, 'master-keys.json') });
      await expect(start).rejects.toThrow(/dataDir .*master-keys.json cannot be made/);
    });
  });

  it('refuses a directory that is in use', async () => {
    await withService({}, async (_, dataDir) => {
      await expect(startService({ dataDir })).rejects.toThrow(/one service at a time/);
    });
  });

  it('answers paths and methods it does not know', async () => {
    await withControl(async (_, endpoint) => {
      for (const path of ['/', '/../../etc/passwd', '/describeStream/', '/putmedia']) {
        const answer = await fetch(`${endpoint}${path}`, { method: 'POST', body: '{}' });
        expect(answer.status).toBe(404);
        expect(answer.headers.get('x-amzn-errortype')).toBe('UnknownOperationException');
        expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
      }
      const get = await fetch(`${endpoint}/describeStream`);
      expect(get.status).toBe(404);
    });
  });

  it('answers bodies that are no JSON, or far too long', async () => {
    await withControl(async (_, endpoint) => {
      const bad = await fetch(`${endpoint}/describeStream`, { method: 'POST', body: '{"Stream' });
      expect([bad.status, bad.headers.get('x-amzn-errortype')]).toEqual([
        400,
        'SerializationException',
      ]);
      const list = await fetch(`${endpoint}/describeStream`, { method: 'POST', body: '[]' });
      expect(list.status).toBe(400);
      const long = await fetch(`${endpoint}/describeStream`, {
        method: 'POST',
        body: JSON.stringify({ StreamName: 'x'.repeat(300_000) }),
      });
      expect(long.status).toBe(400);
    });
  });
});
