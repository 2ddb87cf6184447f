import { Readable } from 'node:stream';
import { KvsError } from '../base/errors.js';

/** The body of an SDK answer as a Node stream. @internal */
export function payloadStream(payload: unknown, operation: string): Readable {
  if (payload instanceof Readable) return payload;
  throw new KvsError({
    status: 'STATUS_NO_MORE_DATA_AVAILABLE',
    message: `${operation} was answered without a body`,
    retryable: true,
  });
}
