import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readMedia, type FragmentMetadata } from '../../../lib/parser/index.js';
import { UNSERVED } from '../../../lib/service/api/unserved.js';
import type { KvsService } from '../../../lib/service/index.js';
import { CREDENTIALS, temporaryDirectory } from './helpers.js';
import { startService } from '../../../lib/service/index.js';
import { rm } from 'node:fs/promises';

const RECORDINGS = fileURLToPath(new URL('../../../../shared/recordings/', import.meta.url));

/** A service that knows the recordings' key and whose clock a test sets. */
async function withRecorded(
  use: (service: KvsService, setClock: (recording: Buffer) => void) => Promise<void>,
): Promise<void> {
  const dataDir = await temporaryDirectory();
  let wall = 0;
  const service = await startService({
    dataDir,
    limits: 'off',
    credentials: {
      [CREDENTIALS.accessKeyId]: {
        secretAccessKey: CREDENTIALS.secretAccessKey,
        accountId: '111122223333',
      },
    },
    clock: { mono: () => performance.now(), wall: () => wall },
  });
  try {
    await use(service, (recording) => {
      wall = signedAt(recording);
    });
  } finally {
    await service.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function signedAt(recording: Buffer): number {
  const date = /x-amz-date: (\d{8}T\d{6})Z/i.exec(recording.toString('latin1'))?.[1] ?? '';
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/.exec(date)?.map(Number) ?? [];
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}

function read(name: string): Promise<Buffer> {
  return readFile(`${RECORDINGS}${name}`);
}

/** Sends recorded bytes and gives all that comes back until `done` says so or the end. */
async function replay(
  service: KvsService,
  bytes: Buffer,
  done: (answer: string) => boolean,
): Promise<string> {
  const socket: Socket = connect(service.port, '127.0.0.1');
  let answer = '';
  socket.write(bytes);
  try {
    for await (const chunk of socket) {
      answer += String(chunk);
      if (done(answer)) break;
    }
  } finally {
    socket.destroy();
  }
  return answer;
}

function call(service: KvsService, bytes: Buffer): Promise<string> {
  return replay(service, bytes, (answer) => /\r\n\r\n(\{|$)/.test(answer));
}

const putEnded = (answer: string): boolean => answer.endsWith('0\r\n\r\n');

function acksOf(answer: string): string[] {
  return [...answer.matchAll(/"EventType":"(\w+)","FragmentTimecode":(\d+)/g)].map(
    ([, type, time]) => `${type ?? ''} ${time ?? ''}`,
  );
}

async function fragmentsOf(service: KvsService, recording: Buffer): Promise<FragmentMetadata[]> {
  const body = recording.toString('latin1');
  const media = dechunk(Buffer.from(body.slice(body.indexOf('\r\n\r\n') + 4), 'latin1'));
  const fragments: FragmentMetadata[] = [];
  for await (const event of readMedia([media])) {
    if (event.kind === 'fragmentEnd') fragments.push(event.fragment);
  }
  expect(service.port).toBeGreaterThan(0);
  return fragments;
}

function dechunk(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const line = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.toString('latin1', at, line), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(body.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}

describe.skipIf(!existsSync(RECORDINGS))(
  'recordings of real clients (../shared/recordings)',
  () => {
    it('AWS C producer, H.264: describe, create, endpoint, PutMedia', async () => {
      await withRecorded(async (service, setClock) => {
        const describeCall = await read('aws-c-h264/1-describeStream.http');
        setClock(describeCall);
        expect(await call(service, describeCall)).toMatch(/^HTTP\/1.1 404 [^]*ResourceNotFound/);
        expect(await call(service, await read('aws-c-h264/2-createStream.http'))).toContain(
          '"StreamARN":"arn:aws:kinesisvideo:us-west-2:111122223333:stream/demo/',
        );
        expect(await call(service, describeCall)).toContain('"DataRetentionInHours":2');
        // The recorded Host has no port: the answer must not be built from it.
        expect(await call(service, await read('aws-c-h264/3-getDataEndpoint.http'))).toContain(
          `"DataEndpoint":"http://127.0.0.1:${String(service.port)}"`,
        );
        const put = await read('aws-c-h264/4-putMedia.http');
        setClock(put);
        const answer = await replay(service, put, putEnded);
        expect(answer).toMatch(/HTTP\/1.1 200 OK/);
        const sent = await fragmentsOf(service, put);
        const times = sent.map((fragment) => String(fragment.clusterTimecodeMs));
        expect(times.length).toBeGreaterThan(1);
        const acks = acksOf(answer);
        for (const type of ['BUFFERING', 'RECEIVED', 'PERSISTED']) {
          expect(acks.filter((ack) => ack.startsWith(type))).toEqual(
            times.map((time) => `${type} ${time}`),
          );
        }
      });
    });

    it('the last fragment is persisted before the terminating chunk comes', async () => {
      await withRecorded(async (service, setClock) => {
        const create = await read('aws-c-h264/2-createStream.http');
        setClock(create);
        await call(service, create);
        const put = await read('aws-c-h264/4-putMedia.http');
        setClock(put);
        const last = put.lastIndexOf('0\r\n\r\n');
        const count = (await fragmentsOf(service, put)).length;
        const answer = await replay(
          service,
          put.subarray(0, last),
          (text) => acksOf(text).filter((ack) => ack.startsWith('PERSISTED')).length === count,
        );
        expect(putEnded(answer)).toBe(false);
      });
    });

    it('AWS C producer, audio alone; and what it sends after Error ack 4004', async () => {
      await withRecorded(async (service, setClock) => {
        for (const [name, stream, files] of [
          ['aws-c-audio', 'aonly', ['3-putMedia.http']],
          [
            'aws-c-after-4004',
            's1',
            ['1-putMedia-tags-only.http', '2-putMedia-tag-before-first-cluster.http'],
          ],
        ] as const) {
          const made = await signedCreate(service, stream, setClock);
          expect(made).toBe(200);
          for (const file of files) {
            const put = await read(`${name}/${file}`);
            setClock(put);
            const answer = await replay(service, put, putEnded);
            expect(answer).toMatch(/HTTP\/1.1 200 OK/);
            expect(answer).not.toContain('ERROR');
            const times = (await fragmentsOf(service, put)).map((one) =>
              String(one.clusterTimecodeMs),
            );
            expect(acksOf(answer).filter((ack) => ack.startsWith('PERSISTED'))).toEqual(
              times.map((time) => `PERSISTED ${time}`),
            );
          }
        }
      });
    });

    it('AWS C producer, from the middle of a Cluster: told to send it all again', async () => {
      await withRecorded(async (service, setClock) => {
        expect(await signedCreate(service, 'demo', setClock)).toBe(200);
        const put = await read('aws-c-h264/4-putMedia.http');
        setClock(put);
        const head = put.subarray(0, put.indexOf('\r\n\r\n') + 4);
        const body = dechunk(put.subarray(head.length));
        const block = Buffer.of(0xa3, 0x01, 0x00, 0x00, 0x00);
        const from = body.subarray(body.indexOf(block, body.indexOf(block) + 1));
        const chunk = Buffer.from(`${from.length.toString(16)}\r\n`);
        const sent = Buffer.concat([head, chunk, from, Buffer.from('\r\n0\r\n\r\n')]);
        const answer = await replay(service, sent, putEnded);
        expect(answer).toContain('"ErrorId":4000');
        expect(acksOf(answer)).toEqual([]);
      });
    });

    it('AWS SDK for JavaScript v3: no signature is refused', async () => {
      await withRecorded(async (service, setClock) => {
        for (const name of ['connection-1.http', 'connection-2.http', 'connection-3.http']) {
          const requests = splitRequests(await read(`aws-sdk-js/${name}`));
          for (const request of requests) {
            setClock(request);
            const answer = await call(service, request);
            const path = request.toString('latin1').split(' ', 2)[1] ?? '';
            // What this service does not serve is told by name, and only that.
            const status = UNSERVED.has(path) ? /^HTTP\/1.1 501/ : /^HTTP\/1.1 (200|400|404)/;
            expect(answer, path).toMatch(status);
            expect(answer).not.toMatch(/Signature|Token|Credential/);
          }
        }
      });
    });

    it('a changed body, header, key or clock is refused', async () => {
      await withRecorded(async (service, setClock) => {
        const good = await read('aws-c-h264/2-createStream.http');
        const text = good.toString('latin1');
        setClock(good);
        const refused = async (changed: string, name: string): Promise<void> => {
          const answer = await call(service, Buffer.from(changed, 'latin1'));
          expect(answer).toMatch(/^HTTP\/1.1 (403|400)/);
          expect(answer).toContain(name);
        };
        await refused(text.replace('"demo"', '"domo"'), 'InvalidSignatureException');
        await refused(
          text.replace('user-agent: AWS', 'user-agent: XWS'),
          'InvalidSignatureException',
        );
        await refused(text.replace('AKIASTUB', 'AKIAXXXX'), 'UnrecognizedClientException');
        await refused(
          text.replace(/Authorization: .*\r\n/, ''),
          'MissingAuthenticationTokenException',
        );
        await refused(text.replace(/, Signature=\w+/, ''), 'IncompleteSignatureException');
        await refused(text.replaceAll('us-west-2', 'eu-west-1'), 'InvalidSignatureException');
        setClock(Buffer.from(text.replace(/X-Amz-Date: \d{8}T/, 'X-Amz-Date: 20261124T')));
        await refused(text, 'Signature expired');
      });
    });
  },
);

function splitRequests(bytes: Buffer): Buffer[] {
  const requests: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = bytes.indexOf('\r\n\r\n', at) + 4;
    const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', at, head))?.[1] ?? '0';
    requests.push(bytes.subarray(at, head + Number(length)));
    at = head + Number(length);
  }
  return requests;
}

/** Makes a stream that no recording makes. */
async function signedCreate(
  service: KvsService,
  name: string,
  setClock: (recording: Buffer) => void,
): Promise<number> {
  const { CreateStreamCommand, KinesisVideoClient } = await import('@aws-sdk/client-kinesis-video');
  const now = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  setClock(Buffer.from(`x-amz-date: ${now}`));
  const client = new KinesisVideoClient({
    endpoint: service.endpoint,
    region: 'us-west-2',
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
  const made = await client.send(
    new CreateStreamCommand({ StreamName: name, DataRetentionInHours: 2 }),
  );
  client.destroy();
  return made.$metadata.httpStatusCode ?? 0;
}
