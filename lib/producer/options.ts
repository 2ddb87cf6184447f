import type { Clock } from '../base/clock.js';
import type { CredentialProvider, Credentials } from '../base/credentials.js';
import { KvsError } from '../base/errors.js';
import type { StatusName } from '../generated/status.js';
import type { NativeDeviceInfo } from '../native/index.js';
import {
  DefaultCallbackProvider,
  DefaultDeviceInfoProvider,
  type CallbackProvider,
  type ClientCallbackProvider,
  type ControlPlaneOptions,
  type DeviceInfo,
  type DeviceInfoProvider,
  type StreamCallbackProvider,
} from '../providers/index.js';
import {
  connectionAgents,
  type ConnectionSettings,
  type HttpAgents,
  type PutMediaTransport,
} from '../transport/index.js';
import type { Logger } from './logger.js';
import { GUIDE_PACE, NO_PACE, type Pace } from './pacer.js';
import { globalMeterProvider, type MeterProvider } from './telemetry.js';
import { userAgent } from './user-agent.js';

/** What `KinesisVideoProducer.create` takes. Everything is optional. */
export interface ProducerOptions extends ControlPlaneOptions {
  /** Keys, or an AWS SDK v3 credential provider; the SDK's default chain when left out. */
  readonly credentials?: Credentials | CredentialProvider;
  /** Name, number of streams and storage; 16 streams and 128 MiB in memory when left out. */
  readonly deviceInfo?: DeviceInfo | DeviceInfoProvider;
  readonly clientCallbackProvider?: ClientCallbackProvider;
  /** Callbacks about every stream. */
  readonly streamCallbackProvider?: StreamCallbackProvider;
  /** Replaces what the producer asks of its surroundings; see `DefaultCallbackProvider`. */
  readonly callbackProvider?: CallbackProvider;
  /** Carries PutMedia sessions; Node's http and https when left out. */
  readonly transport?: PutMediaTransport;
  /** Certificates of authorities that are trusted instead of Node's own, PEM. */
  readonly ca?: ConnectionSettings['ca'];
  /** Silent when left out; `console` fits. */
  readonly logger?: Logger;
  /**
   * `'off'` lifts the pace that keeps a stream within the service's limits while a backlog is sent:
   * 5 PutMedia calls, 5 fragments and 12.5 MB a second.
   */
  readonly limits?: 'off';
  /**
   * Takes the streams' figures; the one that the host has set with `@opentelemetry/api` when left
   * out.
   */
  readonly meterProvider?: MeterProvider;
  /** Both clocks; the system's when left out. */
  readonly clock?: Clock;
}

/** The options with every default filled in and checked. @internal */
export interface CheckedOptions {
  readonly provider: CallbackProvider;
  readonly device: DeviceInfo;
  readonly native: NativeDeviceInfo;
  readonly clientCallbacks: readonly ClientCallbackProvider[];
  readonly streamCallbacks: readonly StreamCallbackProvider[];
  readonly logger: Logger | undefined;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly meterProvider: MeterProvider | undefined;
}

/**
 * Fills in the defaults, some from the environment. Throws `KvsError` that names what is wrong.
 * @internal
 */
export function checkOptions(options: ProducerOptions): CheckedOptions {
  const provider = options.callbackProvider ?? defaultProvider(options);
  const device = deviceInfo(options.deviceInfo);
  const clients = [provider.clientCallbackProvider, options.clientCallbackProvider];
  const streams = [provider.streamCallbackProvider, options.streamCallbackProvider];
  return {
    provider,
    device,
    native: checkDevice(device, provider),
    clientCallbacks: clients.filter((callbacks) => callbacks !== undefined),
    streamCallbacks: streams.filter((callbacks) => callbacks !== undefined),
    logger: options.logger,
    meterProvider: options.meterProvider ?? globalMeterProvider(),
    pace: options.limits === 'off' ? NO_PACE : GUIDE_PACE,
    clock: options.clock ?? systemClock(provider),
  };
}

