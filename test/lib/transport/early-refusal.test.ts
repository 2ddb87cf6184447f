// A service that refuses a call and hangs up while the body still comes. What it said is in the socket
// already when the next write finds the connection reset, and it is what counts.
import { once } from 'node:events';
import { Agent } from 'node:https';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpPutMediaTransport } from '../../../lib/transport/index.js';
import { HAVE_OPENSSL, makeCertificate } from '../../support/certificate.js';
import { BodyIo, pattern, putMediaRequest } from './put-media-server.js';

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

  async function serve(tls?: { readonly key: string; readonly cert: string }): Promise<number> {
    hungUp[0] = 0;
    server = new Worker(SERVER, { workerData: { hungUp, tls } });
    const [port]: unknown[] = await once(server, 'message');
    return Number(port);
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

  it.each(['http', 'https'] as const)(
    'is told, and not a broken connection: %s',
    async (scheme) => {
      if (scheme === 'https' && !HAVE_OPENSSL) return;
      const port = await serve(scheme === 'https' ? makeCertificate('127.0.0.1') : undefined);
      const httpsAgent = new Agent({ rejectUnauthorized: false });
      const transport = new HttpPutMediaTransport({ userAgent: 'test/1', gatherMs: 0, httpsAgent });
      const endings = new Map<string, number>();
      for (let round = 0; round < ROUNDS; round += 1) {
        const io = new LateIo(round % 3, round);
        transport.open(putMediaRequest(`${scheme}://127.0.0.1:${port}`), io);
        const { result, cause } = await io.ending;
        const text = `${result} ${cause?.message}`;
        endings.set(text, (endings.get(text) ?? 0) + 1);
      }
      expect([...endings]).toEqual([
        ['403 PutMedia was answered with 403 ExpiredTokenException: the token has expired', ROUNDS],
      ]);
    },
  );
});
