import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '../errors.js';

/** Largest JSON body, bytes: a list of 1,000 fragment numbers of 128 digits fits. */
const MAX_BODY = 256 * 1024;
/** How long a JSON body may take to arrive, ms. */
const BODY_TIMEOUT = 30_000;

/** Starts an answer: every one has a request id. @internal */
export function prepareAnswer(response: ServerResponse): void {
  response.setHeader('x-amzn-RequestId', randomUUID());
}

/** Answers with JSON; nothing stands for an empty body. @internal */
export function sendJson(response: ServerResponse, value: object | undefined): void {
  const body = value === undefined ? '' : JSON.stringify(value);
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
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

/** Reads a JSON body. Throws SerializationException when it is too long or too slow. @internal */
export async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => {
    request.destroy(new ServiceError('SerializationException', 'The request body is too slow'));
  }, BODY_TIMEOUT);
  try {
    for await (const chunk of request) {
      if (!Buffer.isBuffer(chunk)) continue;
      length += chunk.length;
      if (length > MAX_BODY) {
        throw new ServiceError(
          'SerializationException',
          `The request body is longer than ${String(MAX_BODY)} bytes`,
        );
      }
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}
