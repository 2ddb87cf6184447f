import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMedia } from '../../../lib/parser/index.js';
import { AwsChunkedDecoder, BodyFault } from '../../../lib/service/http/aws-chunked.js';
import type { BodyDecoder } from '../../../lib/service/http/aws-chunked.js';
import type { KvsService } from '../../../lib/service/index.js';
import { keyOf, scopeOf, sha256Hex, signPost } from '../../support/aws-chunked.js';
import { signedChunks, unsignedChunks, type SigningScope } from '../../support/aws-chunked.js';
import { cluster, header } from '../../support/mkv.js';
import { RawPutMedia } from '../../support/put-media.js';
import { CREDENTIALS, createStream, getMedia, withService } from './helpers.js';

const S3: SigningScope = {
  secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  ...{ time: '20130524T000000Z', region: 'us-east-1', service: 's3' },
};
const SEED = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9';
const PARTS = [Buffer.from('one'), Buffer.from('two and more'), Buffer.from('three')];
const DATA = Buffer.concat(PARTS);

function signedDecoder(): AwsChunkedDecoder {
  return new AwsChunkedDecoder({
    ...{ signed: true, trailer: undefined, length: DATA.length },
    seed: { key: keyOf(S3), scope: scopeOf(S3), time: S3.time, signature: SEED },
  });
}

function unsignedDecoder(): AwsChunkedDecoder {
  const trailer = 'x-amz-checksum-crc32';
  return new AwsChunkedDecoder({ signed: false, seed: undefined, trailer, length: DATA.length });
}

/** What comes of a body in these pieces: the data that were given on, and whether all was well. */
function read(
  decoder: BodyDecoder,
  pieces: readonly Uint8Array[],
): { readonly data: Buffer; readonly good: boolean } {
  const parts: Uint8Array[] = [];
  try {
    for (const piece of pieces) parts.push(Buffer.from(decoder.push(piece)));
    decoder.end();
    return { data: Buffer.concat(parts), good: true };
  } catch (error) {
    if (!(error instanceof BodyFault)) throw error;
    return { data: Buffer.concat(parts), good: false };
  }
}

const FORMS = [
  ['signed', Buffer.concat(signedChunks(PARTS, SEED, S3)), signedDecoder],
  ['unsigned', Buffer.from(unsignedChunks(PARTS)), unsignedDecoder],
] as const;

describe('chunks of Signature Version 4', () => {
  it("gives the signatures of AWS's published example", () => {
    const parts = [Buffer.alloc(65_536, 'a'), Buffer.alloc(1024, 'a')];
    const chunks = signedChunks(parts, SEED, S3).map((chunk) => Buffer.from(chunk).toString());
    expect(chunks.map((chunk) => /chunk-signature=(\w+)/.exec(chunk)?.[1])).toEqual([
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    ]);
  });

  it.each(FORMS)('reads a body in any two pieces, and byte by byte: %s', (_, body, decoder) => {
    for (let at = 0; at <= body.length; at += 1) {
      const { data, good } = read(decoder(), [body.subarray(0, at), body.subarray(at)]);
      expect(good).toBe(true);
      expect(data).toEqual(DATA);
    }
    const single = Array.from(body, (byte) => Uint8Array.of(byte));
    expect(read(decoder(), single)).toEqual({ data: DATA, good: true });
  });

  it.each(FORMS)('refuses a body that ends anywhere before its end: %s', (_, body, decoder) => {
    for (let at = 0; at < body.length; at += 1) {
      expect(read(decoder(), [body.subarray(0, at)]).good).toBe(false);
    }
    expect(read(decoder(), [body, Uint8Array.of(0)]).good).toBe(false);
  });

  it.each(FORMS)('refuses every change of a byte: %s', (form, body, decoder) => {
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(body);
        changed[at] = (changed[at] ?? 0) ^ change;
        // Hexadecimal digits of sizes, and names of trailers, may be of either case.
        fc.pre(changed.toString('latin1').toLowerCase() !== body.toString('latin1').toLowerCase());
        const { data, good } = read(decoder(), [changed]);
        expect(good).toBe(false);
        // Signed data that are given on are data that were signed, up to the chunk in question.
        if (form === 'signed') expect(DATA.subarray(0, data.length)).toEqual(data);
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses chunks that were left out, sent twice, or put in another order', () => {
    const [one, two, three, last] = signedChunks(PARTS, SEED, S3).map((chunk) =>
      Buffer.from(chunk),
    );
    if (!one || !two || !three || !last) throw new Error('four chunks');
    expect(read(signedDecoder(), [one, two, three, last]).good).toBe(true);
    for (const chunks of [
      [one, three, last],
      [one, one, two, three, last],
      [two, one, three, last],
    ]) {
      expect(read(signedDecoder(), chunks).good).toBe(false);
    }
    expect(read(signedDecoder(), [one, two, last]).good).toBe(false);
  });

  it('holds a chunk that comes in single bytes as one, not as many', () => {
    const size = 2 ** 20;
    const decoder = new AwsChunkedDecoder({
      ...{ signed: true, seed: undefined, trailer: undefined, length: undefined },
    });
    decoder.push(Buffer.from(`${size.toString(16)};chunk-signature=${SEED}\r\n`));
    const before = process.memoryUsage().heapUsed;
    for (let count = 1; count < size; count += 1) decoder.push(new Uint8Array(1));
    // A million small arrays take more than a hundred megabytes.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 2 ** 20);
    expect(decoder.push(Buffer.from('\0\r\n')).length).toBe(size);
  });

  it('takes any bytes: data or a fault, never anything else, and holds little', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const decoder of [signedDecoder(), unsignedDecoder()]) read(decoder, [bytes]);
      }),
      { numRuns: 2000 },
    );
    const endless = unsignedDecoder();
    expect(() => {
      for (let count = 0; count < 100; count += 1) endless.push(Buffer.alloc(100, '1'));
    }).toThrow(BodyFault);
    expect(read(signedDecoder(), [Buffer.from(`7fffffff;chunk-signature=${SEED}\r\n`)]).good).toBe(
      false,
    );
  });
});

