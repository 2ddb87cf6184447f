import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../../lib/transport/sha256.js';

/** Credentials of whoever makes a call. */
export interface CallerKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * Makes a call of the service that AWS's signer has signed: a POST with a JSON body, or with headers
 * alone; without both a GET.
 */
export async function signedFetch(
  keys: CallerKeys,
  address: string,
  body?: object,
  headers?: Readonly<Record<string, string>>,
): Promise<Response> {
  const url = new URL(address);
  const method = (body ?? headers) === undefined ? 'GET' : 'POST';
  const signed = await signedHeaders(keys, url, method, body, headers);
  return fetch(url, {
    method,
    headers: signed,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** The headers of a call as AWS's signer signs them. */
export async function signedHeaders(
  keys: CallerKeys,
  url: URL,
  method: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
  at: Date = new Date(),
): Promise<Record<string, string>> {
  const signer = new SignatureV4({
    ...{ service: 'kinesisvideo', region: 'us-west-2', credentials: keys, sha256: Sha256 },
  });
  const request = {
    ...{ method, protocol: url.protocol, hostname: url.hostname, path: url.pathname },
    headers: { host: url.host, ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  const signed = await signer.sign(request, { signingDate: at });
  return signed.headers;
}
