import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../base/clock.js';
import { KvsError } from '../base/errors.js';
import { checkAddresses, type AddressOptions, type CheckedAddresses } from './address-options.js';
import { printable } from '../base/printable.js';
import type { ApiLogOptions } from './audit/log-file.js';
import { isUrl } from './events/hook-target.js';
import { parsePolicy, type Policy } from './policy/policy.js';
import { GUIDE_LIMITS, NO_LIMITS, type Limits } from './limits.js';
import { isError } from '../base/values.js';

/** One access key that the service knows. */
export interface ServiceCredential {
  readonly secretAccessKey: string;
  /** Twelve digits; streams belong to an account. */
  readonly accountId: string;
  /** Name for logs and policies; the access key by default. */
  readonly userName?: string;
  /** Of temporary keys: the token that every request has to bring as `x-amz-security-token`. */
  readonly sessionToken?: string;
  /** When the key ends, ms since 1970; default never. */
  readonly expiration?: number;
  /** What the key may do; without them everything. An empty list allows nothing. */
  readonly policies?: readonly Policy[];
}

/** Who may call: known access keys, or anyone on this machine. */
export type ServiceCredentials = Readonly<Record<string, ServiceCredential>> | 'open';

/** A private key and the certificates that go with it, both PEM, the service's own first. */
export interface TlsOptions {
  readonly key: string | Uint8Array;
  readonly cert: string | Uint8Array;
}

/** How serious a log line is. */
export type LogLevel = 'info' | 'warn' | 'error';

/** Takes what the service has to tell its operator; called synchronously, must not throw. */
export type ServiceLog = (
  level: LogLevel,
  message: string,
  detail?: Readonly<Record<string, unknown>>,
) => void;

/** What `startService` is started with. */
export interface ServiceOptions extends AddressOptions {
  /** Directory that holds everything; made when it does not exist. One service at a time. */
  readonly dataDir: string;
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Port to listen on; default 0, any free one. */
  readonly port?: number;
  /**
   * Given, the service speaks HTTPS only; default plain HTTP. `'generated'`: with a certificate for
   * localhost, 127.0.0.1, ::1, `host`, `tlsHosts` and `publicEndpoint` that it makes itself, keeps in `dataDir/tls` and renews 30
   * days before it ends; `KvsService.certificate` tells what clients have to trust.
   */
  readonly tls?: TlsOptions | 'generated';
  /** Default `'open'`: every request is taken, which is allowed on loopback only. */
  readonly credentials?: ServiceCredentials;
  /** Region of stream ARNs and of signatures; default us-west-2. */
  readonly region?: string;
  /** The guide's limits by default; `'off'` for none, or some of them with other values. */
  readonly limits?: 'off' | Partial<Limits>;
  /** `'group'` (default): fragments share one flush. `'each'`: one flush for each fragment. */
  readonly fsync?: 'each' | 'group';
  /**
   * Most bytes that stored media may take, all streams together; default no limit. A fragment that
   * finds no room gets Error ack 5001; a new PutMedia is answered with ServiceUnavailable (503)
   * while less than 1 % is free, until retention or a deleted stream frees some. The index, mostly
   * below 1 % of the media, is not counted.
   */
  readonly diskQuota?: number;
  /** Directory into which every PutMedia body is also written as it came, `<stream>-<n>.mkv`. */
  readonly dump?: string;
  /**
   * File into which every API call is written, one JSON record a line in the guide's form; default
   * none. Media calls are written when they end. Or where, and how it is rotated.
   */
  readonly apiLog?: string | ApiLogOptions;
  /**
   * Where events go that producers put into their streams (guide: notifications): an `http:` or `https:`
   * URL, which gets a POST of JSON, or a command line, which is run for each event with the JSON on its
   * standard input. Default nowhere. Media never wait for it: 1,000 events may, and each has 10 s.
   */
  readonly onEvent?: string;
  /**
   * JSON file of the master keys that protect what is stored; default `master-keys.json` in `dataDir`. Made
   * with one key when it does not exist, read again when it changes, refused when others than its
   * owner may read it (guide: server-side encryption).
   */
  readonly keyFile?: string;
  /**
   * How long the head of a call, and then its JSON body, may take to come, ms; default 30,000. Bodies
   * of PutMedia have the guide's limits instead.
   */
  readonly requestTimeoutMs?: number;
  readonly log?: ServiceLog;
  readonly clock?: Clock;
}

