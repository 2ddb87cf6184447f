import { mkdir } from 'node:fs/promises';
import { archiveHandlers } from './archive/operations.js';
import { LogFile } from './audit/log-file.js';
import { recordLine } from './audit/record.js';
import { controlHandlers } from './control/operations.js';
import { StreamRegistry } from './control/streams.js';
import type { ServiceContext } from './context.js';
import { getMediaHandler } from './get/operation.js';
import { hlsUrlHandler } from './hls/operation.js';
import { serveHls } from './hls/resources.js';
import { HlsSessions } from './hls/sessions.js';
import { HlsTokens } from './hls/token.js';
import { HttpFront, type FrontParts, type Handlers } from './http/front.js';
import { HubMap } from './hub.js';
import { openKeys } from './keys/open-keys.js';
import type { StreamKeys } from './keys/stream-keys.js';
import { ServiceMetrics } from './metrics/meter.js';
import { metricsPages } from './metrics/pages.js';
import { checkOptions, type CheckedOptions, type ServiceOptions } from './options.js';
import { authorizeCall, authorizePage } from './policy/authorize.js';
import { putMediaHandler } from './put/operation.js';
import { CallRates } from './rates.js';
import { openDiskStore } from './store/disk-store.js';
import type { FragmentStore } from './store/types.js';
import { Sweeper } from './sweep.js';

/** A running service. */
export interface KvsService {
  /** Where to reach it, for example `http://127.0.0.1:4100`; `https:` with `tls`. */
  readonly endpoint: string;
  /** Port it listens on. */
  readonly port: number;
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
  await mkdir(checked.dataDir, { recursive: true, mode: 0o700 });
  const store = await openDiskStore({
    directory: checked.dataDir,
    fsync: checked.fsync,
    warn: (message) => {
      checked.log('warn', message);
    },
  });
  let apiLog: LogFile | undefined;
  try {
    if (checked.apiLog !== undefined) {
      apiLog = await LogFile.open(checked.apiLog, (error) => {
        checked.log('error', 'apiLog: calls could not be written', { error });
      });
    }
    return await serve(checked, store, await openKeys(checked, store), apiLog);
  } catch (error) {
    await apiLog?.close();
    await store.close();
    throw error;
  }
}

async function serve(
  options: CheckedOptions,
  store: FragmentStore,
  keys: StreamKeys,
  apiLog: LogFile | undefined,
): Promise<KvsService> {
  const streams = new StreamRegistry(store, options);
  await streams.load();
  const sweeper = new Sweeper(store, streams, options);
  await sweeper.begin();
  let endpoint = '';
  const hubs = new HubMap(store);
  const rates = new CallRates(options);
  const context: ServiceContext = {
    ...{ options, store, keys, streams, hubs, rates, sweeper },
    metrics: new ServiceMetrics(),
    endpoint: () => endpoint,
  };
  const sessions = new HlsSessions(context, await HlsTokens.open(options.dataDir));
  const front = new HttpFront(options, partsOf(context, sessions, apiLog));
  const port = await front.listen();
  const scheme = options.tls === undefined ? 'http' : 'https';
  endpoint = `${scheme}://${hostInUrl(options.host)}:${String(port)}`;
  sweeper.every(() => {
    rates.sweep();
    void keys.refresh();
  });
  options.log('info', `listening on ${endpoint}`);
  const close = once(async () => {
    await sweeper.stop();
    const closed = front.close();
    await hubs.stop();
    await closed;
    await apiLog?.close();
    await store.close();
    options.log('info', 'closed', { flushes: store.flushes() });
  });
  return { endpoint, port, close };
}

function partsOf(
  context: ServiceContext,
  sessions: HlsSessions,
  apiLog: LogFile | undefined,
): FrontParts {
  const { region } = context.options;
  return {
    handlers: handlersOf(context, sessions),
    pages: metricsPages(context.metrics),
    hls: (request, response) => serveHls(sessions, request, response),
    authorize: (call) => {
      authorizeCall(context, call);
    },
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

/** An address that stands for all of them is not one that a client can call. */
function hostInUrl(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function once(work: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined;
  return () => (result ??= work());
}
