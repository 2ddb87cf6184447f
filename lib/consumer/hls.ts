import { KvsError } from '../base/errors.js';
import { Connection, sendOptions, type StreamConnection } from './connection.js';
import { callFailed } from './failures.js';
import type { FragmentRange } from './fragments.js';

/** Settings of `hlsUrl`. */
export interface HlsUrlOptions extends StreamConnection {
  /** `live` (default) follows the stream; `onDemand` plays `range`. */
  readonly mode?: 'live' | 'onDemand';
  /** What `onDemand` plays. */
  readonly range?: FragmentRange;
  /** How long the URL can be used, ms; 300,000 to 43,200,000, default 300,000. */
  readonly expires?: number;
  /** Most segments in a media playlist, 1 to 5000; default 5 of a live one, else 1000. */
  readonly maxFragments?: number;
  /** When to write EXT-X-DISCONTINUITY; default `always`. */
  readonly discontinuity?: 'always' | 'never';
  readonly signal?: AbortSignal;
}

/** A URL that players of HLS open without credentials. Throws `KvsError` when refused. */
export async function hlsUrl(options: HlsUrlOptions): Promise<string> {
  const connection = new Connection(options);
  const { signal, mode = 'live', range, expires, maxFragments, discontinuity } = options;
  const { sdk, client } = await connection.archived('GET_HLS_STREAMING_SESSION_URL', signal);
  try {
    const command = new sdk.GetHLSStreamingSessionURLCommand({
      ...connection.key,
      PlaybackMode: mode === 'live' ? 'LIVE' : 'ON_DEMAND',
      ...(range !== undefined && { HLSFragmentSelector: fragmentSelector(range) }),
      ...(expires !== undefined && { Expires: Math.round(expires / 1000) }),
      ...(maxFragments !== undefined && { MaxMediaPlaylistFragmentResults: maxFragments }),
      ...(discontinuity !== undefined && {
        DiscontinuityMode: discontinuity === 'always' ? ('ALWAYS' as const) : ('NEVER' as const),
      }),
    });
    const answer = await client.send(command, sendOptions(signal));
    if (answer.HLSStreamingSessionURL !== undefined) return answer.HLSStreamingSessionURL;
  } catch (error) {
    throw callFailed('GetHLSStreamingSessionURL', connection.name, error, signal);
  } finally {
    client.destroy();
  }
  throw new KvsError({
    status: 'STATUS_NOT_FOUND',
    message: `GetHLSStreamingSessionURL of stream ${connection.name} was answered without a URL`,
  });
}

function fragmentSelector(range: FragmentRange): {
  FragmentSelectorType: 'SERVER_TIMESTAMP' | 'PRODUCER_TIMESTAMP';
  TimestampRange: { StartTimestamp: Date; EndTimestamp: Date };
} {
  const server = range.timestamps === 'server';
  return {
    FragmentSelectorType: server ? 'SERVER_TIMESTAMP' : 'PRODUCER_TIMESTAMP',
    TimestampRange: { StartTimestamp: new Date(range.from), EndTimestamp: new Date(range.to) },
  };
}
