import type { Credentials } from '../base/credentials.js';
import type { HttpAgents } from './connections.js';

/** One PutMedia call to open. */
export interface PutMediaRequest {
  /** The data endpoint as GetDataEndpoint returned it, for example `https://s-1.kinesisvideo…`. */
  readonly endpoint: string;
  readonly streamName: string;
  /** Producer start time stamp, ms since 1970. */
  readonly start: number;
  /** Whether fragment times are absolute; else they count from `start`. */
  readonly absolute: boolean;
  /** Whether the service is to acknowledge fragments. */
  readonly acks: boolean;
  readonly credentials: Credentials;
  readonly region: string;
  /** How far the service's clock is ahead of this machine's, ms; 0 by default. */
  readonly clockOffset?: number;
  /** How long connecting may take, ms; `Infinity` for no limit. */
  readonly connectTimeout: number;
  /** The producer's agents: how connections leave this machine, by way of a proxy, say. */
  readonly agents?: HttpAgents;
  /** Aborts the session as `PutMediaSession.abort` does. */
  readonly signal?: AbortSignal;
}

/** Whether more body bytes may come, the body is whole, or the connection is to be broken. */
export type BodyState = 'open' | 'end' | 'abort';

/**
 * What a session reads from and reports to. The transport calls these one at a time, never from
 * inside `open`, `wake` or `abort`.
 */
export interface PutMediaIo {
  /** Fills `into` with the next body bytes and answers how many; 0 means: wait for `wake`. */
  read(into: Uint8Array): number;
  /** Asked after `read` answered 0. */
  ended(): BodyState;
  /** The connection can be written. At most once, before the first `read`. */
  onOpen(): void;
  /** Bytes of the answer, in any split; valid during the call only. */
  onAck(bytes: Uint8Array): void;
  /**
   * The session is over, exactly once unless it was aborted. `result` is the HTTP status of the
   * answer or one of `CALL_RESULT`; `cause` says what went wrong. One that is a `PutMediaRefusal` tells
   * the service's clock as well, by which the next session is signed.
   */
  onEnd(result: number, cause?: Error): void;
}

/** A PutMedia session that has been asked for. */
export interface PutMediaSession {
  /**
   * There is something to read after `read` answered 0, or what there is may wait no longer.
   * Returns at once; cheap.
   */
  wake(): void;
  /**
   * A frame was put. Optional; called for each, so it must be cheap. A transport that gathers bytes can
   * write now, while the thread is awake, rather than be woken by a timer of its own.
   */
  more?(): void;
  /** Breaks the connection without a terminating chunk; nothing is called back afterwards. */
  abort(): void;
}

/** Carries PutMedia sessions. Replace it to use a network stack of your own. */
export interface PutMediaTransport {
  /** Starts to connect and returns at once; failures come through `io.onEnd`. */
  open(request: PutMediaRequest, io: PutMediaIo): PutMediaSession;
}
