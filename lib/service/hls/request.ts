import type { Input } from '../api/input.js';
import { ServiceError } from '../errors.js';
import type { TimeKind } from '../store/types.js';

/** What an HLS session shows, every default filled in. Times are ms since 1970. @internal */
export interface HlsRequest {
  readonly mode: 'LIVE' | 'LIVE_REPLAY' | 'ON_DEMAND';
  /** Which of a fragment's times the range and the playlist are about. */
  readonly timestamps: TimeKind;
  /** Undefined with LIVE. */
  readonly from?: number;
  /** Undefined with LIVE, and with LIVE_REPLAY that goes on. */
  readonly to?: number;
  readonly container: string;
  readonly discontinuity: string;
  readonly showTimestamps: string;
  /** How long the session lasts, ms. */
  readonly expires: number;
  /** Most fragments in a media playlist. */
  readonly maxFragments: number;
}

const DEFAULT_EXPIRES = 300;
const LIVE_FRAGMENTS = 5;
const ON_DEMAND_FRAGMENTS = 1000;
/** Three hours in the guide's year. */
const MAX_RANGE = 24 * 3_600_000;

/**
 * Reads a call's parameters as of `now`, for a stream that keeps what is at most `retention` ms old.
 * Throws InvalidArgumentException (guide: GetHLSStreamingSessionURL, HLSTimestampRange). @internal
 */
export function readHlsRequest(input: Input, now: number, retention: number): HlsRequest {
  const mode = modeOf(input.string('PlaybackMode'));
  const selector = input.object('HLSFragmentSelector');
  const type = selector?.string('FragmentSelectorType');
  const timestamps = type === 'PRODUCER_TIMESTAMP' ? 'producer' : 'server';
  const range = rangeOf(mode, selector);
  if (range !== undefined) {
    if (type === undefined) throw required('fragmentSelectorType', mode);
    checkRange(range);
    if (timestamps === 'server') checkServerRange(range, now, retention);
  }
  return {
    ...{ mode, timestamps, ...range },
    container: input.string('ContainerFormat') ?? 'FRAGMENTED_MP4',
    discontinuity:
      input.string('DiscontinuityMode') ?? (timestamps === 'server' ? 'ALWAYS' : 'NEVER'),
    showTimestamps: input.string('DisplayFragmentTimestamp') ?? 'NEVER',
    expires: (input.number('Expires') ?? DEFAULT_EXPIRES) * 1000,
    maxFragments:
      input.number('MaxMediaPlaylistFragmentResults') ??
      (mode === 'ON_DEMAND' ? ON_DEMAND_FRAGMENTS : LIVE_FRAGMENTS),
  };
}

type Range = Required<Pick<HlsRequest, 'from'>> & Pick<HlsRequest, 'to'>;

function modeOf(text: string | undefined): HlsRequest['mode'] {
  return text === 'ON_DEMAND' || text === 'LIVE_REPLAY' ? text : 'LIVE';
}

function rangeOf(mode: HlsRequest['mode'], selector: Input | undefined): Range | undefined {
  const range = selector?.object('TimestampRange');
  if (mode === 'LIVE') {
    if (range === undefined) return undefined;
    throw invalid('TimestampRange must not be given where PlaybackMode is LIVE');
  }
  if (selector === undefined) throw required('hLSFragmentSelector', mode);
  const from = range?.number('StartTimestamp');
  if (range === undefined || from === undefined) throw required('timestampRange', mode);
  const to = range.number('EndTimestamp');
  if (to === undefined && mode === 'ON_DEMAND') throw required('endTimestamp', mode);
  return { from: Math.round(from * 1000), ...(to !== undefined && { to: Math.round(to * 1000) }) };
}

function checkRange({ from, to }: Range): void {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to ?? 0)) {
    throw invalid('StartTimestamp and EndTimestamp must be times that a clock can show');
  }
  if (to === undefined) return;
  if (to <= from) throw invalid('EndTimestamp must be later than StartTimestamp');
  if (to - from > MAX_RANGE) {
    throw invalid('EndTimestamp must be within 24 hours of StartTimestamp');
  }
}

function checkServerRange({ from, to }: Range, now: number, retention: number): void {
  if (to !== undefined && to > now) {
    throw invalid(
      'EndTimestamp must be in the past where FragmentSelectorType is SERVER_TIMESTAMP',
    );
  }
  if (from < now - retention) {
    throw invalid(
      'StartTimestamp must be later than the stream head, which is as old as the stream retains, ' +
        'where FragmentSelectorType is SERVER_TIMESTAMP',
    );
  }
}

function required(name: string, mode: string): ServiceError {
  return invalid(
    `Value null at '${name}' failed to satisfy constraint: Member must not be null where ` +
      `PlaybackMode is ${mode}`,
  );
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidArgumentException', message);
}