const ACCESS = {
  ...CREDENTIALS,
  secret: CREDENTIALS.secretAccessKey,
  ...{ region: 'us-west-2', service: 'kinesisvideo' },
};
const KNOWN = {
  credentials: {
    [CREDENTIALS.accessKeyId]: {
      secretAccessKey: CREDENTIALS.secretAccessKey,
      accountId: '123456789012',
    },
  },
};

interface Signed {
  readonly put: RawPutMedia;
  readonly seed: string;
  readonly scope: SigningScope;
}

/** Begins a signed PutMedia whose x-amz-content-sha256 says `form`. */
function signedPut(
  service: KvsService,
  form: string,
  more: Readonly<Record<string, string>> = {},
): Signed {
  const scope = { ...ACCESS, time: new Date().toISOString().replace(/[-:]|\.\d{3}/g, '') };
  const headers = {
    host: '127.0.0.1',
    'x-amz-content-sha256': form,
    'x-amz-date': scope.time,
    'x-amzn-fragment-timecode-type': 'ABSOLUTE',
    'x-amzn-stream-name': 'cam',
    ...more,
  };
  const { authorization, signature } = signPost('/putMedia', headers, form, scope);
  // A request has one Host; the socket would send another name beside it.
  const { host, ...others } = headers;
  const put = new RawPutMedia(service.endpoint, { Host: host, ...others, authorization });
  return { put, seed: signature, scope };
}

const BLOCKS = [{ time: 0, data: Buffer.alloc(500, 1) }];
const MEDIA = [header(), cluster(0, BLOCKS), cluster(1000, BLOCKS), cluster(2000, BLOCKS)];
const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const UNSIGNED = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

async function storedTimes(service: KvsService): Promise<number[]> {
  const { put } = signedPut(service, 'UNSIGNED-PAYLOAD');
  put.send(header(), cluster(9000, BLOCKS));
  put.end();
  await put.untilEnded();
  put.destroy();
  const last = put.acks.at(-1)?.FragmentNumber ?? '';
  const times: number[] = [];
  const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, last);
  for await (const event of readMedia([media])) {
    if (event.kind === 'frame') times.push(event.timecodeMs);
  }
  return times.slice(0, -1);
}

async function withStream(use: (service: KvsService) => Promise<void>): Promise<void> {
  await withService(KNOWN, async (service) => {
    await createStream(service, 'cam');
    await use(service);
  });
}