function defaultProvider(options: ProducerOptions): CallbackProvider {
  const { credentials, transport } = options;
  const { useFipsEndpoint, useDualstackEndpoint } = options;
  const endpoint = checkEndpoint(options.endpoint ?? env('AWS_ENDPOINT_URL_KINESIS_VIDEO'));
  // A service of one's own is in no region, but calls to it are signed for one.
  const ownRegion = endpoint === undefined ? undefined : 'us-west-2';
  const region = options.region ?? env('AWS_REGION') ?? env('AWS_DEFAULT_REGION') ?? ownRegion;
  return new DefaultCallbackProvider({
    userAgent: userAgent(),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(transport === undefined ? {} : { transport }),
    ...agents(options),
    ...(useFipsEndpoint === undefined ? {} : { useFipsEndpoint }),
    ...(useDualstackEndpoint === undefined ? {} : { useDualstackEndpoint }),
  });
}

/** The user's agents; where there are none, those that the environment's proxies ask for. */
function agents(options: ProducerOptions): HttpAgents {
  const { httpAgent, httpsAgent, ca } = options;
  const httpProxy = proxyFrom('HTTP_PROXY');
  const httpsProxy = proxyFrom('HTTPS_PROXY');
  const noProxy = env('NO_PROXY') ?? env('no_proxy');
  return {
    ...connectionAgents({
      ...(httpProxy === undefined ? {} : { httpProxy }),
      ...(httpsProxy === undefined ? {} : { httpsProxy }),
      ...(noProxy === undefined ? {} : { noProxy }),
      ...(ca === undefined ? {} : { ca }),
    }),
    ...(httpAgent === undefined ? {} : { httpAgent }),
    ...(httpsAgent === undefined ? {} : { httpsAgent }),
  };
}

function proxyFrom(name: string): string | undefined {
  const proxy = env(name) ?? env(name.toLowerCase());
  if (proxy === undefined || URL.canParse(proxy)) return proxy;
  return refuse(
    'STATUS_INVALID_ARG',
    `the environment's ${name} is no URL; give one like http://proxy:3128`,
  );
}

function env(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

function checkEndpoint(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined;
  if (URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)) return endpoint;
  return refuse(
    'STATUS_INVALID_ARG',
    `endpoint '${endpoint}' is no URL; give one like http://127.0.0.1:8443`,
  );
}

function deviceInfo(given: DeviceInfo | DeviceInfoProvider | undefined): DeviceInfo {
  if (given !== undefined && 'getDeviceInfo' in given) return given.getDeviceInfo();
  return new DefaultDeviceInfoProvider(given).getDeviceInfo();
}

function checkDevice(device: DeviceInfo, provider: CallbackProvider): NativeDeviceInfo {
  const { name = '', clientId = '', streamCount = 16, storageInfo } = device;
  const storageSize = storageInfo?.storageSize ?? 128 * 1024 * 1024;
  if (Buffer.byteLength(name) > 128) {
    refuse('STATUS_INVALID_DEVICE_NAME_LENGTH', 'deviceInfo.name has more than 128 bytes');
  }
  if (Buffer.byteLength(clientId) > 128) {
    refuse('STATUS_INVALID_CLIENT_ID_STRING_LENGTH', 'deviceInfo.clientId has more than 128 bytes');
  }
  if (!Number.isInteger(streamCount) || streamCount < 1) {
    refuse('STATUS_MIN_STREAM_COUNT', `deviceInfo.streamCount is ${streamCount}; give 1 to 128`);
  }
  if (streamCount > 128) {
    refuse('STATUS_MAX_STREAM_COUNT', `deviceInfo.streamCount is ${streamCount}; give 1 to 128`);
  }
  if (!Number.isInteger(storageSize) || storageSize < 10 * 2 ** 20 || storageSize > 10 * 2 ** 30) {
    refuse(
      'STATUS_INVALID_STORAGE_SIZE',
      `deviceInfo.storageInfo.storageSize is ${storageSize} bytes; give 10,485,760 (10 MiB) to ` +
        '10,737,418,240 (10 GiB)',
    );
  }
  const random = provider.getRandomNumber?.bind(provider) ?? randomNumber;
  return {
    name,
    clientId,
    streamCount,
    storageSize,
    tagCount: 0,
    seed0: random(),
    seed1: random(),
  };
}

function randomNumber(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

function systemClock(provider: CallbackProvider): Clock {
  const wall = provider.getCurrentTime?.bind(provider) ?? Date.now;
  return { mono: () => performance.now(), wall };
}

function refuse(status: StatusName, message: string): never {
  throw new KvsError({ status, message: `the producer's options are refused: ${message}` });
}
