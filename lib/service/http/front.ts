import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { KvsError } from '../../base/errors.js';
import { checkInput, parseBody, readHeaders, type Input } from '../api/input.js';
import { knownValues } from '../api/known.js';
import type { Operation, OperationName } from '../api/operation.js';
import { OPERATIONS } from '../api/operations.js';
import { UNSERVED } from '../api/unserved.js';
import type { CallEvent } from '../audit/record.js';
import { ServiceError } from '../errors.js';
import { HLS_PATH } from '../hls/resources.js';
import type { OpenAnswer } from '../operate/open-answer.js';
import {
  serverTls,
  type CheckedOptions,
  type ServiceCredentials,
  type TlsOptions,
} from '../options.js';
import { admit, type Admitted, type Caller } from './auth.js';
import { BodyBudget } from './body-budget.js';
import { answeredError, eventOf, pathOf, type Trace } from './call-event.js';
import { ConnectionCaps } from './connections.js';
import type { BodyDecoder } from './aws-chunked.js';
import { decodeWhole, decoderFor } from './body-form.js';
import { headerOf } from './header-of.js';
import { newServer, whyNot } from './server.js';
import { TrustedProxies, type Source } from './source.js';
import {
  discardRest,
  prepareAnswer,
  readBody,
  sendError,
  sendJson,
  sendOpen,
  sendText,
} from './wire.js';

/** A call that was found signed and valid. @internal */
export interface Call {
  readonly operation: Operation;
  readonly caller: Caller;
  readonly source: Source;
  readonly input: Input;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Makes the data of a body that the handler reads itself. */
  readonly decoder: BodyDecoder;
}

/** A call of a known caller that was refused before it reached what carries it out. @internal */
export interface RefusedCall {
  readonly operation: Operation;
  readonly caller: Caller;
  /** The operation's parameters as they came. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** What carries out an operation. @internal */
export type Handler =
  | { readonly kind: 'json'; readonly run: (call: Call) => Promise<object | undefined> }
  /** Writes the answer itself; an exception before the first byte is answered for it. */
  | { readonly kind: 'stream'; readonly run: (call: Call) => Promise<void> };

/** A handler for every operation. @internal */
export type Handlers = Readonly<Record<OperationName, Handler>>;

/** A text that is read with `GET`, and the type of its content. @internal */
export interface Page {
  readonly type: string;
  readonly text: (caller: Caller) => string;
}

/** What the HTTP side hands calls to. @internal */
export interface FrontParts {
  readonly handlers: Handlers;
  readonly pages: ReadonlyMap<string, Page>;
  /** What anybody may ask for with `GET`, by path. */
  readonly openPages: ReadonlyMap<string, () => Promise<OpenAnswer>>;
  /** Answers what players ask for with the token of an HLS session, under `/hls/v1/`. */
  readonly hls: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Throws where the caller may not make the call. */
  readonly authorize: (call: Call) => void;
  /** Told of calls that are refused for what they ask, or by the caller's policies. */
  readonly refused: (call: RefusedCall) => void;
  /** Told of every failure; gives how long its answer is held back, ms. */
  readonly denied: (trace: Trace, path: string, error: ServiceError) => number;
  /** Throws where the caller may not read the pages. */
  readonly authorizePage: (caller: Caller, source: Source) => void;
  /** Told of every call of an operation when it has ended. */
  readonly audit: ((event: CallEvent) => void) | undefined;
}

/** That connections are refused is told this often at most, ms. */
const TELL_EVERY = 60_000;

/** The HTTP side of the service. @internal */
export class HttpFront {
  #options: CheckedOptions;
  readonly #parts: FrontParts;
  readonly #routes: ReadonlyMap<string, Operation>;
  readonly #server: Server | SecureServer;
  readonly #proxies: TrustedProxies;
  /** What may be held for those of whom nobody knows yet who they are. */
  readonly #unproven = new BodyBudget();
  #toldTooMany = -Infinity;
  /** Calls that have not ended. */
  readonly #active = new Set<Promise<void>>();

