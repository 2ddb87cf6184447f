import { mkdir } from 'node:fs/promises';
import { KvsError } from '../base/errors.js';
import { archiveHandlers } from './archive/operations.js';
import { LogFile } from './audit/log-file.js';
import { recordLine } from './audit/record.js';
import { controlHandlers } from './control/operations.js';
import { StreamRegistry } from './control/streams.js';
import type { ServiceContext } from './context.js';
import { Endpoints } from './endpoints.js';
import { deliverTo } from './events/deliver.js';
import { EventHook } from './events/hook.js';
import { getMediaHandler } from './get/operation.js';
import { hlsUrlHandler } from './hls/operation.js';
import { serveHls } from './hls/resources.js';
import { HlsSessions } from './hls/sessions.js';
import { HlsTokens } from './hls/token.js';
import { HttpFront, type FrontParts, type Handlers } from './http/front.js';
import { HubMap } from './hub.js';
import { openKeys } from './keys/open-keys.js';
import { ServiceMetrics } from './metrics/meter.js';
import { countRefused } from './metrics/calls.js';
import { metricsPages } from './metrics/pages.js';
import type { FigureSources } from './operate/figures.js';
import type { RunningListener } from './operate/metrics-server.js';
import { healthPages, startMetrics } from './operate/pages.js';
import { Tally } from './operate/tally.js';
import { checkReload, type ReloadOptions } from './reload.js';
import { checkOptions, isLoopback, type CheckedOptions, type ServiceOptions } from './options.js';
import { authorizeCall, authorizePage } from './policy/authorize.js';
import { putMediaHandler } from './put/operation.js';
import { CallRates } from './rates.js';
import { Refusals } from './refusals.js';
import { openDiskStore } from './store/disk-store.js';
import { Sweeper } from './sweep.js';
import type { GeneratedCertificate } from './tls/generated.js';
import { TlsKeeper } from './tls/keeper.js';

/** A running service. */
export interface KvsService {
  /** Where this machine reaches it, for example `http://127.0.0.1:4100`; `https:` with `tls`. */
  readonly endpoint: string;
  /** Port it listens on. */
  readonly port: number;
  /** Port of `metricsListen`; undefined without it. */
  readonly metricsPort?: number | undefined;
  /** The certificate in use now, with `tls: 'generated'`. */
  readonly certificate?: GeneratedCertificate | undefined;
  /**
   * Takes other access keys, policies and certificates, and reads the key file anew, without ending a
   * call: those that run go on as they were let in. Rejects with `KvsError` where one of them is bad;
   * nothing is changed then.
   */
  reload(changes: ReloadOptions): Promise<void>;
  /** Takes no more calls, makes durable what was whole, ends open answers, closes the store. */
  close(): Promise<void>;
}

/**
 * Starts a Kinesis Video Streams service in this process and resolves when it takes calls.
 * Rejects with `KvsError`: an option breaks its rule, the port is taken, or the data directory
 * cannot be used.
 */
export async function startService(options: ServiceOptions): Promise<KvsService> {
  const checked = checkOptions(options);
  await makeDirectory(checked.dataDir);
  const tally = new Tally();
  const store = await openDiskStore({
    directory: checked.dataDir,
    fsync: checked.fsync,
    quota: checked.diskQuota,
    warn: (message) => {
      checked.log('warn', message);
    },
    info: (message) => {
      checked.log('info', message);
    },
    flushed: (ms) => {
      tally.flushed(ms);
    },
  });
  let apiLog: LogFile | undefined;
  try {
    if (checked.apiLog !== undefined) {
      apiLog = await LogFile.open(checked.apiLog, (error) => {
        checked.log('error', 'apiLog: calls could not be written', { error });
      });
    }
    const keys = await openKeys(checked, store.catalog);
    return await serve({ options: checked, store, keys, tally }, apiLog);
  } catch (error) {
    await apiLog?.close();
    await store.close();
    throw error;
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const message = `startService: dataDir ${path} cannot be made; name a directory that may be written`;
    throw new KvsError({ status: 'STATUS_OPEN_FILE_FAILED', message, cause });
  }
}

async function serve(
  base: Pick<ServiceContext, 'options' | 'store' | 'keys' | 'tally'>,
  apiLog: LogFile | undefined,
): Promise<KvsService> {
  const { options, store, tally } = base;
  const streams = new StreamRegistry(store.catalog, options);
  await streams.load();
  const sweeper = new Sweeper(store, streams, options, tally);
  await sweeper.begin();
  let endpoints = new Endpoints(options, 'http', options.port);
  const endpointOf: ServiceContext['endpointOf'] = (source, api) => endpoints.of(source, api);
  const context = contextOf({ ...base, streams, sweeper, endpointOf });
  const sessions = new HlsSessions(context, await HlsTokens.open(options.dataDir));
  const tls = await TlsKeeper.open(options);
  const openPages = healthPages(context);
  const parts = { ...partsOf(context, sessions, apiLog), openPages };
  const front = new HttpFront({ ...options, tls: tls.current }, parts);
  const metrics = await startMetrics(context, sourcesOf(front, tls), openPages);
  const port = await listen(front, metrics);
  endpoints = new Endpoints(options, tls.current === undefined ? 'http' : 'https', port);
  watch(context, front, tls);
  options.log('info', `listening on ${endpoints.local}`);
  warnOfPlainHttp(options, tls.current !== undefined);
  return {
    endpoint: endpoints.local,
    port,
    metricsPort: metrics?.port,
    get certificate(): GeneratedCertificate | undefined {
      return tls.certificate;
    },
    reload: (changes) => reload(context, front, tls, changes),
    close: closing(context, front, apiLog, metrics),
  };
}

