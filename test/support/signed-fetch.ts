import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../../lib/transport/sha256.js';

/** Credentials of whoever makes a call. */
export interface CallerKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Makes a call of the service that AWS's signer has signed: GET without a body, else POST. */
export async function signedFetch(
  keys: CallerKeys,
  address: string,
  body?: object,
): Promise<Response> {
  const url = new URL(address);
  const region = 'us-west-2';
  const signer = new SignatureV4({
    ...{ service: 'kinesisvideo', region, credentials: keys, sha256: Sha256 },
  });
  const request = {
    ...{ method: body === undefined ? 'GET' : 'POST', protocol: url.protocol },
    ...{ hostname: url.hostname, path: url.pathname, headers: { host: url.host } },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  const { method, headers } = await signer.sign(request);
  return fetch(url, { method, headers, ...(body !== undefined && { body: request.body ?? '' }) });
}