  constructor(options: CheckedOptions, parts: FrontParts) {
    this.#options = options;
    this.#parts = parts;
    this.#routes = new Map(OPERATIONS.map((operation) => [operation.path, operation]));
    this.#server = newServer(options);
    this.#proxies = new TrustedProxies(options.trustedProxies);
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      const call = this.#serve(request, response)
        .catch((error: unknown) => {
          this.#lost(request, response, error);
        })
        .finally(() => this.#active.delete(call));
      this.#active.add(call);
    };
    // Told when a connection cannot be accepted; without a listener it would end the process.
    this.#server.on('error', (error) => {
      this.#tell('a connection could not be taken', { error });
    });
    this.#server.on('request', serve);
    const caps = new ConnectionCaps(
      options.limits,
      (address) => this.#proxies.includes(address),
      (address) => {
        this.#tooMany(address);
      },
    );
    this.#server.on('connection', (socket: Socket) => {
      caps.take(socket);
    });
    // Who asks first is told to go on when it is sure that the body will be taken.
    this.#server.on('checkContinue', serve);
  }

  /** Resolves with where it listens. Rejects with `KvsError` when the address cannot be had. */
  async listen(): Promise<{ readonly port: number }> {
    const { host, port } = this.#options;
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error): void => {
        reject(
          new KvsError({
            status: 'STATUS_INVALID_ARG',
            message: `startService: cannot listen on ${host} port ${String(port)}${whyNot(error)}`,
            cause: error,
          }),
        );
      };
      server.once('error', failed);
      server.listen(port, host, () => {
        server.removeListener('error', failed);
        resolve();
      });
    });
    const address = server.address();
    return isAddress(address) ? address : { port };
  }

  /** Connections that are open now. */
  connections(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.getConnections((error, count) => {
        resolve(error === null ? count : 0);
      });
    });
  }

  /** Calls to come are let in by these keys; those that run go on. */
  useCredentials(credentials: ServiceCredentials): void {
    this.#options = { ...this.#options, credentials };
  }

  /** Connections to come get this certificate; those that are open go on. */
  useTls(tls: TlsOptions): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(serverTls(tls));
  }

  /**
   * Takes no more connections, ends those that wait and, a moment after `drained`, the others;
   * resolves when every call has ended.
   */
  async close(drained: Promise<unknown>): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.#server.closeIdleConnections();
    await drained;
    this.#server.closeIdleConnections();
    // Responses that were just ended get a moment to reach their readers.
    const timer = setTimeout(() => {
      this.#server.closeAllConnections();
    }, 1000);
    await closed;
    clearTimeout(timer);
    await Promise.all(this.#active);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    prepareAnswer(response);
    // A lost connection is told by 'close'; without a listener it would end the process.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const open = request.method === 'GET' ? this.#parts.openPages.get(pathOf(request)) : undefined;
    if (open !== undefined) {
      sendOpen(response, await open());
      return;
    }
    // Read now: when the call has ended, its connection may be gone, and the address with it.
    const trace: Trace = { source: this.#proxies.sourceOf(request) };
    const time = this.#options.clock.wall();
    let failure: unknown;
    try {
      await this.#answer(request, response, trace);
    } catch (error) {
      failure = error;
      const { operation, caller, unchecked: values } = trace;
      if (operation && caller && values) this.#parts.refused({ operation, caller, values });
      const wait = this.#parts.denied(trace, pathOf(request), answeredError(error));
      if (wait > 0) await sleep(wait, undefined, { ref: false });
      this.#fail(request, response, error);
    }
    const { audit } = this.#parts;
    if (audit === undefined || trace.operation === undefined) return;
    audit(eventOf({ request, response, time, trace, operation: trace.operation, failure }));
  }

  async #answer(request: IncomingMessage, response: ServerResponse, trace: Trace): Promise<void> {
    const page = request.method === 'GET' ? this.#parts.pages.get(pathOf(request)) : undefined;
    if (page !== undefined) {
      const admitted = admit(request, this.#options);
      const bytes = await this.#readBody(request, response, admitted);
      const { caller } = admitted.prove({ kind: 'read', bytes });
      this.#parts.authorizePage(caller, trace.source);
      sendText(response, page.type, page.text(caller));
      return;
    }
    if (pathOf(request).startsWith(HLS_PATH)) {
      await this.#parts.hls(request, response);
      return;
    }
    const operation = this.#route(request);
    trace.operation = operation;
    const { source } = trace;
    const admitted = admit(request, this.#options);
    if (operation.input === 'headers') {
      const { caller, seed } = admitted.prove({ kind: 'media' });
      trace.caller = caller;
      const values = readHeaders(operation, (name) => headerOf(request, name));
      trace.unchecked = values;
      const input = checkInput(operation, values);
      trace.input = values;
      const decoder = decoderFor(request, seed);
      await this.#run({ operation, caller, source, input, request, response, decoder }, trace);
      return;
    }
    const bytes = await this.#readBody(request, response, admitted);
    const { caller, seed } = admitted.prove({ kind: 'read', bytes });
    trace.caller = caller;
    const decoder = decoderFor(request, seed);
    const values = knownValues(operation.fields, parseBody(decodeWhole(decoder, bytes)));
    trace.unchecked = values;
    const input = checkInput(operation, values);
    trace.input = values;
    await this.#run({ operation, caller, source, input, request, response, decoder }, trace);
  }

  #readBody(
    request: IncomingMessage,
    response: ServerResponse,
    { proven }: Admitted,
  ): Promise<Uint8Array> {
    if (request.headers.expect !== undefined) response.writeContinue();
    const budget = proven ? undefined : this.#unproven;
    return readBody(request, this.#options.requestTimeoutMs, budget);
  }

  async #run(call: Call, trace: Trace): Promise<void> {
    this.#parts.authorize(call);
    delete trace.unchecked;
    const handler = this.#parts.handlers[call.operation.name];
    if (handler.kind === 'stream') {
      await handler.run(call);
      return;
    }
    trace.answer = await handler.run(call);
    sendJson(call.response, trace.answer);
  }

  /** What told of a call has failed itself: the call ends, and nothing else. */
  #lost(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    this.#tell('a call could not be told of', { path: pathOf(request), error });
    if (!response.writableEnded) response.destroy();
  }

  #tooMany(address: string): void {
    const now = this.#options.clock.mono();
    if (now < this.#toldTooMany + TELL_EVERY) return;
    this.#toldTooMany = now;
    this.#tell('connections are refused: too many are open', { address });
  }

  #tell(message: string, detail: Readonly<Record<string, unknown>>): void {
    try {
      this.#options.log('error', message, detail);
    } catch {
      // A log of the user's own that fails has nowhere else to be told of.
    }
  }

  #route(request: IncomingMessage): Operation {
    const path = pathOf(request);
    const operation = this.#routes.get(path);
    if (operation !== undefined && request.method === 'POST') return operation;
    const known = UNSERVED.get(path);
    if (known !== undefined) {
      throw new ServiceError(
        'NotImplementedException',
        `${known} is not served here; see docs/service-api.md for what is.`,
      );
    }
    throw new ServiceError(
      'UnknownOperationException',
      `Unable to determine service/operation name to be authorized: ` +
        `${request.method ?? ''} ${path.slice(0, 128)}`,
    );
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (request.destroyed && !request.complete) return;
    void discardRest(request);
    if (!(error instanceof ServiceError)) {
      // Without the query, which may hold a token or a signature.
      this.#tell('a call failed', { path: pathOf(request), error });
    }
    sendError(response, answeredError(error));
  }
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}
