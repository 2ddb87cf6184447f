import type { HttpAgents } from './connections.js';
import { BufferPool } from './buffer-pool.js';
import { HttpPutMediaSession, type SessionShare } from './http-session.js';
import type {
  PutMediaIo,
  PutMediaRequest,
  PutMediaSession,
  PutMediaTransport,
} from './put-media.js';
import { FEW } from './write-size.js';

/**
 * How `HttpPutMediaTransport` connects. Agents that are left out are the producer's, which knows its
 * proxies and authorities.
 */
export interface HttpTransportOptions extends HttpAgents {
  /** Sent with each request. */
  readonly userAgent: string;
  /** Bytes of one chunk of the body, at most: 512 KiB by default. Slow links get 128 KiB. */
  readonly bufferSize?: number;
  /**
   * How long bytes are gathered for the next write when there is less than `bufferSize`, ms; 0 for
   * not at all, 200 by default. The first frame after that time brings the write, or a timer a quarter
   * later.
   */
  readonly gatherMs?: number;
  /** How long the end of the answer is waited for after the end of the body, ms; default 5000. */
  readonly lingerMs?: number;
  /** This machine's clock, ms since 1970; `Date.now` by default. */
  readonly wall?: () => number;
}

const BUFFER_SIZE = 512 * 1024;
const IDLE_SMALL = 16;
const IDLE_LARGE = 4;
const GATHER_MS = 200;
const LINGER_MS = 5000;

/** PutMedia over Node's own http and https, one connection for each session. */
export class HttpPutMediaTransport implements PutMediaTransport {
  readonly #share: SessionShare;

  constructor(options: HttpTransportOptions) {
    const bufferSize = options.bufferSize ?? BUFFER_SIZE;
    // Live streams fill small buffers only: many of them share these, and large ones are for backlogs.
    const large = new BufferPool(bufferSize, IDLE_LARGE);
    const small = bufferSize <= FEW ? large : new BufferPool(FEW, IDLE_SMALL);
    this.#share = {
      userAgent: options.userAgent,
      httpAgent: options.httpAgent,
      httpsAgent: options.httpsAgent,
      buffers: (size) => (size > FEW ? large : small),
      bufferSize,
      gatherMs: options.gatherMs ?? GATHER_MS,
      lingerMs: options.lingerMs ?? LINGER_MS,
      wall: options.wall ?? Date.now,
    };
  }

  open(request: PutMediaRequest, io: PutMediaIo): PutMediaSession {
    return new HttpPutMediaSession(this.#share, request, io);
  }
}
