import type { PutMediaSession } from './put-media.js';

/** What code of a user's own (`whose`) answered as a session, which may be anything. @internal */
export function checkSession(session: unknown, whose: string): PutMediaSession {
  if (isSession(session)) return session;
  throw new TypeError(`${whose} answered no object with wake() and abort()`);
}

function isSession(session: unknown): session is PutMediaSession {
  if (typeof session !== 'object' || session === null) return false;
  if (!('wake' in session) || !('abort' in session)) return false;
  return typeof session.wake === 'function' && typeof session.abort === 'function';
}