describe('PutMedia bodies as clients sign them', () => {
  it('takes signed chunks, and stores nothing of one that was tampered with', async () => {
    await withStream(async (service) => {
      const good = signedPut(service, SIGNED, { 'content-encoding': 'aws-chunked' });
      for (const chunk of signedChunks(MEDIA, good.seed, good.scope)) good.put.send(chunk);
      good.put.end();
      await good.put.untilEnded();
      expect(good.put.count('PERSISTED')).toBe(3);
      const bad = signedPut(service, SIGNED);
      const chunks = signedChunks(MEDIA, bad.seed, bad.scope).map((chunk) => Buffer.from(chunk));
      chunks[1]?.writeUInt8(2, 300);
      bad.put.send(...chunks);
      bad.put.end();
      await bad.put.untilEnded();
      expect(bad.put.summary()).toEqual(['ERROR 4000']);
      expect(await storedTimes(service)).toEqual([0, 1000, 2000]);
      for (const { put } of [good, bad]) put.destroy();
    });
  });

  it('takes unsigned chunks, and not the last fragment when the trailer is wrong', async () => {
    await withStream(async (service) => {
      const more = {
        'x-amz-trailer': 'x-amz-checksum-crc32',
        'x-amz-decoded-content-length': String(Buffer.concat(MEDIA).length),
      };
      for (const [change, errors] of [
        [0, 0],
        [1, 1],
      ] as const) {
        const { put } = signedPut(service, UNSIGNED, more);
        const body = Buffer.from(unsignedChunks(MEDIA));
        body.writeUInt8((body.at(-300) ?? 0) ^ change, body.length - 300);
        put.send(body);
        put.end();
        await put.untilEnded();
        expect(put.count('ERROR')).toBe(errors);
        expect(put.summary().includes('PERSISTED 2000')).toBe(errors === 0);
        put.destroy();
      }
    });
  });

  it('a hash that was signed is the hash of the body; of no bytes it may be, as C clients send', async () => {
    await withStream(async (service) => {
      for (const [form, expected] of [
        [sha256Hex(Buffer.concat(MEDIA)), ['PERSISTED 0', 'PERSISTED 1000', 'PERSISTED 2000']],
        [sha256Hex(''), ['PERSISTED 0', 'PERSISTED 1000', 'PERSISTED 2000']],
        ['UNSIGNED-PAYLOAD', ['PERSISTED 0', 'PERSISTED 1000', 'PERSISTED 2000']],
        [sha256Hex('another'), ['ERROR 2000 4000', 'PERSISTED 0', 'PERSISTED 1000']],
      ] as const) {
        const { put } = signedPut(service, form);
        put.send(...MEDIA);
        put.end();
        await put.untilEnded();
        const told = put.summary().filter((ack) => /^(PERSISTED|ERROR)/.test(ack));
        expect(told.sort()).toEqual(expected);
        put.destroy();
      }
    });
  });

  it('refuses forms that it does not know, before any byte of the body', async () => {
    await withStream(async (service) => {
      for (const [form, more, status] of [
        ['STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD', {}, 403],
        ['e3b0c4', {}, 403],
        [UNSIGNED, { 'x-amz-trailer': 'x-amz-checksum-crc64nvme' }, 400],
        [UNSIGNED, { 'x-amz-decoded-content-length': '-1' }, 400],
      ] as const) {
        const { put } = signedPut(service, form, more);
        await put.until((self) => self.text.endsWith('}') || self.status === 200);
        expect(put.status, form).toBe(status);
        put.destroy();
      }
    });
  });
});

describe('JSON bodies as clients sign them', () => {
  it('takes each form, and refuses each that was tampered with', async () => {
    await withStream(async (service) => {
      const text = Buffer.from('{"StreamName":"cam"}');
      const wrap = (form: string, seed: string, scope: SigningScope): Uint8Array => {
        if (form === SIGNED) return Buffer.concat(signedChunks([text], seed, scope));
        return form === UNSIGNED ? unsignedChunks([text]) : text;
      };
      for (const form of [SIGNED, UNSIGNED, 'UNSIGNED-PAYLOAD', sha256Hex(text)]) {
        for (const change of form === 'UNSIGNED-PAYLOAD' ? [0] : [0, 1]) {
          const scope = { ...ACCESS, time: new Date().toISOString().replace(/[-:]|\.\d{3}/g, '') };
          const headers = {
            host: new URL(service.endpoint).host,
            'x-amz-content-sha256': form,
            'x-amz-date': scope.time,
            ...(form === UNSIGNED && { 'x-amz-trailer': 'x-amz-checksum-crc32' }),
          };
          const { authorization, signature } = signPost('/describeStream', headers, form, scope);
          const body = Buffer.from(wrap(form, signature, scope));
          const at = body.indexOf('cam');
          body.writeUInt8((body.at(at) ?? 0) + change, at);
          const answer = await fetch(`${service.endpoint}/describeStream`, {
            method: 'POST',
            headers: { ...headers, authorization },
            body,
          });
          expect(answer.status, form).toBe(change === 0 ? 200 : 403);
          const type = answer.headers.get('x-amzn-errortype');
          expect(type).toBe(change === 0 ? null : 'InvalidSignatureException');
        }
      }
    });
  });
});