/** The options with every default filled in and checked. @internal */
export interface CheckedOptions extends CheckedAddresses {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** Undefined also while a certificate is still to be generated. */
  readonly tls: TlsOptions | undefined;
  readonly generateTls: boolean;
  readonly credentials: ServiceCredentials;
  readonly region: string;
  readonly limits: Limits;
  readonly fsync: 'each' | 'group';
  readonly diskQuota: number;
  readonly dump: string | undefined;
  readonly apiLog: ApiLogOptions | undefined;
  readonly onEvent: string | undefined;
  readonly keyFile: string;
  readonly requestTimeoutMs: number;
  readonly log: ServiceLog;
  readonly clock: Clock;
}

/** The key file of a data directory whose service names no other. @internal */
export function defaultKeyFile(dataDir: string): string {
  return join(dataDir, 'master-keys.json');
}

/** Node's timers take no more, ms. */
const MAX_TIMER = 2 ** 31 - 1;

/** Account of all streams while the service is open. */
export const OPEN_ACCOUNT = '000000000000';

/** The one option that there is no default for; callers in JavaScript learn it here. */
function checkDirectory(options: Partial<ServiceOptions> | undefined): void {
  if (typeof options?.dataDir === 'string') return;
  bad(
    `dataDir is ${typeof options?.dataDir}; name a directory that the service may write, for example './kvs-data'`,
  );
}

/**
 * Fills in the defaults. Throws `KvsError` STATUS_INVALID_ARG naming the option and its rule.
 * @internal
 */
export function checkOptions(options: ServiceOptions): CheckedOptions {
  checkDirectory(options);
  const checked: CheckedOptions = {
    ...checkAddresses(options, bad),
    dataDir: options.dataDir,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    tls: options.tls === 'generated' ? undefined : options.tls,
    generateTls: options.tls === 'generated',
    credentials: options.credentials ?? 'open',
    region: options.region ?? 'us-west-2',
    limits:
      options.limits === 'off' ? NO_LIMITS : { ...GUIDE_LIMITS, ...(options.limits ?? undefined) },
    fsync: options.fsync ?? 'group',
    diskQuota: options.diskQuota ?? Infinity,
    dump: options.dump,
    apiLog: typeof options.apiLog === 'string' ? { path: options.apiLog } : options.apiLog,
    onEvent: options.onEvent,
    keyFile: options.keyFile ?? defaultKeyFile(options.dataDir),
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    log: printableLog(options.log ?? ((): void => undefined)),
    clock: options.clock ?? systemClock(),
  };
  if (checked.dataDir === '') bad('dataDir is empty; name a directory that the service may write');
  if (checked.keyFile === '') bad('keyFile is empty; name a file');
  checkPort(checked.port);
  if (!/^[a-z0-9-]{1,64}$/.test(checked.region)) {
    bad(`region '${checked.region}' does not match [a-z0-9-]+`);
  }
  if (!(checked.diskQuota > 0)) {
    bad(`diskQuota ${String(checked.diskQuota)} is not a number of bytes above 0`);
  }
  checkHook(checked.onEvent);
  checkRequestTimeout(checked.requestTimeoutMs);
  checkLimits(checked.limits);
  checkTls(checked.tls);
  checkApiLog(checked.apiLog);
  checkCredentials(checked);
  return checked;
}

function checkPort(port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return;
  bad(`port ${String(port)} is not a whole number from 0 to 65535`);
}

