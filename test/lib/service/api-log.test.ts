import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteStreamCommand, DescribeStreamCommand } from '@aws-sdk/client-kinesis-video';
import { describe, expect, it } from 'vitest';
import { LogFile } from '../../../lib/service/audit/log-file.js';
import { startService } from '../../../lib/service/index.js';
import {
  CREDENTIALS,
  controlClient,
  createStream,
  putMedia,
  temporaryDirectory,
  withService,
} from './helpers.js';

type Entry = Readonly<Record<string, unknown>>;

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null;
}

async function entriesOf(path: string): Promise<Entry[]> {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return lines.map((line): unknown => JSON.parse(line)).filter(isEntry);
}

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await temporaryDirectory();
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe('apiLog', () => {
  it("writes each call in the guide's form, with who called and what was refused", async () => {
    await inDirectory(async (directory) => {
      const path = join(directory, 'calls.log');
      const { accessKeyId, secretAccessKey } = CREDENTIALS;
      const credentials = {
        [accessKeyId]: { secretAccessKey, accountId: '123456789012', userName: 'Alice' },
      };
      let arn = '';
      await withService({ apiLog: path, credentials }, async (service) => {
        arn = await createStream(service, 'cam', 2);
        const client = controlClient(service);
        await client.send(new DescribeStreamCommand({ StreamName: 'cam' }));
        await client.send(new DeleteStreamCommand({ StreamARN: arn }));
        const gone = client.send(new DescribeStreamCommand({ StreamName: 'cam' }));
        await expect(gone).rejects.toThrow('not found');
        client.destroy();
        const put = putMedia(service, 'cam');
        await put.until(({ status }) => status === 403);
      });
      const entries = await entriesOf(path);
      const uuid = /^[0-9a-f-]{36}$/;
      expect(entries[0]).toEqual({
        eventVersion: '1.05',
        userIdentity: {
          type: 'IAMUser',
          principalId: accessKeyId,
          arn: 'arn:aws:iam::123456789012:user/Alice',
          accountId: '123456789012',
          accessKeyId,
          userName: 'Alice',
        },
        eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        eventSource: 'kinesisvideo.amazonaws.com',
        eventName: 'CreateStream',
        awsRegion: 'us-west-2',
        sourceIPAddress: '127.0.0.1',
        userAgent: expect.stringContaining('aws-sdk-js/3'),
        requestParameters: { streamName: 'cam', dataRetentionInHours: 2 },
        responseElements: { streamARN: arn },
        requestID: expect.stringMatching(uuid),
        eventID: expect.stringMatching(uuid),
        eventType: 'AwsApiCall',
        recipientAccountId: '123456789012',
      });
      expect(entries[1]).toMatchObject({ eventName: 'DescribeStream', responseElements: null });
      expect(entries[1]).not.toHaveProperty('errorCode');
      expect(entries[2]).toMatchObject({ requestParameters: { streamARN: arn } });
      expect(entries[3]).toMatchObject({
        errorCode: 'ResourceNotFoundException',
        responseElements: null,
      });
      expect(entries[4]).toMatchObject({
        eventName: 'PutMedia',
        userIdentity: { type: 'Unknown' },
        errorCode: 'MissingAuthenticationTokenException',
        requestParameters: null,
      });
      expect(entries).toHaveLength(5);
      expect(new Set(entries.map(({ eventID }) => eventID)).size).toBe(5);
    });
  });

  it('goes on behind what is there, and leaves out what an operation does not know', async () => {
    await inDirectory(async (directory) => {
      const path = join(directory, 'calls.log');
      for (let run = 0; run < 2; run += 1) {
        await withService({ apiLog: path }, async ({ endpoint }) => {
          const body = JSON.stringify({ MaxResults: 5, Password: 'x\ny' });
          const answer = await fetch(`${endpoint}/listStreams`, { method: 'POST', body });
          expect(answer.status).toBe(200);
        });
      }
      const entries = await entriesOf(path);
      expect(entries).toHaveLength(2);
      expect(entries[1]).toMatchObject({ requestParameters: { maxResults: 5 } });
      expect(JSON.stringify(entries)).not.toContain('assword');
    });
  });

  it('names the address of callers that have gone when their call ends', async () => {
    await inDirectory(async (directory) => {
      const path = join(directory, 'calls.log');
      await withService({ apiLog: path }, async (service) => {
        await createStream(service, 'cam');
        for (let round = 0; round < 5; round += 1) {
          const gone = new AbortController();
          const get = await fetch(`${service.endpoint}/getMedia`, {
            method: 'POST',
            body: '{"StreamName":"cam","StartSelector":{"StartSelectorType":"NOW"}}',
            signal: gone.signal,
          });
          expect(get.status).toBe(200);
          gone.abort();
          const put = putMedia(service, 'cam');
          await put.until(({ status }) => status !== 0);
          put.reset();
        }
      });
      const entries = await entriesOf(path);
      expect(entries).toHaveLength(11);
      expect([...new Set(entries.map((entry) => entry['sourceIPAddress']))]).toEqual(['127.0.0.1']);
    });
  });

  it('writes media calls that the end of the service ends', async () => {
    await inDirectory(async (directory) => {
      const path = join(directory, 'calls.log');
      await withService({ apiLog: path }, async (service) => {
        await createStream(service, 'cam');
        const put = putMedia(service, 'cam');
        await put.until(({ status }) => status === 200);
        const get = await fetch(`${service.endpoint}/getMedia`, {
          method: 'POST',
          body: '{"StreamName":"cam","StartSelector":{"StartSelectorType":"NOW"}}',
        });
        expect(get.status).toBe(200);
      });
      const entries = await entriesOf(path);
      expect(entries.map(({ eventName }) => eventName).sort()).toEqual([
        'CreateStream',
        'GetMedia',
        'PutMedia',
      ]);
      expect(entries.find(({ eventName }) => eventName === 'GetMedia')).toMatchObject({
        requestParameters: { streamName: 'cam', startSelector: { startSelectorType: 'NOW' } },
      });
    });
  });

  it('refuses a file that cannot be written, and lets the data directory go', async () => {
    await inDirectory(async (directory) => {
      const dataDir = join(directory, 'data');
      const apiLog = join(directory, 'nowhere', 'calls.log');
      await expect(startService({ dataDir, apiLog })).rejects.toThrow(
        /apiLog .* cannot be written/,
      );
      await withService({ dataDir }, async () => Promise.resolve());
    });
  });
});

describe('LogFile', () => {
  it('begins a new file where a line would make it too large, and keeps so many', async () => {
    await inDirectory(async (directory) => {
      const path = join(directory, 'log');
      const failures: unknown[] = [];
      const log = await LogFile.open({ path, maxBytes: 10, keep: 2 }, (error) => {
        failures.push(error);
      });
      // 4 bytes a line: two fit.
      for (let line = 100; line < 109; line += 1) log.add(`${String(line)}\n`);
      log.add('longer than a file\n');
      await log.close();
      expect(failures).toEqual([]);
      expect((await readdir(directory)).sort()).toEqual(['log', 'log.1', 'log.2']);
      expect(await readFile(path, 'utf8')).toBe('longer than a file\n');
      expect(await readFile(`${path}.1`, 'utf8')).toBe('108\n');
      expect(await readFile(`${path}.2`, 'utf8')).toBe('106\n107\n');
    });
  });
});
