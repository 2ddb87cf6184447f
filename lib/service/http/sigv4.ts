import { createHash, createHmac } from 'node:crypto';

/* Signature Version 4, one step a function, so that a difference shows where it arose. */

/** The parts of a request that a signature covers. @internal */
export interface SignedRequest {
  readonly method: string;
  /** Path as on the request line, without the query. */
  readonly path: string;
  /** Query as on the request line, without the question mark. */
  readonly query: string;
  /** Names as in SignedHeaders, lower case, with their values as sent. */
  readonly headers: readonly (readonly [string, string])[];
  /** Hex SHA-256 of the body, or the literal that the client signed in its place. */
  readonly payloadHash: string;
}

/** `access key/date/region/service/aws4_request`. @internal */
export interface CredentialScope {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** SHA-256 of no bytes: what AWS's producers sign for a PutMedia body. @internal */
export const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** @internal */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** @internal */
export function canonicalRequest(request: SignedRequest): string {
  const headers = request.headers.map(
    ([name, value]) => `${name}:${value.trim().replace(/ +/g, ' ')}\n`,
  );
  return [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    headers.join(''),
    request.headers.map(([name]) => name).join(';'),
    request.payloadHash,
  ].join('\n');
}

/** @internal */
export function stringToSign(canonical: string, time: string, scope: CredentialScope): string {
  const { date, region, service } = scope;
  return `AWS4-HMAC-SHA256\n${time}\n${date}/${region}/${service}/aws4_request\n${sha256(canonical)}`;
}

/** The key that a day's signatures for a region and service are made with. @internal */
export function signingKey(secret: string, scope: CredentialScope): Buffer {
  const parts = [scope.date, scope.region, scope.service, 'aws4_request'];
  return parts.reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`));
}

/** @internal */
export function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Without empty, `.` and `..` parts, each part that is left encoded once more. */
function canonicalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(encode(part));
  }
  const end = parts.length > 0 && /\/\.{0,2}$/.test(path) ? '/' : '';
  return `/${parts.join('/')}${end}`;
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      const name = at < 0 ? pair : pair.slice(0, at);
      const value = at < 0 ? '' : pair.slice(at + 1);
      return { name: encode(decode(name)), value: encode(decode(value)) };
    })
    .filter(({ name }) => name !== 'X-Amz-Signature');
  pairs.sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value));
  return pairs.map(({ name, value }) => `${name}=${value}`).join('&');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
