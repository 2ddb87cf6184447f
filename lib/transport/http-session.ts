import { isError, asError } from '../base/values.js';
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Agent as HttpAgent } from 'node:http';
import { request as httpsRequest, type Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { BufferPool } from './buffer-pool.js';
import { AnswerReader } from './answer.js';
import { CALL_RESULT, errorCode, resultOfError } from './call-result.js';
import { readLastWords } from './last-words.js';
import type { PutMediaIo, PutMediaRequest, PutMediaSession } from './put-media.js';
import { signPutMedia, type SignedPutMedia } from './sign.js';
import { WriteSize } from './write-size.js';

/** What all sessions of one transport share. */
export interface SessionShare {
  readonly userAgent: string;
  /** Agents of the transport's own; else those of the request are used, else Node's. */
  readonly httpAgent: HttpAgent | undefined;
  readonly httpsAgent: HttpsAgent | undefined;
  /** Buffers of the size that a write takes: a few bytes, or as many as `bufferSize`. */
  readonly buffers: (size: number) => BufferPool;
  readonly bufferSize: number;
  /** How long bytes are gathered before the next write, when there is less than a full buffer, ms. */
  readonly gatherMs: number;
  /** How long the answer's end is waited for after the body's, ms. */
  readonly lingerMs: number;
  /** This machine's clock, ms since 1970. */
  readonly wall: () => number;
}

const LAST_CHUNK = '0\r\n\r\n';
const KEEP_ALIVE_MS = 30_000;
/** A timer that wakes the thread costs more than the write: a frame is waited for a quarter longer. */
const FRAME_AWAITED = 1.25;

/**
 * opening: being signed and connected. open: the body is written. refused: the service has answered
 * with an error and its text is read. ended: the body is whole. over: nothing is called back.
 */
type State = 'opening' | 'open' | 'refused' | 'ended' | 'over';

/** One PutMedia call over HTTP/1.1: the body goes out chunked while the answer comes in. @internal */
export class HttpPutMediaSession implements PutMediaSession {
  readonly #share: SessionShare;
  readonly #request: PutMediaRequest;
  readonly #io: PutMediaIo;
  #state: State = 'opening';
  #http: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #answered = false;
  #pumpAsked = false;
  #writing = false;
  #woken = false;
  #rest: NodeJS.Timeout | undefined;
  /** When what has been gathered since the last write is to be written, by `performance.now`. */
  #due = Infinity;
  readonly #size: WriteSize;

  constructor(share: SessionShare, request: PutMediaRequest, io: PutMediaIo) {
    this.#share = share;
    this.#request = request;
    this.#io = io;
    this.#size = new WriteSize(share.bufferSize);
    request.signal?.addEventListener('abort', this.#onSignal);
    if (request.signal?.aborted === true) this.abort();
    else void this.#start();
  }

  wake(): void {
    if (this.#pumpAsked || this.#state !== 'open') return;
    if (this.#writing) {
      this.#woken = true;
      return;
    }
    this.#endRest();
    this.#pumpAsked = true;
    // Not a microtask: acks and timers must get their turn between two writes.
    setImmediate(this.#pump);
  }

  more(): void {
    if (performance.now() >= this.#due) this.wake();
  }

  abort(): void {
    if (this.#state !== 'over') this.#close();
  }

  readonly #onSignal = (): void => {
    this.abort();
  };

  async #start(): Promise<void> {
    try {
      const { userAgent, wall } = this.#share;
      const signed = await signPutMedia(this.#request, userAgent, wall());
      if (this.#state === 'opening') this.#connect(signed);
    } catch (cause) {
      const error = asError(cause);
      const badUrl = errorCode(error) === 'ERR_INVALID_URL';
      this.#finish(badUrl ? CALL_RESULT.INVALID_ARG : CALL_RESULT.AUTH_FAILURE, error);
    }
  }

  #connect({ url, headers }: SignedPutMedia): void {
    const tls = url.protocol === 'https:';
    const options = {
      method: 'POST',
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? undefined : Number(url.port),
      path: `${url.pathname}${url.search}`,
      headers,
    };
    const { httpAgent, httpsAgent } = this.#share;
    const { agents } = this.#request;
    const http = tls
      ? httpsRequest({ ...options, agent: httpsAgent ?? agents?.httpsAgent })
      : httpRequest({ ...options, agent: httpAgent ?? agents?.httpAgent });
    this.#http = http;
    http.on('socket', (socket) => {
      this.#watchSocket(socket);
    });
    http.on('response', (answer) => {
      this.#answered = true;
      this.#onResponse(answer);
    });
    http.on('upgrade', (_answer, socket) => {
      socket.destroy();
      this.#onFailure(new Error('PutMedia was answered with 101 Switching Protocols'));
    });
    http.on('close', () => {
      if (!this.#answered)
        this.#onFailure(new Error('the connection was closed without an answer'));
    });
    http.on('error', (error) => {
      this.#onFailure(error);
    });
    http.flushHeaders();
    // The header has said so; the chunks are made here, in one piece with their data.
    http.chunkedEncoding = false;
    this.#connectWithin(this.#request.connectTimeout);
  }

  #connectWithin(limit: number): void {
    if (!Number.isFinite(limit)) return;
    this.#timer = setTimeout(() => {
      const cause = new Error(`no connection to ${this.#request.endpoint} within ${limit} ms`);
      this.#finish(CALL_RESULT.NETWORK_CONNECTION_TIMEOUT, cause);
    }, limit);
  }

  #watchSocket(socket: Socket): void {
    // An agent of the user's own may give any Duplex.
    if (typeof socket.setNoDelay === 'function') socket.setNoDelay(true);
    if (typeof socket.setKeepAlive === 'function') socket.setKeepAlive(true, KEEP_ALIVE_MS);
    readLastWords(socket);
    if (isConnected(socket)) setImmediate(this.#onConnected);
    else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', this.#onConnected);
  }

  readonly #onConnected = (): void => {
    if (this.#state !== 'opening') return;
    clearTimeout(this.#timer);
    this.#state = 'open';
    this.#io.onOpen();
    this.wake();
  };

  readonly #pump = (): void => {
    this.#pumpAsked = false;
    const http = this.#http;
    if (this.#state !== 'open' || this.#writing || http === undefined) return;
    const most = this.#size.now;
    const pool = this.#share.buffers(most);
    const buffer = pool.take();
    const length = this.#io.read(buffer.body);
    if (length === 0) {
      pool.give(buffer);
      this.#whenEmpty(http);
      return;
    }
    this.#writing = true;
    this.#woken = length >= this.#size.plenty;
    if (!this.#woken) this.#size.little();
    const began = length === most ? performance.now() : undefined;
    http.write(buffer.chunk(length), (error) => {
      this.#writing = false;
      if (began !== undefined) this.#size.took(performance.now() - began);
      // 'error' tells the rest; the buffer may still be with the socket.
      if (isError(error)) return;
      pool.give(buffer);
      this.#next();
    });
  };

  /**
   * A live source gives little at a time: one write for several frames costs less than one each. The
   * first frame after that time brings the write with it; where none comes, a timer does.
   */
  #next(): void {
    const { gatherMs } = this.#share;
    if (this.#woken || gatherMs === 0) this.wake();
    else if (this.#state === 'open') {
      this.#due = performance.now() + gatherMs;
      this.#rest = setTimeout(this.#onRested, gatherMs * FRAME_AWAITED);
    }
  }

  readonly #onRested = (): void => {
    this.#endRest();
    this.#pump();
  };

  #endRest(): void {
    clearTimeout(this.#rest);
    this.#due = Infinity;
  }

  #whenEmpty(http: ClientRequest): void {
    const body = this.#io.ended();
    if (body === 'open') return;
    if (body === 'abort') {
      this.#finish(CALL_RESULT.NETWORK_READ_TIMEOUT, new Error('the session was given up'));
      return;
    }
    this.#state = 'ended';
    // Everything is acknowledged: a service that does not end its answer is not waited for long, and
    // does not keep the process.
    const { socket } = http;
    http.end(LAST_CHUNK, () => {
      if (typeof socket?.unref === 'function') socket.unref();
    });
    this.#timer = setTimeout(() => {
      this.#finish(CALL_RESULT.OK);
    }, this.#share.lingerMs);
    this.#timer.unref();
  }

  #onResponse(answer: IncomingMessage): void {
    if (this.#state === 'over') return;
    if (answer.statusCode === CALL_RESULT.OK) {
      answer.on('data', (bytes: Uint8Array) => {
        if (this.#state !== 'over') this.#io.onAck(bytes);
      });
    } else {
      clearTimeout(this.#timer);
      this.#state = 'refused';
    }
    const reader = new AnswerReader(answer, (result, cause) => {
      this.#finish(result, cause);
    });
    reader.start();
  }

  #onFailure(error: Error): void {
    if (this.#state === 'refused') return; // the answer's own end tells more
    if (this.#state === 'ended') this.#finish(CALL_RESULT.OK);
    else this.#finish(resultOfError(error), error);
  }

  #finish(result: number, cause?: Error): void {
    if (this.#state === 'over') return;
    // Once the body is whole nothing is left to lose: how the connection ends does not matter.
    const calm = this.#state === 'ended' && result === CALL_RESULT.NETWORK_READ_TIMEOUT;
    this.#close();
    if (calm) this.#io.onEnd(CALL_RESULT.OK);
    else this.#io.onEnd(result, cause);
  }

  #close(): void {
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.#endRest();
    this.#request.signal?.removeEventListener('abort', this.#onSignal);
    this.#http?.destroy();
  }
}

/** Whether a socket that an agent gave is ready; a kept or tunnelled one may be. */
function isConnected(socket: Socket): boolean {
  if (socket.connecting) return false;
  return !(socket instanceof TLSSocket) || socket.getFinished() !== undefined;
}
