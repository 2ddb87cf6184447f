import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpPutMediaTransport } from '../../../lib/transport/index.js';
import { startTimestamp } from '../../../lib/transport/sign.js';
import {
  BodyIo,
  CREDENTIALS,
  putMediaRequest,
  serve,
  type TestServer,
} from './put-media-server.js';

const WALL = Date.UTC(2026, 10, 23, 4, 5, 6);

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** The Authorization header that the AWS specification gives for these headers, computed here. */
function expectedAuthorization(headers: IncomingHttpHeaders, signed: string, day: string): string {
  const lines = signed.split(';').map((name) => `${name}:${String(headers[name])}\n`);
  const canonical = `POST\n/putMedia\n\n${lines.join('')}\n${signed}\n${sha256('')}`;
  const scope = `${day}/us-west-2/kinesisvideo/aws4_request`;
  const date = String(headers['x-amz-date']);
  const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`;
  const key = ['us-west-2', 'kinesisvideo', 'aws4_request'].reduce<Buffer>(
    hmac,
    hmac(`AWS4${CREDENTIALS.secretAccessKey}`, day),
  );
  const signature = createHmac('sha256', key).update(text).digest('hex');
  return (
    `AWS4-HMAC-SHA256 Credential=${CREDENTIALS.accessKeyId}/${scope}, ` +
    `SignedHeaders=${signed}, Signature=${signature}`
  );
}

describe('the PutMedia request', () => {
  let server: TestServer | undefined;

  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  async function headersOf(
    more: Parameters<typeof putMediaRequest>[1],
  ): Promise<IncomingHttpHeaders> {
    let headers: IncomingHttpHeaders = {};
    server = await serve((request, answer) => {
      headers = request.headers;
      request.resume();
      request.once('end', () => answer.end());
    });
    const io = new BodyIo(new Uint8Array(3), 'end');
    const transport = new HttpPutMediaTransport({ userAgent: 'test/1', wall: () => WALL });
    transport.open(putMediaRequest(server.endpoint, more), io);
    expect((await io.ending).result).toBe(200);
    return headers;
  }

  it('is signed as AWS verifies it, over the hash of the empty string', async () => {
    const headers = await headersOf({});
    const signed = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1] ?? '';
    expect(signed.split(';')).toEqual(
      expect.arrayContaining(['host', 'x-amz-date', 'x-amzn-stream-name']),
    );
    expect(headers['x-amz-date']).toBe('20261123T040506Z');
    expect(headers.authorization).toBe(expectedAuthorization(headers, signed, '20261123'));
    expect(headers['x-amz-content-sha256']).toBeUndefined();
  });

  it('carries the headers of the API reference', async () => {
    const headers = await headersOf({});
    expect(headers).toMatchObject({
      'x-amzn-stream-name': 'camera-1',
      'x-amzn-fragment-timecode-type': 'ABSOLUTE',
      'x-amzn-producer-start-timestamp': '1795408268.072',
      'x-amzn-fragment-acknowledgment-required': '1',
      'content-type': 'video/x-matroska',
      'transfer-encoding': 'chunked',
      'user-agent': 'test/1',
      host: new URL(server?.endpoint ?? '').host,
    });
    expect(headers['x-amz-security-token']).toBeUndefined();
  });

  it('says RELATIVE, no acks and a session token when asked to', async () => {
    const credentials = { ...CREDENTIALS, sessionToken: 'token+/=' };
    const headers = await headersOf({ absolute: false, acks: false, credentials });
    expect(headers).toMatchObject({
      'x-amzn-fragment-timecode-type': 'RELATIVE',
      'x-amzn-fragment-acknowledgment-required': '0',
      'x-amz-security-token': 'token+/=',
    });
  });

  it("is dated by the service's clock", async () => {
    const headers = await headersOf({ clockOffset: 3_600_000 });
    expect(headers['x-amz-date']).toBe('20261123T050506Z');
  });
});

describe('startTimestamp', () => {
  it.each([
    [0, '0.000'],
    [7, '0.007'],
    [1_795_408_268_072.9, '1795408268.072'],
  ])('writes %d ms as %s', (start, text) => {
    expect(startTimestamp(start)).toBe(text);
  });
});
