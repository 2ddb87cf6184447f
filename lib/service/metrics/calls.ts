import type { ServiceContext } from '../context.js';
import type { Call, RefusedCall } from '../http/front.js';
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

/** Counts a call of a caller who is known that was refused before it was carried out. @internal */
export function countRefused(
  context: ServiceContext,
  { operation, caller, values }: RefusedCall,
): void {
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  const { account } = caller;
  const stream = context.streams.lookup(account, text('StreamName'), text('StreamARN'));
  if (stream === undefined) return;
  const meter = context.metrics.of(stream.record);
  switch (operation.name) {
    case 'PutMedia':
    case 'GetMedia':
      meter.add(`${operation.name}.Requests`);
      meter.add(`${operation.name}.ConnectionErrors`);
      return;
    case 'GetMediaForFragmentList':
      meter.add('GetMediaForFragmentList.Requests');
      return;
    case 'GetHLSStreamingSessionURL':
      meter.add('GetHLSStreamingSessionURL.Requests');
      meter.add('GetHLSStreamingSessionURL.Success', 0);
      return;
    default:
      return;
  }
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
