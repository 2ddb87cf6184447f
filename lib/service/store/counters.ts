import type { FragmentDetail, FragmentMeta, FragmentRecord } from './types.js';

/** Media that part by more than this are interrupted, ms. */
const GAP = 50;

/** How far a stream has been counted. Times are ms. @internal */
export interface CounterState {
  readonly ordinal: number;
  readonly liveOrdinal: number;
  /** The greatest producer time so far; -1 before the first. */
  readonly latest: number;
  readonly serverBreaks: number;
  readonly producerBreaks: number;
  /** Where the last fragment ends by server time, and its configuration. */
  readonly last?: { readonly end: number; readonly configuration: string };
  /** Where the last one that was shown live ends by producer time, and its configuration. */
  readonly lastLive?: { readonly end: number; readonly configuration: string };
}

/** What a fragment is given when it is stored. @internal */
export type Counted = Pick<
  FragmentRecord,
  'ordinal' | 'liveOrdinal' | 'latest' | 'serverBreaks' | 'producerBreaks' | 'live'
>;

/** Before the first fragment. @internal */
export const NOT_COUNTED: Readonly<CounterState> = {
  ordinal: 0,
  liveOrdinal: 0,
  latest: -1,
  serverBreaks: 0,
  producerBreaks: 0,
};

/** Counts the fragments of one stream in the order in which they are stored. @internal */
export class StreamCounters {
  /** May be put back to what it was, where a flush failed. */
  state: CounterState;

  constructor(state: CounterState) {
    this.state = state;
  }

  /** The next fragment's numbers. */
  next(meta: FragmentMeta, detail: Pick<FragmentDetail, 'configuration'>): Counted {
    const { state } = this;
    const configuration = Buffer.from(detail.configuration).toString('hex');
    const live = meta.producerTime > state.latest;
    const serverBreak = breaks(state.last, meta.serverTime, configuration);
    const producerBreak = live && breaks(state.lastLive, meta.producerTime, configuration);
    const counted = {
      ordinal: state.ordinal + 1,
      liveOrdinal: state.liveOrdinal + (live ? 1 : 0),
      latest: Math.max(state.latest, meta.producerTime),
      serverBreaks: state.serverBreaks + (serverBreak ? 1 : 0),
      producerBreaks: state.producerBreaks + (producerBreak ? 1 : 0),
    };
    this.state = {
      ...counted,
      last: { end: meta.serverTime + meta.duration, configuration },
      ...(live
        ? { lastLive: { end: meta.producerTime + meta.duration, configuration } }
        : state.lastLive && { lastLive: state.lastLive }),
    };
    return { ...counted, live };
  }
}

/** How far a stream was counted whose newest fragment, and newest one shown live, are these. @internal */
export function countedTo(
  newest: FragmentRecord,
  newestLive: FragmentRecord | undefined,
): CounterState {
  const { ordinal, liveOrdinal, latest, serverBreaks, producerBreaks } = newest;
  const hex = (record: FragmentRecord): string => Buffer.from(record.configuration).toString('hex');
  return {
    ...{ ordinal, liveOrdinal, latest, serverBreaks, producerBreaks },
    last: { end: newest.serverTime + newest.duration, configuration: hex(newest) },
    ...(newestLive && {
      lastLive: {
        end: newestLive.producerTime + newestLive.duration,
        configuration: hex(newestLive),
      },
    }),
  };
}

function breaks(
  before: { readonly end: number; readonly configuration: string } | undefined,
  time: number,
  configuration: string,
): boolean {
  if (before === undefined) return false;
  return Math.abs(time - before.end) > GAP || before.configuration !== configuration;
}
