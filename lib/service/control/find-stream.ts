import type { ServiceContext } from '../context.js';
import { ServiceError } from '../errors.js';
import type { Call } from '../http/front.js';
import type { Stream } from './streams.js';

/** The stream that a call names, found and counted against its rate. @internal */
export function findStream(context: ServiceContext, call: Call): Stream {
  const { input, caller } = call;
  const arn = input.string('StreamARN') ?? input.string('ResourceARN');
  const stream = context.streams.find(caller.account, input.string('StreamName'), arn);
  context.rates.checkStream(call, stream.record.id);
  return stream;
}

/** As `findStream`, for its media, which is gone as soon as the stream is being deleted. @internal */
export function findMedia(context: ServiceContext, call: Call): Stream {
  const stream = findStream(context, call);
  if (stream.status !== 'DELETING') return stream;
  throw new ServiceError(
    'ResourceNotFoundException',
    `Stream ${stream.record.name} is being deleted.`,
  );
}
