import type { ServiceContext } from '../context.js';
import type { Call } from '../http/front.js';
import type { StreamMeter } from './meter.js';

/** The meter of the stream that a call names; undefined where it names none. @internal */
export function meterOfCall(
  context: ServiceContext,
  { caller, input }: Call,
): StreamMeter | undefined {
  const { account } = caller;
  const stream = context.streams.lookup(
    account,
    input.string('StreamName'),
    input.string('StreamARN'),
  );
  return stream === undefined ? undefined : context.metrics.of(stream.record);
}

/** Runs a media operation and counts its calls, and those that it refuses. @internal */
export async function countMediaCall(
  context: ServiceContext,
  operation: 'PutMedia' | 'GetMedia',
  call: Call,
  run: () => Promise<void>,
): Promise<void> {
  const meter = meterOfCall(context, call);
  meter?.add(`${operation}.Requests`);
  try {
    await run();
  } catch (error) {
    if (!call.response.headersSent) meter?.add(`${operation}.ConnectionErrors`);
    throw error;
  }
}
