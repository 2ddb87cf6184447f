import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { connect as netConnect, type Socket } from 'node:net';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import type { HttpAgents } from './http-transport.js';

/** How connections leave this machine. */
export interface ConnectionSettings {
  /** URL of the proxy for `http:` endpoints, for example `http://user:password@proxy:3128`. */
  readonly httpProxy?: string;
  /** URL of the proxy for `https:` endpoints. */
  readonly httpsProxy?: string;
  /**
   * Hosts that are reached without a proxy, apart by commas: `name` and what ends in `.name`,
   * `name:port`, or `*` for all. This machine itself always is.
   */
  readonly noProxy?: string;
  /** Certificates of authorities that are trusted instead of Node's own, PEM. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
}

/** What an agent is asked to connect to; Node gives it more, which goes on to TLS. */
interface Target {
  readonly host?: string | null;
  readonly port?: number | string | null;
  readonly servername?: string;
}

type OnSocket = (error: Error | null, socket?: Socket) => void;

const CONNECT_MS = 10_000;

/** Agents that connect as the settings say, each connection through a tunnel where there is a proxy. */
export function connectionAgents(settings: ConnectionSettings): HttpAgents {
  const { httpProxy, httpsProxy, noProxy = '', ca } = settings;
  const trust = ca === undefined ? {} : { ca: isList(ca) ? [...ca] : ca };
  return {
    ...(httpProxy === undefined ? {} : { httpAgent: new HttpTunnelAgent(httpProxy, noProxy) }),
    ...(httpsProxy === undefined && ca === undefined
      ? {}
      : { httpsAgent: new HttpsTunnelAgent(httpsProxy, noProxy, trust) }),
  };
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

class HttpTunnelAgent extends HttpAgent {
  readonly #proxy: URL;
  readonly #noProxy: string;

  constructor(proxy: string, noProxy: string) {
    super({ keepAlive: true });
    this.#proxy = new URL(proxy);
    this.#noProxy = noProxy;
  }

  createConnection(target: Target, onSocket: OnSocket): void {
    if (goesDirect(target, this.#noProxy)) onSocket(null, netConnect(addressOf(target)));
    else tunnel(this.#proxy, target, onSocket);
  }
}

class HttpsTunnelAgent extends HttpsAgent {
  readonly #proxy: URL | undefined;
  readonly #noProxy: string;

  constructor(
    proxy: string | undefined,
    noProxy: string,
    trust: { ca?: string | Buffer | (string | Buffer)[] },
  ) {
    super({ keepAlive: true, ...trust });
    this.#proxy = proxy === undefined ? undefined : new URL(proxy);
    this.#noProxy = noProxy;
  }

  createConnection(target: Target, onSocket: OnSocket): void {
    if (this.#proxy === undefined || goesDirect(target, this.#noProxy)) {
      onSocket(null, tlsConnect({ ...target, ...addressOf(target) }));
      return;
    }
    tunnel(this.#proxy, target, (error, socket) => {
      if (socket === undefined) onSocket(error);
      else onSocket(null, secured(target, socket));
    });
  }
}

/** TLS through a tunnel, to the certificate's name of the target. */
function secured(target: Target, socket: Socket): TLSSocket {
  return tlsConnect({ ...target, ...addressOf(target), socket });
}

function addressOf(target: Target): { readonly host: string; readonly port: number } {
  return { host: target.host ?? 'localhost', port: Number(target.port ?? 0) };
}

/** Asks the proxy for a connection to the target (HTTP CONNECT). */
function tunnel(proxy: URL, target: Target, onSocket: OnSocket): void {
  const { host, port } = addressOf(target);
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const credentials = `${decoded(proxy.username)}:${decoded(proxy.password)}`;
  const login = Buffer.from(credentials).toString('base64');
  const ask = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = ask({
    method: 'CONNECT',
    host: proxy.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: proxy.port === '' ? undefined : Number(proxy.port),
    path: authority,
    headers: {
      host: authority,
      ...(proxy.username === '' ? {} : { 'proxy-authorization': `Basic ${login}` }),
    },
    agent: false,
    timeout: CONNECT_MS,
  });
  let settled = false;
  request.once('connect', (answer, socket: Socket) => {
    settled = true;
    socket.setTimeout(0);
    if (answer.statusCode === 200) {
      onSocket(null, socket);
      return;
    }
    socket.destroy();
    onSocket(
      new Error(`the proxy ${proxy.host} answered ${answer.statusCode ?? 0} for ${authority}`),
    );
  });
  request.once('timeout', () => {
    request.destroy(new Error(`the proxy ${proxy.host} did not answer within ${CONNECT_MS} ms`));
  });
  // An error after the tunnel stands is the socket's own.
  request.on('error', (error) => {
    if (!settled) onSocket(error);
    settled = true;
  });
  request.end();
}

/** Part of a URL with its escapes undone; a `%` that begins none stands for itself, as curl has it. */
function decoded(part: string): string {
  return part.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/** Whether a host is this machine, or `noProxy` names it. */
function goesDirect(target: Target, noProxy: string): boolean {
  const { host, port } = addressOf(target);
  if (host === 'localhost' || host === '::1' || /^127\./.test(host)) return true;
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && names(entry, host.toLowerCase(), port));
}

function names(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true;
  const [, name = entry, ofPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (ofPort !== undefined && Number(ofPort) !== port) return false;
  const bare = name.replace(/^\*?\./, '');
  return host === bare || host.endsWith(`.${bare}`);
}
