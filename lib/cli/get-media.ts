import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Credentials } from '../base/credentials.js';
import { KvsError } from '../base/errors.js';
import { isBytes } from '../base/values.js';
import { Sha256 } from '../transport/sha256.js';

/** A service and who calls it. */
export interface ServiceTarget {
  /** `http://…` or `https://…`. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
}

/**
 * Opens GetMedia on a stream from its earliest fragment and gives the body as it comes. It never
 * ends by itself: leave the loop, or abort the signal, when enough was read.
 *
 * @throws KvsError with the service's own words when it refuses.
 */
export async function* getMedia(
  target: ServiceTarget,
  streamName: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const dataEndpoint = await getDataEndpoint(target, streamName, signal);
  const response = await post({ ...target, endpoint: dataEndpoint }, '/getMedia', signal, {
    StreamName: streamName,
    StartSelector: { StartSelectorType: 'EARLIEST' },
  });
  try {
    for await (const chunk of response) {
      if (isBytes(chunk)) yield chunk;
    }
  } finally {
    response.destroy();
  }
}

async function getDataEndpoint(
  target: ServiceTarget,
  streamName: string,
  signal: AbortSignal,
): Promise<string> {
  const response = await post(target, '/getDataEndpoint', signal, {
    StreamName: streamName,
    APIName: 'GET_MEDIA',
  });
  const answer: unknown = JSON.parse(await text(response));
  if (typeof answer === 'object' && answer !== null && 'DataEndpoint' in answer) {
    if (typeof answer.DataEndpoint === 'string') return answer.DataEndpoint;
  }
  throw new KvsError({
    status: 'STATUS_GET_STREAMING_ENDPOINT_CALL_FAILED',
    message: `GetDataEndpoint of ${target.endpoint} answered without a DataEndpoint`,
  });
}

async function post(
  target: ServiceTarget,
  path: string,
  signal: AbortSignal,
  parameters: Readonly<Record<string, unknown>>,
): Promise<IncomingMessage> {
  const url = new URL(path, target.endpoint);
  const body = JSON.stringify(parameters);
  const signer = new SignatureV4({
    service: 'kinesisvideo',
    region: target.region,
    credentials: target.credentials,
    sha256: Sha256,
  });
  const signed = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    port: Number(url.port),
    path: url.pathname,
    query: {},
    headers: { host: url.host, 'content-type': 'application/json' },
    body,
  });
  const response = await send(url, signed.headers, body, signal);
  if (response.statusCode === 200) return response;
  throw new KvsError({
    status: 'STATUS_SERVICE_CALL_UNKOWN_ERROR',
    message: `POST ${url.href} was answered ${response.statusCode}: ${await text(response)}`,
  });
}

function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', headers: { ...headers }, signal, agent: false });
    call.once('response', resolve);
    call.once('error', reject);
    call.end(body);
  });
}

async function text(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let all = '';
  for await (const part of response) all += String(part);
  return all;
}
