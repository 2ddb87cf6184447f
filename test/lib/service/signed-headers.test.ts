import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import type { KvsService } from '../../../lib/service/index.js';
import { Sha256 } from '../../../lib/transport/sha256.js';
import { signedFetch, signedHeaders } from '../../support/signed-fetch.js';
import { CREDENTIALS, withService } from './helpers.js';

/* AWS's headers say what a call does; whoever has a signature may not add some of his own. */

const KNOWN = {
  credentials: {
    [CREDENTIALS.accessKeyId]: {
      secretAccessKey: CREDENTIALS.secretAccessKey,
      accountId: '123456789012',
    },
  },
};

const PUT = {
  'x-amzn-stream-name': 'cam',
  'x-amzn-fragment-timecode-type': 'ABSOLUTE',
  'x-amzn-producer-start-timestamp': '0',
};

async function presigned({ endpoint }: KvsService, headers: object): Promise<string> {
  const url = new URL('/putMedia', endpoint);
  const signer = new SignatureV4({
    ...{ service: 'kinesisvideo', region: 'us-west-2', credentials: CREDENTIALS, sha256: Sha256 },
  });
  const signed = await signer.presign(
    {
      ...{ method: 'POST', protocol: 'http:', hostname: url.hostname, path: url.pathname },
      headers: { host: url.host, ...headers },
    },
    { unhoistableHeaders: new Set(Object.keys(headers)) },
  );
  for (const [name, value] of Object.entries(signed.query ?? {})) {
    url.searchParams.set(name, String(value));
  }
  return url.href.replaceAll('+', '%20');
}

async function put(address: string, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(address, { method: 'POST', headers });
  await answer.text();
  return answer.headers.get('x-amzn-errortype') ?? String(answer.status);
}

describe('headers of AWS that are not signed', () => {
  it('are refused beside a signature in the query, which opens no other stream', async () => {
    await withService(KNOWN, async (service) => {
      await signedFetch(CREDENTIALS, `${service.endpoint}/createStream`, { StreamName: 'cam' });
      const good = await presigned(service, PUT);
      expect(await put(good, PUT)).toBe('200');
      expect(await put(good, { ...PUT, 'x-amzn-stream-name': 'other' })).toBe(
        'InvalidSignatureException',
      );
      expect(await put(await presigned(service, {}), PUT)).toBe('InvalidSignatureException');
      for (const name of Object.keys(PUT)) {
        const others = Object.fromEntries(Object.entries(PUT).filter(([one]) => one !== name));
        expect(await put(await presigned(service, others), PUT), name).toBe(
          'InvalidSignatureException',
        );
      }
    });
  });

  it.each([
    'x-amzn-stream-arn',
    'x-amzn-fragment-acknowledgment-required',
    'x-amz-content-sha256',
    'x-amz-decoded-content-length',
    'x-amz-security-token',
    'x-amz-trailer',
    'X-AMZ-Anything',
  ])('%s is refused beside a signature in the header', async (name) => {
    await withService(KNOWN, async ({ endpoint }) => {
      const url = new URL('/describeStream', endpoint);
      const body = { StreamName: 'nobody' };
      const signed = await signedHeaders(CREDENTIALS, url, 'POST', body);
      const call = async (more: Record<string, string>): Promise<string> => {
        const { [name]: _own, ...rest } = signed;
        const headers = { ...rest, ...more };
        const init = { method: 'POST', headers, body: JSON.stringify(body) };
        const answer = await fetch(url, init);
        const text = await answer.text();
        return `${answer.headers.get('x-amzn-errortype') ?? ''} ${text}`;
      };
      if (!(name in signed)) expect(await call({})).toContain('ResourceNotFoundException');
      // Signers leave this one out, since proxies change it.
      if (!(name in signed)) {
        expect(await call({ 'x-amzn-trace-id': 'Root=1' })).toContain('ResourceNotFoundException');
      }
      const refused = await call({
        [name]: signed[name] ?? '1',
        authorization: without(signed, name),
      });
      expect(refused).toMatch(/^InvalidSignatureException .*SignedHeaders does not name/);
      expect(refused).toContain(name.toLowerCase());
    });
  });

  it.each(['constructor', '__proto__', 'toString', 'hasownproperty', 'nothing'])(
    'SignedHeaders=host;%s is a wrong signature, not a failure of the service',
    async (name) => {
      const logged: string[] = [];
      const log = (level: string, message: string): void => void logged.push(`${level} ${message}`);
      await withService({ ...KNOWN, log }, async ({ endpoint }) => {
        const url = new URL('/listStreams', endpoint);
        const headers = await signedHeaders(CREDENTIALS, url, 'POST', {});
        headers['authorization'] = (headers['authorization'] ?? '').replace(
          /SignedHeaders=[^,]*/,
          `SignedHeaders=host;x-amz-content-sha256;x-amz-date;${name}`,
        );
        const answer = await fetch(url, { method: 'POST', headers, body: '{}' });
        expect(answer.status).toBe(403);
        expect(answer.headers.get('x-amzn-errortype')).toBe('InvalidSignatureException');
      });
      expect(logged.filter((line) => line.startsWith('error'))).toEqual([]);
    },
  );
});

/** The same claim without one name. */
function without(headers: Readonly<Record<string, string>>, name: string): string {
  const claim = headers['authorization'] ?? '';
  return claim.replace(/(SignedHeaders=)([^,]*)/, (_all, start: string, names: string) => {
    return (
      start +
      names
        .split(';')
        .filter((one) => one !== name)
        .join(';')
    );
  });
}
