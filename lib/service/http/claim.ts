import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.js';
import type { CheckedOptions } from '../options.js';
import { headerOf } from './header-of.js';
import type { CredentialScope } from './sigv4.js';

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** How far the client's clock may be off, ms. */
const MAX_SKEW = 300_000;
/** Longest life of a signature in a query, seconds. */
const MAX_EXPIRES = 604_800;

/** What a request says of its signature. @internal */
export interface Claim {
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly time: string;
  /** How long it holds, ms. */
  readonly validFor: number;
  /** The session token of temporary keys. */
  readonly token: string | undefined;
}

/** Reads the claim of a header or a query. Throws IncompleteSignature and MissingAuthenticationToken. @internal */
export function readClaim(request: IncomingMessage, query: string): Claim {
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
    headerOf(request, 'x-amz-security-token'),
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
    params.get('X-Amz-Security-Token') ?? undefined,
  );
}

function claimOf(
  parts: Readonly<
    Record<'Credential' | 'SignedHeaders' | 'Signature' | 'X-Amz-Date', string | undefined>
  >,
  validFor: number,
  token: string | undefined,
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
    token,
  };
}

/** Signers leave this one out, since proxies change it; nothing here looks at it. */
const NEVER_SIGNED = 'x-amzn-trace-id';

/**
 * AWS's headers say what is done, to which stream: whoever has a signed request without them could
 * add them, and have something else done.
 * @internal
 */
export function checkAllSigned(request: IncomingMessage, { signedHeaders }: Claim): void {
  const unsigned = Object.keys(request.headers).filter(
    (name) => name.startsWith('x-amz') && name !== NEVER_SIGNED && !signedHeaders.includes(name),
  );
  if (unsigned.length === 0) return;
  throw invalid(
    `Every x-amz header has to be signed; SignedHeaders does not name ${unsigned.slice(0, 5).join(', ')}.`,
  );
}

/** Throws unless the claim is for this service and time. @internal */
export function checkScope(claim: Claim, options: Pick<CheckedOptions, 'region' | 'clock'>): void {
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

/** @internal */
export function splitOnce(text: string, by: string): string[] {
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

/** @internal */
export function invalid(message: string): ServiceError {
  return new ServiceError('InvalidSignatureException', message);
}
