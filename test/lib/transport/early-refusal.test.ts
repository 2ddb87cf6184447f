// A service that refuses a call and hangs up while the body still comes. What it said is in the socket
// already when the next write finds the connection reset, and it is what counts.
import { once } from 'node:events';
import { Agent } from 'node:https';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpPutMediaTransport } from '../../../lib/transport/index.js';
import { HAVE_OPENSSL, makeCertificate } from '../../support/certificate.js';
import { BodyIo, pattern, putMediaRequest } from './put-media-server.js';

const TEXT = JSON.stringify({ __type: 'ExpiredTokenException', message: 'the token has expired' });
const REFUSAL = `HTTP/1.1 403 Forbidden\r\ncontent-length: ${TEXT.length}\r\n\r\n${TEXT}`;
const ACK = '{"EventType":"ERROR","ErrorId":4002}';
const ERROR_ACK = `HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n${ACK}`;
const BODY = pattern(4_000_000);
const ROUNDS = 80;
const SERVER = new URL('../../support/refusing-server.mjs', import.meta.url);

describe('a refusal before the body is whole', () => {
  let server: Worker | undefined;
  const hungUp = new Int32Array(new SharedArrayBuffer(4));

  afterEach(async () => {
    await server?.terminate();
    server = undefined;
  });

  /** Gives its address. */
  async function serve(scheme: 'http' | 'https', answer: string): Promise<string> {
    hungUp[0] = 0;
    const tls = scheme === 'https' ? makeCertificate('127.0.0.1') : undefined;
    server = new Worker(SERVER, { workerData: { answer, hungUp, tls } });
    const [port]: unknown[] = await once(server, 'message');
    return `${scheme}://127.0.0.1:${Number(port)}`;
  }

  /** Holds this thread up at its `nth` read until the server has hung up on round `round`. */
  class LateIo extends BodyIo {
    readonly #nth: number;
    readonly #round: number;
    #reads = 0;

    constructor(nth: number, round: number) {
      super(BODY, 'open');
      this.#nth = nth;
      this.#round = round;
    }

    override read(into: Uint8Array): number {
      this.#reads += 1;
      if (this.#reads === this.#nth) Atomics.wait(hungUp, 0, this.#round, 10_000);
      return super.read(into);
    }
  }

  /** How sessions ended, and how often. */
  async function endings(endpoint: string): Promise<Map<string, number>> {
    const httpsAgent = new Agent({ rejectUnauthorized: false });
    const transport = new HttpPutMediaTransport({ userAgent: 'test/1', gatherMs: 0, httpsAgent });
    const found = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const io = new LateIo(round % 3, round);
      transport.open(putMediaRequest(endpoint), io);
      const { result, cause } = await io.ending;
      const acks = Buffer.concat(io.acks).toString();
      const text = result === 403 ? `${cause?.message ?? ''}` : `${result} ${acks}`;
      found.set(text, (found.get(text) ?? 0) + 1);
    }
    return found;
  }

  describe.each(['http', 'https'] as const)('%s', (scheme) => {
    it.skipIf(scheme === 'https' && !HAVE_OPENSSL)(
      'is told, and not that the connection broke',
      async () => {
        const text = 'PutMedia was answered with 403 ExpiredTokenException: the token has expired';
        expect([...(await endings(await serve(scheme, REFUSAL)))]).toEqual([[text, ROUNDS]]);
      },
    );

    it.skipIf(scheme === 'https' && !HAVE_OPENSSL)('or an ack is read before that', async () => {
      expect([...(await endings(await serve(scheme, ERROR_ACK)))]).toEqual([
        [`598 ${ACK}`, ROUNDS],
      ]);
    });
  });
});
