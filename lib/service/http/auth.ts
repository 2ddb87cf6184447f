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
import { checkAllSigned, checkScope, invalid, readClaim, splitOnce, type Claim } from './claim.js';
import { headerOf } from './header-of.js';
import {
  EMPTY_HASH,
  canonicalRequest,
  hmac,
  sha256,
  signingKey,
  stringToSign,
  type SignedRequest,
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

type AuthOptions = Pick<CheckedOptions, 'credentials' | 'region' | 'clock' | 'host'>;

/** A request whose key, token, date and scope are good. @internal */
export interface Admitted {
  /** Whether the signature is proven before the body has come. */
  readonly proven: boolean;
  /** Proves the rest by the body. Throws as `admit`. */
  readonly prove: (body: RequestBody) => Authenticated;
}

/**
 * Finds out of the head of a request who signed it, so that nothing is kept for somebody who is not
 * known. Throws the exceptions that AWS answers with; the message never tells the expected signature.
 * @internal
 */
export function admit(request: IncomingMessage, options: AuthOptions): Admitted {
  if (options.credentials === 'open') {
    refuseOthers(request, options.host);
    return { proven: false, prove: () => ({ caller: anyone(), seed: undefined }) };
  }
  const [path = '/', query = ''] = splitOnce(request.url ?? '/', '?');
  const claim = readClaim(request, query);
  const credential = credentialOf(options.credentials, claim.scope.accessKeyId);
  // First, for a token that is not signed is nobody's word.
  checkAllSigned(request, claim);
  checkToken(credential, claim.token, options.clock.wall());
  checkScope(claim, options);
  const key = signingKey(credential.secretAccessKey, claim.scope);
  const check = (hash: string): void => {
    checkSignature(claim, key, {
      method: request.method ?? 'POST',
      path,
      query,
      headers: claim.signedHeaders.map((name) => [name, headerValue(request, name)]),
      payloadHash: hash,
    });
  };
  const named = headerOf(request, 'x-amz-content-sha256');
  if (named !== undefined) check(named);
  return {
    proven: named !== undefined,
    prove: (body) => {
      if (named === undefined) check(body.kind === 'media' ? EMPTY_HASH : sha256(body.bytes));
      else checkBody(named, body);
      return provenBy(claim, credential, key);
    },
  };
}

function checkSignature(claim: Claim, key: Uint8Array, request: SignedRequest): void {
  const canonical = canonicalRequest(request);
  const expected = hmac(key, stringToSign(canonical, claim.time, claim.scope));
  // Read as hexadecimal alone, what stands behind 64 digits would be passed over.
  const given = Buffer.from(/^[0-9a-f]{64}$/.test(claim.signature) ? claim.signature : '', 'hex');
  if (given.length === expected.length && timingSafeEqual(given, expected)) return;
  throw noMatch();
}

/**
 * A signed hash that is not the body's would let anyone change the body. AWS's C producers sign no
 * hash in a header: their control calls sign the body, their PutMedia the empty string.
 */
function checkBody(named: string, body: RequestBody): void {
  if (body.kind === 'media' || LITERALS.has(named)) return;
  if (sha256(body.bytes) !== named.toLowerCase()) throw noMatch();
}

function noMatch(): ServiceError {
  return invalid(
    'The request signature we calculated does not match the signature you provided. Check ' +
      'your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
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
 * Any page that a browser on this machine shows may send it requests, and browsers say so: by Origin,
 * or, where the page's own name was made to mean this machine, by Host. Without signatures only what
 * calls this machine by one of its own names may have requests carried out.
 */
function refuseOthers({ headers: { origin, host } }: IncomingMessage, own: string): void {
  if (origin !== undefined && !isLoopback(hostnameOf(origin))) {
    throw notFor(`Origin ${origin.slice(0, 128)}`);
  }
  if (host === undefined) return;
  const name = hostnameOf(`http://${host}`);
  if (!isLoopback(name) && name !== own) throw notFor(`Host ${host.slice(0, 128)}`);
}

/** Empty where it is no URL. */
function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
}

function notFor(what: string): ServiceError {
  return new ServiceError(
    'AccessDeniedException',
    `The service is open to programs of its machine, not to web pages (${what}); ` +
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
  throw unrecognized();
}

/** Temporary keys go with their token and end with it; others have none. */
function checkToken(credential: ServiceCredential, token: string | undefined, now: number): void {
  const { sessionToken, expiration = Infinity } = credential;
  if (!isEqualText(token ?? '', sessionToken ?? '')) throw unrecognized();
  if (now < expiration) return;
  throw new ServiceError(
    'ExpiredTokenException',
    'The security token included in the request is expired',
  );
}

function isEqualText(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(sha256(a)), Buffer.from(sha256(b)));
}

function unrecognized(): ServiceError {
  return new ServiceError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  );
}

/** As signers join what came several times: by a comma alone. */
function headerValue(request: IncomingMessage, name: string): string {
  return request.headersDistinct[name]?.join(',') ?? '';
}
