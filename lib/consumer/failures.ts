import { isError, messageOf } from '../base/values.js';
import { KvsError } from '../base/errors.js';
import type { StatusName } from '../generated/status.js';

const STATUS_OF_EXCEPTION: ReadonlyMap<string, StatusName> = new Map<string, StatusName>([
  ['ResourceNotFoundException', 'STATUS_SERVICE_CALL_RESOURCE_NOT_FOUND_ERROR'],
  ['InvalidArgumentException', 'STATUS_SERVICE_CALL_INVALID_ARG_ERROR'],
  ['NotAuthorizedException', 'STATUS_SERVICE_CALL_NOT_AUTHORIZED_ERROR'],
  ['AccessDeniedException', 'STATUS_SERVICE_CALL_NOT_AUTHORIZED_ERROR'],
  ['InvalidSignatureException', 'STATUS_SERVICE_CALL_NOT_AUTHORIZED_ERROR'],
  ['UnrecognizedClientException', 'STATUS_SERVICE_CALL_NOT_AUTHORIZED_ERROR'],
  ['ExpiredTokenException', 'STATUS_SERVICE_CALL_NOT_AUTHORIZED_ERROR'],
  ['ClientLimitExceededException', 'STATUS_SERVICE_CALL_CLIENT_LIMIT_ERROR'],
  ['ConnectionLimitExceededException', 'STATUS_SERVICE_CALL_CLIENT_LIMIT_ERROR'],
  ['ResourceInUseException', 'STATUS_SERVICE_CALL_RESOURCE_IN_USE_ERROR'],
  ['TimeoutError', 'STATUS_SERVICE_CALL_TIMEOUT_ERROR'],
]);

/** Statuses with which the same call may succeed later. */
const PASSING: ReadonlySet<StatusName> = new Set<StatusName>([
  'STATUS_SERVICE_CALL_CLIENT_LIMIT_ERROR',
  'STATUS_SERVICE_CALL_RESOURCE_IN_USE_ERROR',
  'STATUS_SERVICE_CALL_TIMEOUT_ERROR',
]);

/**
 * A failed call of the SDK as `KvsError`: refused by the service, or (retryable) not answered at
 * all. An abort comes back as the signal's own reason.
 * @internal
 */
export function callFailed(
  operation: string,
  stream: string,
  error: unknown,
  signal: AbortSignal | undefined,
): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof KvsError) return error;
  const name = isError(error) ? error.name : 'unknown';
  const words = messageOf(error);
  const http = httpStatus(error);
  const status = STATUS_OF_EXCEPTION.get(name) ?? 'STATUS_SERVICE_CALL_UNKOWN_ERROR';
  return new KvsError({
    status,
    message: `${operation} of stream ${stream} failed: ${name}: ${words}`,
    retryable:
      PASSING.has(status) ||
      (http === undefined ? isConnectionFault(error) : http >= 500 || http === 429),
    cause: error,
  });
}

/** Whether the network failed, and not a program: ECONNRESET and the like, a body cut short. */
function isConnectionFault(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  const { code } = error;
  if (typeof code !== 'string') return false;
  return (
    code === 'ERR_STREAM_PREMATURE_CLOSE' || (code.startsWith('E') && !code.startsWith('ERR_'))
  );
}

/** The HTTP status of the service's answer; undefined when there was none. */
function httpStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const { $metadata: metadata } = error;
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  if (!('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