function checkHook(target: string | undefined): void {
  if (target?.trim() === '') bad('onEvent is empty; give a URL or a command');
  if (target !== undefined && isUrl(target) && !URL.canParse(target)) bad('onEvent is no URL');
}

function checkRequestTimeout(ms: number): void {
  if (Number.isInteger(ms) && ms >= 1 && ms <= MAX_TIMER) return;
  bad(`requestTimeoutMs ${String(ms)} is not a whole number of ms from 1`);
}

function checkLimits(limits: Limits): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(GUIDE_LIMITS, name)) bad(`limits.${name} is no limit of this service`);
    if (typeof value === 'boolean') continue;
    if (typeof value !== 'number' || !(value >= 0)) {
      bad(`limits.${name} ${String(value)} is not a number from 0`);
    }
  }
}

/** Throws `KvsError` where node:tls cannot use them. @internal */
export function checkTls(tls: TlsOptions | undefined): void {
  if (tls === undefined) return;
  try {
    createSecureContext(serverTls(tls));
  } catch (error) {
    const why = isError(error) ? error.message : String(error);
    bad(`tls: ${why}; give a PEM key without a passphrase, and the PEM certificate made for it`);
  }
}

/** The options as node:tls takes them. @internal */
export function serverTls({ key, cert }: TlsOptions): {
  key: string | Buffer;
  cert: string | Buffer;
} {
  const bytes = (value: string | Uint8Array): string | Buffer =>
    typeof value === 'string' ? value : Buffer.from(value);
  return { key: bytes(key), cert: bytes(cert) };
}

function checkApiLog(apiLog: ApiLogOptions | undefined): void {
  const { path, maxBytes = 1, keep = 0 } = apiLog ?? { path: 'none' };
  if (path === '') bad('apiLog is empty; name a file');
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    bad(`apiLog.maxBytes ${String(maxBytes)} is not a whole number from 1`);
  }
  if (!Number.isInteger(keep) || keep < 0 || keep > 1000) {
    bad(`apiLog.keep ${String(keep)} is not a whole number from 0 to 1000`);
  }
}

/** Throws `KvsError` naming the access key and the rule. @internal */
export function checkCredentials(options: Pick<CheckedOptions, 'credentials' | 'host'>): void {
  if (options.credentials === 'open') {
    if (isLoopback(options.host)) return;
    bad(
      `without credentials the service listens on loopback only, not on '${options.host}'; ` +
        'give credentials, or host 127.0.0.1',
    );
  }
  const entries = Object.entries(options.credentials);
  if (entries.length === 0) bad('credentials is empty; name one access key at least');
  for (const [key, credential] of entries) {
    const { secretAccessKey, accountId, sessionToken, expiration = 0, policies = [] } = credential;
    if (!/^\w{4,128}$/.test(key)) bad(`access key '${key}' is not 4 to 128 letters and digits`);
    if (secretAccessKey === '') bad(`the secret of access key '${key}' is empty`);
    if (sessionToken === '') bad(`the sessionToken of access key '${key}' is empty`);
    if (Number.isNaN(expiration)) bad(`the expiration of access key '${key}' is no time`);
    if (!/^\d{12}$/.test(accountId)) {
      bad(`accountId '${accountId}' of access key '${key}' is not twelve digits`);
    }
    for (const policy of policies) parsePolicy(policy, `access key '${key}'`);
  }
}

/** Whether an address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** What clients wrote stands in messages; in a log it is text, and neither lines nor commands. */
function printableLog(log: ServiceLog): ServiceLog {
  return (level, message, detail) => {
    try {
      log(level, printable(message), detail);
    } catch {
      // A log of the user's own that fails has nowhere else to be told of.
    }
  };
}

function systemClock(): Clock {
  return { mono: () => performance.now(), wall: () => Date.now() };
}

function bad(message: string): never {
  throw new KvsError({ status: 'STATUS_INVALID_ARG', message: `startService: ${message}` });
}
