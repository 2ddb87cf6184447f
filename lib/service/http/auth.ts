import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.js';
import {
  OPEN_ACCOUNT,
  isLoopback,
  type CheckedOptions,
  type ServiceCredential,
} from '../options.js';
import type { Policy } from '../policy/policy.js';
import type { ChunkSeed } from './aws-chunked.js';
import { LITERALS } from './body-form.js';
import { headerOf } from './header-of.js';
import {
  EMPTY_HASH,
  canonicalRequest,
  hmac,
  sha256,
  signingKey,
  stringToSign,
  type CredentialScope,
} from './sigv4.js';

/** Who makes a call. @internal */
export interface Caller {
  readonly account: string;
  readonly user: string;
  readonly accessKeyId: string;
  /** Undefined: everything is allowed. */
  readonly policies: readonly Policy[] | undefined;
}

/** Who makes a call, and what the signatures of its chunks go on from. @internal */
export interface Authenticated {
  readonly caller: Caller;
  /** Undefined while the service is open. */
  readonly seed: ChunkSeed | undefined;
}

/** Whether the request has a body that was read, or one that streams and is not hashed. */
export type RequestBody = { readonly kind: 'read'; readonly bytes: Uint8Array } | { kind: 'media' };

type AuthOptions = Pick<CheckedOptions, 'credentials' | 'region' | 'clock'>;

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** How far the client's clock may be off, ms. */
const MAX_SKEW = 300_000;
/** Longest life of a signature in a query, seconds. */
const MAX_EXPIRES = 604_800;

interface Claim {
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly time: string;
  /** How long it holds, ms. */
  readonly validFor: number;
}

/**
 * Finds who signed a request. Throws the exceptions that AWS answers with; the message never
 * tells the expected signature. @internal
 */
