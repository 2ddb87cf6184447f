import { isError } from '../base/values.js';
/**
 * Results of service calls as the core counts them (guide: SERVICE_CALL_RESULT): HTTP statuses
 * where there is one.
 */
export const CALL_RESULT = {
  OK: 200,
  INVALID_ARG: 400,
  NOT_AUTHORIZED: 401,
  FORBIDDEN: 403,
  RESOURCE_NOT_FOUND: 404,
  REQUEST_TIMEOUT: 408,
  CLIENT_LIMIT: 429,
  INTERNAL_ERROR: 500,
  SERVICE_UNAVAILABLE: 503,
  GATEWAY_TIMEOUT: 504,
  NETWORK_READ_TIMEOUT: 598,
  NETWORK_CONNECTION_TIMEOUT: 599,
  DEVICE_LIMIT: 10001,
  STREAM_LIMIT: 10002,
  RESOURCE_IN_USE: 10003,
  UNKNOWN: 10006,
  AUTH_FAILURE: 10007,
} as const;

const BY_EXCEPTION: Readonly<Record<string, number>> = {
  ClientLimitExceededException: CALL_RESULT.CLIENT_LIMIT,
  ConnectionLimitExceededException: CALL_RESULT.CLIENT_LIMIT,
  ThrottlingException: CALL_RESULT.CLIENT_LIMIT,
  Throttling: CALL_RESULT.CLIENT_LIMIT,
  DeviceStreamLimitExceededException: CALL_RESULT.DEVICE_LIMIT,
  AccountStreamLimitExceededException: CALL_RESULT.STREAM_LIMIT,
  ResourceInUseException: CALL_RESULT.RESOURCE_IN_USE,
  ResourceNotFoundException: CALL_RESULT.RESOURCE_NOT_FOUND,
  NotAuthorizedException: CALL_RESULT.NOT_AUTHORIZED,
  AccessDeniedException: CALL_RESULT.FORBIDDEN,
  ExpiredTokenException: CALL_RESULT.FORBIDDEN,
  InvalidSignatureException: CALL_RESULT.FORBIDDEN,
  SignatureDoesNotMatch: CALL_RESULT.FORBIDDEN,
  IncompleteSignature: CALL_RESULT.FORBIDDEN,
  MissingAuthenticationToken: CALL_RESULT.FORBIDDEN,
  UnrecognizedClientException: CALL_RESULT.FORBIDDEN,
  InvalidClientTokenId: CALL_RESULT.FORBIDDEN,
  RequestExpired: CALL_RESULT.FORBIDDEN,
  RequestTimeTooSkewed: CALL_RESULT.FORBIDDEN,
  CredentialsProviderError: CALL_RESULT.AUTH_FAILURE,
};

const NOT_CONNECTED: Readonly<Record<string, true>> = {
  ECONNREFUSED: true,
  ENOTFOUND: true,
  EAI_AGAIN: true,
  EHOSTUNREACH: true,
  ENETUNREACH: true,
  EHOSTDOWN: true,
  ENETDOWN: true,
};

/** The result of an HTTP answer: by the name of its exception where that says more than the status. */
export function resultOfAnswer(status: number, exception: string | undefined): number {
  const byName = exception === undefined ? undefined : BY_EXCEPTION[exception];
  return byName ?? status;
}

/** The result of a call that failed with `error`: an SDK exception, a socket error, a time-out. */
export function resultOfError(error: unknown): number {
  if (!isError(error)) return CALL_RESULT.UNKNOWN;
  const byName = BY_EXCEPTION[error.name];
  if (byName !== undefined) return byName;
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return CALL_RESULT.REQUEST_TIMEOUT;
  }
  const status = httpStatusOf(error);
  if (status !== undefined) return status;
  const code = errorCode(error);
  if (code === undefined) return CALL_RESULT.UNKNOWN;
  return NOT_CONNECTED[code] === true
    ? CALL_RESULT.NETWORK_CONNECTION_TIMEOUT
    : CALL_RESULT.NETWORK_READ_TIMEOUT;
}

/** `code` of a system error such as ECONNRESET, found on the error or on what caused it. */
export function errorCode(error: Error): string | undefined {
  let at: unknown = error;
  // Causes may lead in a circle.
  for (let depth = 0; depth < 8 && isError(at); depth += 1) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    at = at.cause;
  }
  return undefined;
}

/** Status of the answer that an SDK exception was made from. */
function httpStatusOf(error: Error): number | undefined {
  if (!('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  if (!('httpStatusCode' in metadata) || typeof metadata.httpStatusCode !== 'number') {
    return undefined;
  }
  return metadata.httpStatusCode === CALL_RESULT.OK ? undefined : metadata.httpStatusCode;
}

/** Name of the exception in an error answer: from its header, else from its JSON body. */
export function exceptionName(header: string | undefined, body: string): string | undefined {
  const raw = header ?? nameInBody(body);
  const name = raw?.split('#').pop()?.split(':')[0]?.trim();
  return name === '' ? undefined : name;
}

function nameInBody(body: string): string | undefined {
  return textField(body, '__type') ?? textField(body, 'code');
}

/** Message of a JSON error body, or its first characters when it is not JSON. */
export function exceptionMessage(body: string): string {
  return textField(body, 'message') ?? textField(body, 'Message') ?? body.slice(0, 200);
}

function textField(body: string, key: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null || !(key in parsed)) return undefined;
    const value: unknown = Reflect.get(parsed, key);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
