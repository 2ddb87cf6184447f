import type { PutMediaRequest } from './put-media.js';
import { Sha256 } from './sha256.js';

/** A PutMedia request ready to be sent. */
export interface SignedPutMedia {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Signs a PutMedia request at time `now` (ms since 1970, this machine's clock). The body is not
 * signed: the payload hash is that of the empty string and no x-amz-content-sha256 is sent.
 * Rejects when the credentials are not usable.
 */
export async function signPutMedia(
  request: PutMediaRequest,
  userAgent: string,
  now: number,
): Promise<SignedPutMedia> {
  const url = putMediaUrl(request.endpoint);
  // Loaded with the first session: importing this package shall cost little.
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const signer = new SignatureV4({
    service: 'kinesisvideo',
    region: request.region,
    credentials: request.credentials,
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: putMediaHeaders(request, url.host, userAgent),
    },
    { signingDate: new Date(now + (request.clockOffset ?? 0)) },
  );
  return { url, headers: signed.headers };
}

function putMediaUrl(endpoint: string): URL {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/putMedia`;
  return url;
}

function putMediaHeaders(
  request: PutMediaRequest,
  host: string,
  userAgent: string,
): Record<string, string> {
  return {
    host,
    'content-type': 'video/x-matroska',
    'transfer-encoding': 'chunked',
    'user-agent': userAgent,
    'x-amzn-stream-name': request.streamName,
    'x-amzn-fragment-timecode-type': request.absolute ? 'ABSOLUTE' : 'RELATIVE',
    'x-amzn-producer-start-timestamp': startTimestamp(request.start),
    'x-amzn-fragment-acknowledgment-required': request.acks ? '1' : '0',
  };
}

/** Milliseconds since 1970 as the service wants them: seconds with exactly three decimals. */
export function startTimestamp(start: number): string {
  const ms = Math.floor(start);
  return `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}`;
}
