import type { Credentials } from '../base/credentials.js';

/** The core renews credentials so long before they end, and takes none that have less. */
const RENEWED_BEFORE_MS = 30_000;
/** How long credentials are used that seem to be over. */
const DOUBTED_MS = 5 * 60_000;

/**
 * Credentials as they are used. Nobody hands out credentials that are over: where they seem to be, this
 * machine's clock may be off, and the service has the last word. They are used for a while then,
 * instead of being asked for again and again. @internal
 */
export function withLife(token: Credentials, wall: number): Credentials {
  const until = token.expiration?.getTime() ?? Infinity;
  if (until - wall > RENEWED_BEFORE_MS) return token;
  return { ...token, expiration: new Date(wall + DOUBTED_MS) };
}
