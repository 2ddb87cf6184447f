import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What happens to bytes: they pass, go nowhere (the connection stays up and silent), or go nowhere
 * in one direction only.
 */
export type Passage = 'pass' | 'blackhole' | 'swallow-answers';

/** A TCP proxy on a port of its own that breaks connections in the ways that networks do. */
export class FaultProxy {
  readonly endpoint: string;
  readonly port: number;
  /** Applies to bytes from now on, on open connections, too. */
  passage: Passage = 'pass';
  /** Whether new connections are refused at once. */
  refusing = false;
  /** Bytes a second in each direction and connection; without a limit by default. */
  rate: number = Infinity;
  /** Connections made so far. */
  connections = 0;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  /** Starts a proxy in front of `targetPort` of this machine. */
  static async start(targetPort: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
    const proxy = new FaultProxy(server, address.port);
    server.on('connection', (client) => {
      proxy.#accept(client, targetPort);
    });
    return proxy;
  }

  /** Resets every open connection, as a machine that was switched off and on does. */
  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** Connections that are open. */
  get open(): number {
    return this.#pairs.size;
  }

  async close(): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket, targetPort: number): void {
    this.connections += 1;
    if (this.refusing) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair = [client, target] as const;
    this.#pairs.add(pair);
    this.#carry(client, target, 'request');
    this.#carry(target, client, 'answer');
    for (const socket of pair) {
      socket.on('error', () => {
        for (const one of pair) one.destroy();
      });
      socket.on('close', () => {
        this.#pairs.delete(pair);
        for (const one of pair) one.destroy();
      });
    }
  }

  #carry(from: Socket, to: Socket, direction: 'request' | 'answer'): void {
    from.on('data', (bytes: Buffer) => {
      if (this.passage === 'blackhole') return;
      if (this.passage === 'swallow-answers' && direction === 'answer') return;
      if (!to.write(bytes) || Number.isFinite(this.rate)) this.#hold(from, to, bytes.length);
    });
    from.on('end', () => {
      if (this.passage === 'pass') to.end();
    });
  }

  /** Reads on when the other side has taken what there was, and not faster than `rate`. */
  #hold(from: Socket, to: Socket, length: number): void {
    from.pause();
    const resume = (): void => {
      const wait = Number.isFinite(this.rate) ? (length / this.rate) * 1000 : 0;
      setTimeout(() => {
        if (!from.destroyed) from.resume();
      }, wait);
    };
    if (to.writableNeedDrain) to.once('drain', resume);
    else resume();
  }
}
