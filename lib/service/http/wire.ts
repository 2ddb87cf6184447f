import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Collector } from '../../parser/input.js';
import { ServiceError } from '../errors.js';
import type { OpenAnswer } from '../operate/open-answer.js';
import type { BodyBudget } from './body-budget.js';

/** Largest JSON body, bytes: a list of 1,000 fragment numbers of 128 digits fits. */
const MAX_BODY = 256 * 1024;
/** What is read of a body that is too long, bytes. */
const MAX_READ = 16 * MAX_BODY;
const BUSY = 'Too many unsigned requests are being received; try again later.';
const TOO_LONG = `The request body is longer than ${String(MAX_BODY)} bytes`;

/** Starts an answer: every one has a request id. @internal */
export function prepareAnswer(response: ServerResponse): void {
  response.setHeader('x-amzn-RequestId', randomUUID());
}

/** Answers with JSON; nothing stands for an empty body. @internal */
export function sendJson(response: ServerResponse, value: object | undefined): void {
  sendText(response, 'application/json', value === undefined ? '' : JSON.stringify(value));
}

/** Answers with a text of any type. @internal */
export function sendText(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Answers what anybody may ask. @internal */
export function sendOpen(response: ServerResponse, { status, type, body }: OpenAnswer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Answers with an exception, in the form that AWS SDKs read. @internal */
export function sendError(response: ServerResponse, error: ServiceError): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = JSON.stringify({ __type: error.name, Message: error.message });
  response.writeHead(error.statusCode, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-amzn-ErrorType': error.name,
  });
  response.end(body);
}

/**
 * Reads a JSON body. Throws SerializationException when it is too long or takes longer than `timeout`
 * ms, ServiceUnavailable where the budget does not hold it; what is too long is read to its end within
 * reason, so that the client gets to read the answer. @internal
 */
export async function readBody(
  request: IncomingMessage,
  timeout: number,
  budget?: BodyBudget,
): Promise<Uint8Array> {
  // Joined as they come: a client that sends single bytes would have an object held for each.
  const body = new Collector();
  let length = 0;
  let held = 0;
  let take: (chunk: Buffer) => void = () => undefined;
  const fault = await new Promise<ServiceError | undefined>((resolve) => {
    const timer = setTimeout(() => {
      resolve(unreadable('The request body is too slow'));
    }, timeout);
    const done = (): void => {
      clearTimeout(timer);
      resolve(length > MAX_BODY ? unreadable(TOO_LONG) : undefined);
    };
    take = (chunk): void => {
      length += chunk.length;
      if (length > MAX_READ) done();
      if (length > MAX_BODY) return;
      held += chunk.length;
      if (budget?.take(chunk.length, length) === false) {
        clearTimeout(timer);
        resolve(new ServiceError('ServiceUnavailable', BUSY));
      } else body.add(chunk, MAX_BODY);
    };
    request.on('data', take);
    request.on('end', done);
    request.on('close', done);
  });
  request.removeListener('data', take);
  budget?.give(held);
  if (fault !== undefined) throw fault;
  return body.view();
}

function unreadable(why: string): ServiceError {
  return new ServiceError('SerializationException', why);
}

/** How long a refused client may take to stop sending and read why, ms. */
const LINGER = 5000;

/**
 * Reads on and throws away, for a while: to close on unread input would reset the connection, and
 * the client would lose the answer. @internal
 */
export async function discardRest(request: IncomingMessage): Promise<void> {
  const { socket } = request;
  if (request.complete || request.destroyed || socket.destroyed) return;
  request.on('data', () => undefined);
  request.resume();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => request.destroy(), LINGER);
    const done = (): void => {
      clearTimeout(timer);
      request.removeListener('end', done);
      request.removeListener('close', done);
      socket.removeListener('close', done);
      resolve();
    };
    request.on('end', done);
    request.on('close', done);
    // A request whose answer has ended is not told that its connection closes.
    socket.on('close', done);
  });
}
