import { KvsError } from '../../base/errors.js';
import {
  STREAM_EVENT_IMAGE_GENERATION,
  STREAM_EVENT_NOTIFICATION,
  type NativeStream,
} from '../../native/index.js';

/** What the service does when it meets a fragment with the event. */
export type FragmentEvent = 'IMAGE_GENERATION' | 'NOTIFICATION';

/** What goes with an event. */
export interface FragmentEventOptions {
  /** Prefix of the image's name in S3, at most 256 bytes; IMAGE_GENERATION only. */
  readonly imagePrefix?: string;
  /** At most 10 pairs that come with the image or notification; names 1 to 128 bytes, values up to 256. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const BITS: Readonly<Record<FragmentEvent, number>> = {
  IMAGE_GENERATION: STREAM_EVENT_IMAGE_GENERATION,
  NOTIFICATION: STREAM_EVENT_NOTIFICATION,
};

type Put = Parameters<NativeStream['putEvent']>;

/** The arguments of `NativeStream.putEvent`. Throws `KvsError` for an event that there is not. @internal */
export function eventArguments(
  events: FragmentEvent | readonly FragmentEvent[],
  options: FragmentEventOptions,
): [events: Put[0], imagePrefix: Put[1], names: Put[2], values: Put[3]] {
  const list: readonly FragmentEvent[] = typeof events === 'string' ? [events] : events;
  let bits = 0;
  for (const event of list) {
    if (!Object.hasOwn(BITS, event)) {
      throw new KvsError({
        status: 'STATUS_INVALID_ARG',
        message: `putEvent: '${String(event)}' is no event; give ${Object.keys(BITS).join(' or ')}`,
      });
    }
    bits |= BITS[event];
  }
  const { imagePrefix = '', metadata = {} } = options;
  return [bits, imagePrefix, Object.keys(metadata), Object.values(metadata)];
}
