import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';

/** An answer that the front gives itself. */
export interface Fault {
  readonly status: number;
  /** Name of the exception; none for an answer that names none. */
  readonly exception?: string;
  /** Whether the connection is reset right after the answer, with the body unread. */
  readonly hangsUp?: boolean;
}

/** An HTTP front that hands calls on to a service, but for those that it is told to refuse. */
export class FaultFront {
  readonly endpoint: string;
  /** Calls that came, by path, refused or not. */
  readonly calls: Map<string, number> = new Map();
  /** Access keys that calls were signed with. */
  readonly accessKeys: Set<string> = new Set();
  /** Access keys that are refused, as those of a session that is over. */
  readonly deniedKeys: Set<string> = new Set();
  /** Changes the acks that come back, each a line of JSON; as they are when left out. */
  tamper: ((ack: string) => string) | undefined;
  readonly #server: Server;
  readonly #target: number;
  readonly #faults = new Map<string, { readonly fault: Fault; left: number }>();

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.#target = target;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  static async start(targetPort: number): Promise<FaultFront> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
    const front = new FaultFront(server, address.port, targetPort);
    server.on('request', (request, answer) => {
      front.#handle(request, answer);
    });
    return front;
  }

  /** Refuses the next `times` calls of `path`. */
  refuse(path: string, fault: Fault, times: number): void {
    this.#faults.set(path, { fault, left: times });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #handle(request: IncomingMessage, answer: ServerResponse): void {
    const path = request.url ?? '';
    this.calls.set(path, (this.calls.get(path) ?? 0) + 1);
    const key = /Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1];
    if (key !== undefined) this.accessKeys.add(key);
    request.on('error', () => undefined);
    const fault = this.#faultOf(path, key);
    if (fault === undefined) {
      this.#handOn(request, answer);
      return;
    }
    const { status, exception, hangsUp = false } = fault;
    if (exception !== undefined) answer.setHeader('x-amzn-ErrorType', exception);
    answer.setHeader('content-type', 'application/json');
    // Closed while the body is under way, the connection is reset, and the answer may be lost on its way.
    answer.setHeader('connection', 'keep-alive');
    answer.writeHead(status).end('{"Message":"injected"}', () => {
      if (hangsUp) request.socket.resetAndDestroy();
    });
    if (!hangsUp) request.resume();
  }

  #faultOf(path: string, key: string | undefined): Fault | undefined {
    if (key !== undefined && this.deniedKeys.has(key)) {
      return { status: 403, exception: 'ExpiredTokenException' };
    }
    const planned = this.#faults.get(path);
    if (planned === undefined || planned.left === 0) return undefined;
    planned.left -= 1;
    return planned.fault;
  }

  /** Breaks every connection. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  #carryAcks(from: IncomingMessage, to: ServerResponse): void {
    let rest = '';
    from.setEncoding('utf8');
    from.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) to.write(`${this.tamper?.(line.trim()) ?? line.trim()}\r\n`);
    });
    from.on('end', () => to.end());
  }

  #handOn(request: IncomingMessage, answer: ServerResponse): void {
    const { method, url, headers } = request;
    const onward = httpRequest({
      host: '127.0.0.1',
      port: this.#target,
      ...(method === undefined ? {} : { method }),
      ...(url === undefined ? {} : { path: url }),
      headers,
    });
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      answer.flushHeaders();
      if (url === '/putMedia' && response.statusCode === 200) this.#carryAcks(response, answer);
      else response.pipe(answer);
      response.on('error', () => answer.destroy());
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    request.pipe(onward);
  }
}
