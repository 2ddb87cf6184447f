import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { Credentials } from '../../../lib/base/credentials.js';
import type { BodyState, PutMediaIo, PutMediaRequest } from '../../../lib/transport/index.js';

export const CREDENTIALS: Credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};

/** A server on a free port of 127.0.0.1; `close` breaks what is still connected. */
export interface TestServer {
  readonly port: number;
  readonly endpoint: string;
  close(): Promise<void>;
}

export async function serve(
  onRequest: (request: IncomingMessage, answer: ServerResponse) => void,
): Promise<TestServer> {
  return listen(createServer(onRequest), 'http');
}

export async function listen(
  server: Server | NetServer,
  scheme: 'http' | 'https',
): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = addressOf(server);
  return {
    port,
    endpoint: `${scheme}://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function addressOf(server: NetServer): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return address;
}

export function putMediaRequest(
  endpoint: string,
  more?: Partial<PutMediaRequest>,
): PutMediaRequest {
  return {
    endpoint,
    streamName: 'camera-1',
    start: 1_795_408_268_072,
    absolute: true,
    acks: true,
    credentials: CREDENTIALS,
    region: 'us-west-2',
    connectTimeout: 5000,
    ...more,
  };
}

/** How a session ended. */
export interface Ending {
  readonly result: number;
  readonly cause: Error | undefined;
}

/** Hands out `body` in pieces of the reader's size, then says `after`; remembers all it is told. */
export class BodyIo implements PutMediaIo {
  readonly acks: Uint8Array[] = [];
  opened = 0;
  taken = 0;
  after: BodyState;
  readonly ending: Promise<Ending>;
  readonly #body: Uint8Array;
  #end: (ending: Ending) => void = () => undefined;
  endings = 0;

  constructor(body: Uint8Array, after: BodyState) {
    this.#body = body;
    this.after = after;
    this.ending = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  read(into: Uint8Array): number {
    const piece = this.#body.subarray(this.taken, this.taken + into.length);
    into.set(piece);
    this.taken += piece.length;
    return piece.length;
  }

  ended(): BodyState {
    return this.after;
  }

  onOpen(): void {
    this.opened += 1;
  }

  onAck(bytes: Uint8Array): void {
    this.acks.push(Uint8Array.from(bytes));
  }

  onEnd(result: number, cause?: Error): void {
    this.endings += 1;
    this.#end({ result, cause });
  }
}

/** Bytes that repeat nowhere near each other, so that a buffer overwritten too early shows. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 12345;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export async function collect(request: IncomingMessage): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of request) if (part instanceof Uint8Array) parts.push(part);
  return Buffer.concat(parts);
}

/** Waits until `holds` does; fails the test after `limit` ms. */
export async function until(holds: () => boolean, limit = 20_000): Promise<void> {
  const end = performance.now() + limit;
  while (!holds()) {
    if (performance.now() > end) throw new Error('what was waited for did not happen');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
