import { randomBytes } from 'node:crypto';
import { isObject } from '../api/fields.js';
import type { StreamRegistry } from '../control/streams.js';
import { ServiceError } from '../errors.js';
import type { CheckedOptions } from '../options.js';
import { Turns } from '../store/turns.js';
import type { FragmentStore, StreamRecord } from '../store/types.js';
import type { HlsRequest } from './request.js';
import type { HlsTokens } from './token.js';

/** A session that a token was found to be of. @internal */
export interface HlsSession {
  readonly record: StreamRecord;
  readonly id: string;
  readonly expiresAt: number;
  readonly request: HlsRequest;
}

interface ActiveSession {
  readonly id: string;
  readonly expiresAt: number;
}

/** What sessions need of the service. @internal */
export interface SessionParts {
  readonly store: Pick<FragmentStore, 'catalog'>;
  readonly streams: StreamRegistry;
  readonly options: Pick<CheckedOptions, 'limits' | 'clock'>;
}

/**
 * The HLS sessions of all streams. Which are active is kept with the stream, so that a session that
 * was closed stays so over a restart (guide: GetHLSStreamingSessionURL, restrictions). @internal
 */
export class HlsSessions {
  readonly #parts: SessionParts;
  readonly #tokens: HlsTokens;
  readonly #turns = new Turns();

  constructor(parts: SessionParts, tokens: HlsTokens) {
    this.#parts = parts;
    this.#tokens = tokens;
  }

  /** Begins a session, which closes the oldest where there are too many; gives its token. */
  async begin({ id: stream }: StreamRecord, request: HlsRequest): Promise<string> {
    const { options } = this.#parts;
    const { catalog } = this.#parts.store;
    const now = options.clock.wall();
    const session = { id: randomBytes(16).toString('hex'), expiresAt: now + request.expires };
    await this.#turns.run(stream, async () => {
      for (;;) {
        const stored = await catalog.item(stream, 'sessions');
        const active = activeSessions(stored).filter(({ expiresAt }) => expiresAt > now);
        const kept = [...active, session].slice(-options.limits.hlsSessions);
        const next = Buffer.from(JSON.stringify(kept));
        // Another process may have begun one meanwhile.
        if (await catalog.swapItem(stream, 'sessions', stored, next)) return;
      }
    });
    const { id, expiresAt } = session;
    return this.#tokens.seal({ stream, session: id, expiresAt, request });
  }

  /**
   * The session that a token is of. Rejects with NotAuthorizedException (403) when the token was not
   * made here, has expired, or its session was closed, and with ResourceNotFoundException when its
   * stream is gone.
   */
  async verify(token: string): Promise<HlsSession> {
    const claims = this.#tokens.open(token);
    if (claims === undefined) throw forbidden('The session token is not valid.');
    const { stream, session: id, expiresAt, request } = claims;
    if (expiresAt <= this.#parts.options.clock.wall()) {
      throw forbidden('The session has expired; get a new URL with GetHLSStreamingSessionURL.');
    }
    const found = this.#parts.streams.all().find(({ record }) => record.id === stream);
    if (found === undefined || found.status === 'DELETING') {
      throw new ServiceError('ResourceNotFoundException', 'The stream of the session is deleted.');
    }
    const active = activeSessions(await this.#parts.store.catalog.item(stream, 'sessions'));
    if (!active.some((session) => session.id === id)) {
      throw forbidden('The session was closed, since newer ones were begun on the stream.');
    }
    return { record: found.record, id, expiresAt, request };
  }
}

/** Oldest first. */
function activeSessions(stored: Uint8Array | undefined): readonly ActiveSession[] {
  const value: unknown = JSON.parse(stored === undefined ? '[]' : Buffer.from(stored).toString());
  return Array.isArray(value) ? value.filter(isActiveSession) : [];
}

function isActiveSession(value: unknown): value is ActiveSession {
  return (
    isObject(value) && typeof value['id'] === 'string' && typeof value['expiresAt'] === 'number'
  );
}

/** "Status Code: 403, the token has expired" (guide: NotAuthorizedException). */
function forbidden(message: string): ServiceError {
  return new ServiceError('NotAuthorizedException', message, 403);
}
