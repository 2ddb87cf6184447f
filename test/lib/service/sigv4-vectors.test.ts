import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  canonicalRequest,
  hmac,
  sha256,
  signingKey,
  stringToSign,
} from '../../../lib/service/http/sigv4.js';

/* AWS's published vectors: each step is compared, so that a difference shows where it arose. */

interface Vector {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly canonicalRequest: string;
  readonly stringToSign: string;
  readonly signature: string;
}

interface Suite {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly service: string;
  readonly time: string;
  readonly vectors: readonly Vector[];
}

function isSuite(value: unknown): value is Suite {
  return typeof value === 'object' && value !== null && 'vectors' in value;
}

const file = new URL('../../golden/sigv4/vectors.json', import.meta.url);
const suite: unknown = JSON.parse(readFileSync(file, 'utf8'));
if (!isSuite(suite)) throw new Error('no vectors');
const { accessKeyId, secretAccessKey, region, service, time, vectors } = suite;
const scope = { accessKeyId, date: time.slice(0, 8), region, service };

/** Headers as a signer lists them: by name, values of one name joined. */
function signed({ headers }: Vector): (readonly [string, string])[] {
  const byName = new Map<string, string>();
  for (const [name, value] of headers) {
    const before = byName.get(name.toLowerCase());
    const text = value.trim();
    byName.set(name.toLowerCase(), before === undefined ? text : `${before},${text}`);
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
}

describe("AWS's vectors of Signature Version 4", () => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    const [path = '', query = ''] = vector.target.split('?');
    const canonical = canonicalRequest({
      ...{ method: vector.method, path, query, headers: signed(vector) },
      payloadHash: sha256(vector.body),
    });
    expect(canonical).toBe(vector.canonicalRequest);
    const text = stringToSign(canonical, time, scope);
    expect(text).toBe(vector.stringToSign);
    const signature = hmac(signingKey(secretAccessKey, scope), text).toString('hex');
    expect(signature).toBe(vector.signature);
  });
});
