import type { Clock } from '../../base/clock.js';
import type { Credentials } from '../../base/credentials.js';
import {
  checkCredentials,
  type CallbackProvider,
  type ServiceCallContext,
} from '../../providers/index.js';
import { CALL_RESULT } from '../../transport/index.js';

/** The core renews credentials so long before they end, and takes none that have less. */
const RENEWED_BEFORE_MS = 30_000;
/** How long credentials are used that seem to be over. */
const DOUBTED_MS = 5 * 60_000;

const DENIED: ReadonlySet<number> = new Set<number>([
  CALL_RESULT.NOT_AUTHORIZED,
  CALL_RESULT.FORBIDDEN,
  CALL_RESULT.AUTH_FAILURE,
]);

/** The token of one stream's sessions. @internal */
export class StreamToken {
  value: Credentials | undefined;
  /** Whether a call with it was refused since it was got. */
  denied = false;

  /** A call was answered with `result`: the token may be at fault. */
  refused(result: number): void {
    if (DENIED.has(result)) this.denied = true;
  }
}

/** The life of all credentials of one producer: what is used, and when others are asked for. @internal */
export class TokenKeeper {
  readonly #provider: CallbackProvider;
  readonly #clock: Clock;
  #client: Credentials | undefined;

  constructor(provider: CallbackProvider, clock: Clock) {
    this.#provider = provider;
    this.#clock = clock;
  }

  /** The producer's own; undefined before the first are known. */
  get client(): Credentials | undefined {
    return this.#client;
  }

  isOver(token: Credentials | undefined): boolean {
    return (token?.expiration?.getTime() ?? Infinity) <= this.#clock.wall();
  }

  /** Asks for the producer's credentials. */
  async forClient(context: ServiceCallContext): Promise<Credentials> {
    const token = await this.#provider.getSecurityToken(context);
    this.#client = this.#believed(token, 'getSecurityToken');
    return this.#client;
  }

  /** Asks for the token of a stream's sessions. */
  async forSessions(
    stream: string,
    token: StreamToken,
    context: ServiceCallContext,
  ): Promise<Credentials> {
    const given = await this.#provider.getStreamingToken(stream, context);
    const value = this.#believed(given, 'getStreamingToken');
    token.value = value;
    token.denied = false;
    return value;
  }

  /**
   * Credentials for a stream's call: its own token, unless that was refused or is over. The core asks
   * for a new token only on the way to a session, and may be before that.
   */
  async forCall(token: StreamToken, context: ServiceCallContext): Promise<Credentials> {
    const own = token.value ?? this.#client;
    if (own !== undefined && !token.denied && !this.isOver(own)) return own;
    const { denied } = token;
    let fresh = await this.forClient({ ...context, refused: denied });
    // A provider that keeps what it has may answer with the very ones that are over.
    if (!denied && own !== undefined && sameKeys(own, fresh)) {
      fresh = await this.forClient({ ...context, refused: true });
    }
    token.denied = false;
    token.value = undefined;
    return fresh;
  }

  #believed(token: Credentials, where: string): Credentials {
    return withLife(checkCredentials(token, where), this.#clock.wall());
  }
}

function sameKeys(one: Credentials, other: Credentials): boolean {
  return one.accessKeyId === other.accessKeyId && one.sessionToken === other.sessionToken;
}

/**
 * Credentials as they are used. Nobody hands out credentials that are over: where they seem to be, this
 * machine's clock may be off, and the service has the last word. They are used for a while then,
 * instead of being asked for again and again. @internal
 */
function withLife(token: Credentials, wall: number): Credentials {
  const until = token.expiration?.getTime() ?? Infinity;
  if (until - wall > RENEWED_BEFORE_MS) return token;
  return { ...token, expiration: new Date(wall + DOUBTED_MS) };
}
