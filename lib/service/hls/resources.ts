import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '../errors.js';
import type { HlsSession, HlsSessions } from './sessions.js';

/** What every URL of an HLS session begins with. @internal */
export const HLS_PATH = '/hls/v1/';

/** A request of a player, whose session was verified. @internal */
export interface PlayerRequest {
  readonly session: HlsSession;
  readonly query: URLSearchParams;
  readonly response: ServerResponse;
}

/** Answers with one kind of resource. @internal */
export type HlsResource = (request: PlayerRequest) => Promise<void>;

/** The resources of a session by name (guide: GetHLSStreamingSessionURL, step 4). */
const RESOURCES: ReadonlyMap<string, HlsResource> = new Map([
  ['getHLSMasterPlaylist.m3u8', notServed],
  ['getHLSMediaPlaylist.m3u8', notServed],
  ['getMP4InitFragment.mp4', notServed],
  ['getMP4MediaFragment.mp4', notServed],
  ['getTSFragment.ts', notServed],
]);

/**
 * Answers players under `/hls/v1/`. They have no credentials but the token of their session, which
 * is looked at first. @internal
 */
export async function serveHls(
  sessions: HlsSessions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://service');
  const session = await sessions.verify(query.get('SessionToken') ?? '');
  const resource = RESOURCES.get(pathname.slice(HLS_PATH.length));
  if (resource === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
    throw new ServiceError(
      'UnknownOperationException',
      `An HLS session has no resource ${request.method ?? ''} ${pathname.slice(0, 128)}`,
    );
  }
  await resource({ session, query, response });
}

/** A player must not take an empty answer for media. */
function notServed({ session }: PlayerRequest): Promise<void> {
  return Promise.reject(
    new ServiceError(
      'NotImplementedException',
      `The session of stream ${session.record.name} is valid, but this version of the service ` +
        'has no playlists and fragments yet; read the media with GetMedia or GetMediaForFragmentList.',
    ),
  );
}
