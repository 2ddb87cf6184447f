import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';

/** An HTTP proxy that knows CONNECT; every host name leads to 127.0.0.1. */
export class ConnectProxy {
  readonly port: number;
  /** What was asked for, `host:port`. */
  readonly targets: string[] = [];
  /** `user:password` that is asked for; none when empty. */
  login: string = '';
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connect', (request, socket: Socket, head: Buffer) => {
      const target = request.url ?? '';
      this.targets.push(target);
      socket.on('error', () => undefined);
      const given = request.headers['proxy-authorization'];
      if (this.login !== '' && given !== `Basic ${Buffer.from(this.login).toString('base64')}`) {
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
        return;
      }
      const onward = connect(Number(target.split(':').at(-1)), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.write(head);
        onward.pipe(socket);
        socket.pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('close', () => onward.destroy());
      this.#sockets.add(socket);
    });
  }

  static async start(): Promise<ConnectProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
    return new ConnectProxy(server, address.port);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
