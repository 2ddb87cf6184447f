import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import type { KvsService } from '../../../lib/service/index.js';
import { CREDENTIALS, withService } from './helpers.js';

/* Signatures in the query, made with AWS's own signer. */

type Source = string | ArrayBuffer | ArrayBufferView;

function bytesOf(data: Source): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

class Sha256 {
  readonly #secret: Uint8Array | undefined;
  #parts: Uint8Array[] = [];

  constructor(secret?: Source) {
    this.#secret = secret === undefined ? undefined : bytesOf(secret);
  }

  update(data: Source): void {
    this.#parts.push(Uint8Array.from(bytesOf(data)));
  }

  digest(): Promise<Uint8Array> {
    const secret = this.#secret;
    const hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
    return Promise.resolve(hash.update(Buffer.concat(this.#parts)).digest());
  }

  reset(): void {
    this.#parts = [];
  }
}

interface Presign {
  readonly service?: string;
  readonly region?: string;
  readonly secretAccessKey?: string;
  readonly expiresIn?: number;
  /** When it was signed, ms from now. */
  readonly at?: number;
}

const BODY = '{"StreamName":"nobody"}';

async function presigned(service: KvsService, how: Presign = {}): Promise<URL> {
  const url = new URL(service.endpoint);
  const signer = new SignatureV4({
    service: how.service ?? 'kinesisvideo',
    region: how.region ?? 'us-west-2',
    credentials: {
      ...CREDENTIALS,
      ...(how.secretAccessKey !== undefined && { secretAccessKey: how.secretAccessKey }),
    },
    sha256: Sha256,
  });
  const signed = await signer.presign(
    {
      ...{ method: 'POST', protocol: 'http:', hostname: url.hostname, port: Number(url.port) },
      path: '/describeStream',
      headers: { host: url.host },
      query: { odd: 'a b+c/ü' },
      body: BODY,
    },
    { expiresIn: how.expiresIn ?? 60, signingDate: new Date(Date.now() + (how.at ?? 0)) },
  );
  const found = new URL('/describeStream', service.endpoint);
  for (const [name, value] of Object.entries(signed.query ?? {})) {
    found.searchParams.set(name, String(value));
  }
  return found;
}

async function call(url: URL, body: string = BODY): Promise<string> {
  // As clients encode a query: `%20`, not `+`.
  const answer = await fetch(url.href.replaceAll('+', '%20'), { method: 'POST', body });
  return answer.headers.get('x-amzn-errortype') ?? String(answer.status);
}

const KNOWN = {
  credentials: {
    [CREDENTIALS.accessKeyId]: {
      secretAccessKey: CREDENTIALS.secretAccessKey,
      accountId: '123456789012',
    },
  },
};

describe('signatures in the query', () => {
  it('are taken while they last, and for what they were made', async () => {
    await withService(KNOWN, async (service) => {
      // Signed and allowed: then there is no such stream.
      expect(await call(await presigned(service))).toBe('ResourceNotFoundException');
      expect(await call(await presigned(service, { expiresIn: 604_800, at: -600_000_000 }))).toBe(
        'ResourceNotFoundException',
      );
      for (const how of [
        { at: -61_000 },
        { at: 400_000 },
        { service: 's3' },
        { region: 'eu-west-1' },
        { secretAccessKey: 'another' },
      ]) {
        expect(await call(await presigned(service, how)), JSON.stringify(how)).toBe(
          'InvalidSignatureException',
        );
      }
      expect(await call(await presigned(service), BODY.replace('nobody', 'nobodx'))).toBe(
        'InvalidSignatureException',
      );
    });
  });

  it('are refused when anything of them is changed or missing', async () => {
    await withService(KNOWN, async (service) => {
      const good = await presigned(service);
      for (const name of [...good.searchParams.keys()]) {
        const changed = new URL(good);
        changed.searchParams.set(name, `${good.searchParams.get(name) ?? ''}0`);
        expect(await call(changed), `${name} changed`).toMatch(
          /^(InvalidSignature|IncompleteSignature|UnrecognizedClient)Exception$/,
        );
        const missing = new URL(good);
        missing.searchParams.delete(name);
        expect(await call(missing), `${name} missing`).toMatch(
          /^(InvalidSignature|IncompleteSignature|MissingAuthenticationToken)Exception$/,
        );
      }
      const more = new URL(good);
      more.searchParams.set('more', '1');
      expect(await call(more)).toBe('InvalidSignatureException');
      for (const expires of ['0', '604801', '-1', '1e3', 'x']) {
        const changed = new URL(good);
        changed.searchParams.set('X-Amz-Expires', expires);
        expect(await call(changed), expires).toMatch(/^(Incomplete|Invalid)SignatureException$/);
      }
    });
  });
});
