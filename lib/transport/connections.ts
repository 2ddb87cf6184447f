import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { connect as netConnect, Socket } from 'node:net';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { goesDirect } from './no-proxy.js';

/** Agents that make the connections. */
export interface HttpAgents {
  /** For endpoints that begin with `http:`; for a proxy, say. */
  readonly httpAgent?: HttpAgent;
  /** For endpoints that begin with `https:`; for a proxy or authorities of your own. */
  readonly httpsAgent?: HttpsAgent;
}

/** How connections leave this machine. */
export interface ConnectionSettings {
  /** URL of the proxy for `http:` endpoints, for example `http://user:password@proxy:3128`. */
  readonly httpProxy?: string;
  /** URL of the proxy for `https:` endpoints. */
  readonly httpsProxy?: string;
  /**
   * Hosts that are reached without a proxy, apart by commas: `name` and what ends in `.name`,
   * `name:port`, an address, a range such as `10.0.0.0/8`, or `*` for all. This machine itself always is.
   */
  readonly noProxy?: string;
  /** Certificates of authorities that are trusted instead of Node's own, PEM; by the proxy, too. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
}

/** What an agent is asked to connect to; Node gives it more, which goes on to TLS. */
interface Target {
  readonly host?: string | null;
  readonly port?: number | string | null;
  readonly servername?: string;
}

/**
 * The authorities of all connections. A bundle of them takes some hundred milliseconds to read: it is
 * read once, when the first connection asks for it.
 */
class Trust {
  readonly #ca: string | Buffer | (string | Buffer)[] | undefined;
  #context: SecureContext | undefined;

  constructor(ca: ConnectionSettings['ca']) {
    this.#ca = isList(ca) ? [...ca] : ca;
  }