async function listen(front: HttpFront, metrics: RunningListener | undefined): Promise<number> {
  try {
    return (await front.listen()).port;
  } catch (error) {
    await metrics?.close();
    throw error;
  }
}

/** What is looked after from time to time. */
function watch(
  { sweeper, rates, refusals, keys, hook }: ServiceContext,
  front: HttpFront,
  tls: TlsKeeper,
): void {
  sweeper.every(() => {
    rates.sweep();
    refusals.sweep();
    hook?.sweep();
    void keys.refresh();
    void tls.renew((next) => {
      front.useTls(next);
    });
  });
}

function sourcesOf(front: HttpFront, tls: TlsKeeper): FigureSources {
  return {
    connections: () => front.connections(),
    certificateEnds: () => tls.ends,
  };
}

async function reload(
  { options, keys }: ServiceContext,
  front: HttpFront,
  tls: TlsKeeper,
  changes: ReloadOptions,
): Promise<void> {
  checkReload(options, changes);
  await tls.replace(changes.tls);
  if (tls.current !== undefined) front.useTls(tls.current);
  if (changes.credentials !== undefined) front.useCredentials(changes.credentials);
  await keys.refresh();
  options.log('info', 'reloaded: access keys, policies, key file, certificate');
}

/** Signatures hide no media: whoever is on the way reads them, and what is answered. */
function warnOfPlainHttp(options: CheckedOptions, secure: boolean): void {
  const { credentials, host, trustedProxies, log } = options;
  if (secure || credentials === 'open' || isLoopback(host) || trustedProxies.length > 0) return;
  log(
    'warn',
    `plain HTTP on ${host}: media and answers can be read and changed on their way. Speak HTTPS ` +
      "with tls: 'generated' (kvs serve --tls) or with tls: { key, cert } (--tls-key, --tls-cert)",
  );
}

function contextOf(
  parts: Omit<ServiceContext, 'hubs' | 'rates' | 'refusals' | 'metrics' | 'hook'>,
): ServiceContext {
  const { clock, log, limits, onEvent } = parts.options;
  return {
    ...parts,
    hubs: new HubMap(parts.store.live),
    rates: new CallRates(parts.options),
    refusals: new Refusals(clock, log, limits.refusalDelay),
    metrics: new ServiceMetrics(),
    hook: onEvent === undefined ? undefined : new EventHook(deliverTo(onEvent), clock, log),
  };
}

/** How long media that are whole may take to be flushed and acknowledged at the end, ms. */
const DRAIN = 8000;
/** How long events that wait may take to be delivered at the end, ms. */
const LAST_EVENTS = 1000;

/**
 * Ends a service in an order in which nothing that was whole is lost: what is being flushed is
 * acknowledged first, then connections are closed. What fails on the way does not keep the rest open.
 */
function closing(
  { options, store, hubs, sweeper, tally, hook }: ServiceContext,
  front: HttpFront,
  apiLog: LogFile | undefined,
  metrics: RunningListener | undefined,
): () => Promise<void> {
  return once(async () => {
    tally.closing = true;
    await inOrder([
      () => sweeper.stop(),
      async () => {
        const stopped = hubs.stop();
        await Promise.all([front.close(within(DRAIN, stopped)), stopped]);
      },
      async () => hook?.close(LAST_EVENTS),
      async () => metrics?.close(),
      async () => apiLog?.close(),
      () => store.close(),
    ]);
    options.log('info', 'closed', { flushes: store.media.flushes() });
  });
}

/** Does each step, whatever becomes of those before it; throws what failed first. */
async function inOrder(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** Resolves when the work is done, or failed, or has taken too long. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => undefined), limit]);
  clearTimeout(timer);
}

function partsOf(
  context: ServiceContext,
  sessions: HlsSessions,
  apiLog: LogFile | undefined,
): Omit<FrontParts, 'openPages'> {
  const { region } = context.options;
  return {
    handlers: handlersOf(context, sessions),
    pages: metricsPages(context.metrics),
    hls: (request, response) => serveHls(sessions, request, response),
    authorize: (call) => {
      authorizeCall(context, call);
    },
    refused: (call) => {
      countRefused(context, call);
    },
    denied: ({ operation, caller, source }, path, { name: error }) =>
      Refusals.isRefusal(error)
        ? context.refusals.add({
            address: source.address,
            user: caller?.user,
            operation: operation?.name ?? path.slice(0, 64),
            error,
          })
        : 0,
    authorizePage,
    audit:
      apiLog &&
      ((event): void => {
        apiLog.add(recordLine(event, region));
      }),
  };
}

function handlersOf(context: ServiceContext, sessions: HlsSessions): Handlers {
  return {
    ...controlHandlers(context),
    ...archiveHandlers(context),
    PutMedia: putMediaHandler(context),
    GetMedia: getMediaHandler(context),
    GetHLSStreamingSessionURL: hlsUrlHandler(context, sessions),
  };
}

function once(work: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined;
  return () => (result ??= work());
}