export function authenticate(
  request: IncomingMessage,
  body: RequestBody,
  options: AuthOptions,
): Authenticated {
  if (options.credentials === 'open') {
    refusePages(request);
    return { caller: anyone(), seed: undefined };
  }
  const [path = '/', query = ''] = splitOnce(request.url ?? '/', '?');
  const claim = readClaim(request, query);
  const credential = credentialOf(options.credentials, claim.scope.accessKeyId);
  checkScope(claim, options);
  checkAllSigned(request, claim);
  const canonical = canonicalRequest({
    method: request.method ?? 'POST',
    path,
    query,
    headers: claim.signedHeaders.map((name) => [name, headerValue(request, name)]),
    payloadHash: payloadHash(request, body),
  });
  const key = signingKey(credential.secretAccessKey, claim.scope);
  const expected = hmac(key, stringToSign(canonical, claim.time, claim.scope));
  // Read as hexadecimal alone, what stands behind 64 digits would be passed over.
  const given = Buffer.from(/^[0-9a-f]{64}$/.test(claim.signature) ? claim.signature : '', 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new ServiceError(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided. Check ' +
        'your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
  return provenBy(claim, credential, key);
}

function provenBy(claim: Claim, credential: ServiceCredential, key: Uint8Array): Authenticated {
  const { accessKeyId, date, region, service } = claim.scope;
  return {
    caller: {
      account: credential.accountId,
      user: credential.userName ?? accessKeyId,
      accessKeyId,
      policies: credential.policies,
    },
    seed: {
      key,
      scope: `${date}/${region}/${service}/aws4_request`,
      time: claim.time,
      signature: claim.signature,
    },
  };
}

/**
 * Any page that a browser on this machine shows may send it requests, and browsers say so. Without
 * signatures only pages of this machine itself may have them carried out.
 */
function refusePages({ headers: { origin } }: IncomingMessage): void {
  if (origin === undefined) return;
  const host = URL.canParse(origin) ? new URL(origin).hostname.replace(/^\[|\]$/g, '') : '';
  if (isLoopback(host)) return;
  throw new ServiceError(
    'AccessDeniedException',
    `The service is open to programs of its machine, not to web pages (Origin ${origin.slice(0, 128)}); ` +
      'start it with credentials to let others call.',
  );
}

function anyone(): Caller {
  return { account: OPEN_ACCOUNT, user: 'open', accessKeyId: '', policies: undefined };
}

function credentialOf(
  credentials: Readonly<Record<string, ServiceCredential>>,
  accessKeyId: string,
): ServiceCredential {
  const found = Object.hasOwn(credentials, accessKeyId) ? credentials[accessKeyId] : undefined;
  if (found !== undefined) return found;
  throw new ServiceError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  );
}

function readClaim(request: IncomingMessage, query: string): Claim {
  const header = request.headers.authorization;
  if (header !== undefined) return readHeaderClaim(header, request);
  const params = new URLSearchParams(query);
  if (params.has('X-Amz-Signature')) return readQueryClaim(params);
  throw new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token');
}

function readHeaderClaim(header: string, request: IncomingMessage): Claim {
  const [algorithm = '', rest = ''] = splitOnce(header.trim(), ' ');
  if (algorithm !== ALGORITHM) {
    throw incomplete(`Authorization uses '${algorithm}'; ${ALGORITHM} is understood`);
  }
  const parts = new Map<string, string>();
  for (const part of rest.split(',')) {
    const [name = '', value = ''] = splitOnce(part.trim(), '=');
    parts.set(name, value);
  }
  const time = headerOf(request, 'x-amz-date') ?? isoTime(headerOf(request, 'date'));
  return claimOf(
    {
      Credential: parts.get('Credential'),
      SignedHeaders: parts.get('SignedHeaders'),
      Signature: parts.get('Signature'),
      'X-Amz-Date': time,
    },
    MAX_SKEW,
  );
}

function readQueryClaim(params: URLSearchParams): Claim {
  const expires = Number(params.get('X-Amz-Expires') ?? '300');
  if (params.get('X-Amz-Algorithm') !== ALGORITHM) {
    throw incomplete(`X-Amz-Algorithm must be ${ALGORITHM}`);
  }
  if (!Number.isInteger(expires) || expires < 1 || expires > MAX_EXPIRES) {
    throw incomplete(`X-Amz-Expires must be 1 to ${String(MAX_EXPIRES)} seconds`);
  }
  return claimOf(
    {
      Credential: params.get('X-Amz-Credential') ?? undefined,
      SignedHeaders: params.get('X-Amz-SignedHeaders') ?? undefined,
      Signature: params.get('X-Amz-Signature') ?? undefined,
      'X-Amz-Date': params.get('X-Amz-Date') ?? undefined,
    },
    expires * 1000,
  );
}

function claimOf(
  parts: Readonly<
    Record<'Credential' | 'SignedHeaders' | 'Signature' | 'X-Amz-Date', string | undefined>
  >,
  validFor: number,
): Claim {
  for (const [name, value] of Object.entries(parts)) {
    if (value === undefined || value === '') {
      throw incomplete(`Authorization requires '${name}' parameter.`);
    }
  }
  const [accessKeyId, date, region, service, end, ...more] = (parts.Credential ?? '').split('/');
  if (
    accessKeyId === undefined ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    end !== 'aws4_request' ||
    more.length > 0
  ) {
    throw incomplete('Credential must be ACCESS_KEY/YYYYMMDD/REGION/SERVICE/aws4_request');
  }
  const signedHeaders = (parts.SignedHeaders ?? '').toLowerCase().split(';');
  if (!signedHeaders.includes('host')) throw incomplete('SignedHeaders must include host');
  return {
    scope: { accessKeyId, date, region, service },
    signedHeaders,
    signature: parts.Signature ?? '',
    time: parts['X-Amz-Date'] ?? '',
    validFor,
  };
}

/** Signers leave this one out, since proxies change it; nothing here looks at it. */
const NEVER_SIGNED = 'x-amzn-trace-id';

/**
 * AWS's headers say what is done, to which stream: whoever has a signed request without them could
 * add them, and have something else done.
 */
function checkAllSigned(request: IncomingMessage, { signedHeaders }: Claim): void {
  const unsigned = Object.keys(request.headers).filter(
    (name) => name.startsWith('x-amz') && name !== NEVER_SIGNED && !signedHeaders.includes(name),
  );
  if (unsigned.length === 0) return;
  throw invalid(
    `Every x-amz header has to be signed; SignedHeaders does not name ${unsigned.slice(0, 5).join(', ')}.`,
  );
}

function checkScope(claim: Claim, options: AuthOptions): void {
  const { scope, time } = claim;
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time);
  if (match === null) throw incomplete(`X-Amz-Date '${time}' is not YYYYMMDDTHHMMSSZ`);
  const [, year, month, day, hour, minute, second] = match.map(Number);
  const at = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  if (scope.date !== time.slice(0, 8)) {
    throw invalid(`Date in Credential scope '${scope.date}' does not match '${time}'.`);
  }
  if (scope.service !== 'kinesisvideo') {
    throw invalid("Credential should be scoped to correct service: 'kinesisvideo'.");
  }
  if (scope.region !== options.region) {
    throw invalid(`Credential should be scoped to a valid region: '${options.region}'.`);
  }
  const now = options.clock.wall();
  if (at > now + MAX_SKEW) {
    throw invalid(`Signature not yet current: ${time} is still later than ${isoNow(now)}`);
  }
  if (now > at + claim.validFor) {
    throw invalid(`Signature expired: ${time} is now earlier than ${isoNow(now - claim.validFor)}`);
  }
}

/**
 * What the client put in the place of the body's hash. AWS's C producers send no
 * x-amz-content-sha256; their control calls sign the body, their PutMedia the empty string.
 */
function payloadHash(request: IncomingMessage, body: RequestBody): string {
  const named = headerOf(request, 'x-amz-content-sha256');
  if (named === undefined) return body.kind === 'media' ? EMPTY_HASH : sha256(body.bytes);
  if (body.kind === 'media' || LITERALS.has(named)) return named;
  // A signed hash that is not the body's would let anyone change the body.
  return sha256(body.bytes) === named.toLowerCase() ? named : sha256(body.bytes);
}

function headerValue(request: IncomingMessage, name: string): string {
  return headerOf(request, name) ?? '';
}

function splitOnce(text: string, by: string): string[] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
}

function isoTime(date: string | undefined): string | undefined {
  if (date === undefined) return undefined;
  const at = Date.parse(date);
  return Number.isNaN(at) ? date : isoNow(at);
}

function isoNow(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

function incomplete(message: string): ServiceError {
  return new ServiceError('IncompleteSignatureException', message);
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidSignatureException', message);
}
