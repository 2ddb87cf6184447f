import { request as httpsRequest, type Agent } from 'node:https';
import type { CredentialProvider, Credentials } from '../base/credentials.js';
import { KvsError } from '../base/errors.js';
import { parseCredentials } from './credentials.js';

/** A device's certificate and what it stands for in AWS IoT. */
export interface IotCertificateOptions {
  /** The account's credentials endpoint, for example `c1.credentials.iot.us-west-2.amazonaws.com`. */
  readonly endpoint: string;
  /** Role alias that the certificate may assume. */
  readonly roleAlias: string;
  /** Name of the thing, where policies ask for it. */
  readonly thingName?: string;
  /** The device's certificate and private key, PEM. */
  readonly certificate: string | Buffer;
  readonly privateKey: string | Buffer;
  /** Certificates of authorities that are trusted instead of Node's own, PEM. */
  readonly ca?: string | Buffer;
  /** Makes the connections, through a proxy, say (`connectionAgents`); a plain one by default. */
  readonly agent?: Agent;
  /** How long a call may take, ms; 10,000 by default. */
  readonly timeoutMs?: number;
  /** This machine's clock, ms since 1970; `Date.now` by default. */
  readonly wall?: () => number;
}

/** Fresh credentials are asked for when those at hand have less than this left. */
const GRACE_MS = 5 * 60_000;
const TIMEOUT_MS = 10_000;
const MOST_TEXT = 64 * 1024;

/** Credentials and when they end by this machine's clock, ms since 1970. */
interface Held {
  readonly credentials: Credentials;
  readonly until: number;
}

/**
 * Credentials for a device certificate, from AWS IoT's credentials endpoint over mutual TLS (guide:
 * DeviceCertToToken); asked for again five minutes before they end, whatever this machine's clock
 * says, and when the service refuses them. The provider rejects with `KvsError` STATUS_CLIENT_AUTH_CALL_FAILED while none are good and the
 * endpoint cannot be reached or refuses; the producer asks again later.
 */
export function iotCertificateCredentials(options: IotCertificateOptions): CredentialProvider {
  const wall = options.wall ?? Date.now;
  let held: Held | undefined;
  let asking: Promise<Held> | undefined;
  // Streams that want new credentials at the same time get the same ones.
  const askOnce = (): Promise<Held> =>
    (asking ??= ask(options, wall).finally(() => {
      asking = undefined;
    }));
  return async (given) => {
    const good = held !== undefined && held.until - wall() >= GRACE_MS;
    if (held !== undefined && good && given?.forceRefresh !== true) return held.credentials;
    try {
      held = await askOnce();
    } catch (error) {
      if (held === undefined || held.until <= wall()) throw error;
    }
    return held.credentials;
  };
}

async function ask(options: IotCertificateOptions, wall: () => number): Promise<Held> {
  const where = `the IoT credentials endpoint ${options.endpoint}`;
  let answer;
  try {
    answer = await call(options);
  } catch (cause) {
    throw failed(`${where} cannot be reached; it is asked again later`, cause);
  }
  if (answer.status !== 200) {
    const text = answer.text.slice(0, 200);
    throw failed(
      `${where} answered ${answer.status} for role alias '${options.roleAlias}': ${text}; ` +
        'check the role alias, the thing name and the policy of the certificate',
      undefined,
    );
  }
  const credentials = parseCredentials(answer.text, where);
  const ahead = Date.parse(answer.date) - wall();
  const ends = credentials.expiration?.getTime() ?? 0;
  return { credentials, until: ends - (Number.isFinite(ahead) ? ahead : 0) };
}

function failed(message: string, cause: unknown): KvsError {
  return new KvsError({
    status: 'STATUS_CLIENT_AUTH_CALL_FAILED',
    message,
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What the endpoint answered. */
interface Answer {
  readonly status: number;
  readonly text: string;
  /** The endpoint's clock, as HTTP writes it. */
  readonly date: string;
}

function call(options: IotCertificateOptions): Promise<Answer> {
  const { endpoint, roleAlias, thingName, certificate, privateKey, ca } = options;
  const url = new URL(/^https:/.test(endpoint) ? endpoint : `https://${endpoint}`);
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: url.hostname,
      port: url.port === '' ? 443 : Number(url.port),
      path: `/role-aliases/${encodeURIComponent(roleAlias)}/credentials`,
      headers: thingName === undefined ? {} : { 'x-amzn-iot-thingname': thingName },
      cert: certificate,
      key: privateKey,
      ...(ca === undefined ? {} : { ca }),
      agent: options.agent ?? false,
      signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS),
    });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('error', reject);
      response.on('data', (part: string) => {
        if (text.length < MOST_TEXT) text += part;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text, date: response.headers.date ?? '' });
      });
    });
    request.end();
  });
}