  /**
   * What TLS is to be given; nothing where Node's own authorities are trusted. A `target` with a
   * certificate of its own cannot share: a context holds both.
   */
  options(target: object = {}): Pick<ConnectionOptions, 'ca' | 'secureContext'> {
    if (this.#ca === undefined) return {};
    if (OWN.some((name) => Reflect.get(target, name) !== undefined)) return { ca: this.#ca };
    this.#context ??= createSecureContext({ ca: this.#ca });
    return { secureContext: this.#context };
  }
}

type OnSocket = (error: Error | null, socket?: Socket) => void;

const CONNECT_MS = 10_000;
/** By these a caller shows a certificate, or asks for more than the authorities. */
const OWN = ['cert', 'key', 'pfx', 'ciphers', 'minVersion', 'maxVersion', 'crl'] as const;
const KEPT = { keepAlive: true } as const;

/** Agents that connect as the settings say, each connection through a tunnel where there is a proxy. */
export function connectionAgents(settings: ConnectionSettings): HttpAgents {
  const { httpProxy, httpsProxy, noProxy = '', ca } = settings;
  const trust = new Trust(ca);
  return {
    ...(httpProxy === undefined
      ? {}
      : { httpAgent: new HttpTunnelAgent(httpProxy, noProxy, trust) }),
    ...(httpsProxy === undefined && ca === undefined
      ? {}
      : { httpsAgent: new HttpsTunnelAgent(httpsProxy, noProxy, trust) }),
  };
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/**
 * All connections of one producer: the agents that its calls, its media and its credentials share. Those
 * that are made here are closed here. @internal
 */
export class Connections {
  readonly agents: Required<HttpAgents>;
  readonly #own: readonly HttpAgent[];

  constructor(given: HttpAgents) {
    const { httpAgent = new HttpAgent(KEPT), httpsAgent = new HttpsAgent(KEPT) } = given;
    this.agents = { httpAgent, httpsAgent };
    this.#own = [
      ...(given.httpAgent === undefined ? [httpAgent] : []),
      ...(given.httpsAgent === undefined ? [httpsAgent] : []),
    ];
  }

  /** Closes what is idle; what is in use is closed when it is done. */
  close(): void {
    for (const agent of this.#own) closeIdle(agent);
  }
}

/** Closes an agent's idle connections, and keeps none any more. @internal */
export function closeIdle(agent: HttpAgent): void {
  Object.assign(agent, { keepAlive: false });
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

/** A proxy as curl takes it: without a scheme it speaks HTTP. */
function proxyUrl(proxy: string): URL {
  return new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
}

class HttpTunnelAgent extends HttpAgent {
  readonly #proxy: URL;
  readonly #noProxy: string;
  readonly #trust: Trust;

  constructor(proxy: string, noProxy: string, trust: Trust) {
    super(KEPT);
    this.#proxy = proxyUrl(proxy);
    this.#noProxy = noProxy;
    this.#trust = trust;
  }

  createConnection(target: Target, onSocket: OnSocket): void {
    const { host, port } = addressOf(target);
    if (goesDirect(host, port, this.#noProxy)) onSocket(null, netConnect({ host, port }));
    else tunnel(this.#proxy, this.#trust, target, onSocket);
  }
}

class HttpsTunnelAgent extends HttpsAgent {
  readonly #proxy: URL | undefined;
  readonly #noProxy: string;
  readonly #trust: Trust;

  constructor(proxy: string | undefined, noProxy: string, trust: Trust) {
    super(KEPT);
    this.#proxy = proxy === undefined ? undefined : proxyUrl(proxy);
    this.#noProxy = noProxy;
    this.#trust = trust;
  }

  createConnection(target: Target, onSocket: OnSocket): void {
    const { host, port } = addressOf(target);
    if (this.#proxy === undefined || goesDirect(host, port, this.#noProxy)) {
      onSocket(null, this.#secured(target));
      return;
    }
    tunnel(this.#proxy, this.#trust, target, (error, socket) => {
      if (socket === undefined) onSocket(error);
      else onSocket(null, this.#secured({ ...target, socket }));
    });
  }

  /** TLS as Node's own agent makes it, which resumes the sessions that it has had. */
  #secured(target: Target & { readonly socket?: Socket }): Socket {
    const make: unknown = Reflect.get(HttpsAgent.prototype, 'createConnection');
    if (typeof make !== 'function') throw new TypeError("this Node's Agent makes no connections");
    const made: unknown = Reflect.apply(make, this, [
      { ...target, ...addressOf(target), ...this.#trust.options(target) },
    ]);
    if (!(made instanceof Socket)) throw new TypeError("this Node's Agent made no socket");
    return made;
  }
}

function addressOf(target: Target): { readonly host: string; readonly port: number } {
  return { host: target.host ?? 'localhost', port: Number(target.port ?? 0) };
}

/** Asks the proxy for a connection to the target (HTTP CONNECT). */
function tunnel(proxy: URL, trust: Trust, target: Target, onSocket: OnSocket): void {
  const { host, port } = addressOf(target);
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const credentials = `${decoded(proxy.username)}:${decoded(proxy.password)}`;
  const login = Buffer.from(credentials).toString('base64');
  const secure = proxy.protocol === 'https:';
  const ask = secure ? httpsRequest : httpRequest;
  const request = ask({
    method: 'CONNECT',
    host: proxy.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: proxy.port === '' ? undefined : Number(proxy.port),
    path: authority,
    headers: {
      host: authority,
      ...(proxy.username === '' ? {} : { 'proxy-authorization': `Basic ${login}` }),
    },
    agent: secure ? new HttpsAgent(trust.options()) : false,
    timeout: CONNECT_MS,
  });
  let settled = false;
  request.once('connect', (answer, socket: Socket) => {
    settled = true;
    socket.setTimeout(0);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) {
      onSocket(null, socket);
      return;
    }
    socket.destroy();
    onSocket(new Error(`the proxy ${proxy.host} answered ${status} for ${authority}`));
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
