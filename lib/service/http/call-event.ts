import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Operation } from '../api/operation.js';
import type { CallEvent } from '../audit/record.js';
import { ServiceError } from '../errors.js';
import { isNoRoom } from '../store/no-room.js';
import type { Caller } from './auth.js';
import type { Source } from './source.js';

/** What becomes known of a call on its way. @internal */
export interface Trace {
  readonly source: Source;
  operation?: Operation;
  /** The operation's parameters as they came; gone when they were found valid and allowed. */
  unchecked?: Readonly<Record<string, unknown>>;
  caller?: Caller;
  input?: Readonly<Record<string, unknown>>;
  answer?: object | undefined;
}

/** A call that has ended. @internal */
export interface EndedCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly time: number;
  readonly trace: Trace;
  readonly operation: Operation;
  readonly failure: unknown;
}

/** What is told of a call that has ended. @internal */
export function eventOf({
  request,
  response,
  time,
  trace,
  operation,
  failure,
}: EndedCall): CallEvent {
  const id = response.getHeader('x-amzn-RequestId');
  return {
    operation: operation.name,
    time,
    caller: trace.caller,
    input: trace.input,
    answer: trace.answer,
    error: failure === undefined ? undefined : answeredError(failure),
    requestId: typeof id === 'string' ? id : '',
    sourceAddress: trace.source.address,
    userAgent: request.headers['user-agent'] ?? '',
  };
}

/** What the caller is told of a failure. @internal */
export function answeredError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (isNoRoom(error)) {
    return new ServiceError(
      'ServiceUnavailable',
      'The disk that the service stores to is full. Try again later, when there is room.',
    );
  }
  return new ServiceError('InternalFailure', 'Internal service error');
}

/** The path of a request, without its query. @internal */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}
