import type { Clock } from '../../base/clock.js';
import type { NativeDeviceInfo } from '../../native/index.js';
import {
  type DefaultCallbackProvider,
  DefaultDeviceInfoProvider,
  type CallbackProvider,
  type ClientCallbackProvider,
  type DeviceInfo,
  type DeviceInfoProvider,
  type StreamCallbackProvider,
} from '../../providers/index.js';
import type { HttpAgents } from '../../transport/index.js';
import { Log } from '../reporting/logger.js';
import { globalMeterProvider, type MeterProvider } from '../reporting/telemetry.js';
import { GUIDE_PACE, NO_PACE, type Pace } from '../session/pacer.js';
import { defaultProvider } from './default-provider.js';
import { checkShapes, refuseOption } from './option-shapes.js';
import type { ProducerOptions } from './options.js';
import { platformClock, platformRandom } from './platform.js';

/** The options with every default filled in and checked. @internal */
export interface CheckedOptions {
  readonly provider: CallbackProvider;
  /** The provider, where it was made here: the producer prepares and closes it. */
  readonly own: DefaultCallbackProvider | undefined;
  readonly device: DeviceInfo;
  readonly native: NativeDeviceInfo;
  readonly clientCallbacks: readonly ClientCallbackProvider[];
  readonly streamCallbacks: readonly StreamCallbackProvider[];
  readonly log: Log;
  readonly clock: Clock;
  readonly pace: Pace;
  /** Of the user's own. */
  readonly agents: HttpAgents;
  readonly meterProvider: MeterProvider | undefined;
}

/**
 * Fills in the defaults, some from the environment. Throws `KvsError` that names what is wrong.
 * @internal
 */
export function checkOptions(options: ProducerOptions): CheckedOptions {
  checkShapes(options);
  const mono = options.clock?.mono.bind(options.clock) ?? performance.now.bind(performance);
  const log = new Log(options.logger, mono);
  const given = ownProvider(options);
  const own = given === undefined ? defaultProvider(options, log) : undefined;
  const provider = given ?? own;
  if (provider === undefined) return refuseOption('STATUS_INVALID_ARG', 'no provider is given');
  const device = deviceInfo(options.deviceInfo);
  const clients = [provider.clientCallbackProvider, options.clientCallbackProvider];
  const streams = [provider.streamCallbackProvider, options.streamCallbackProvider];
  return {
    provider,
    own,
    device,
    native: checkDevice(device, provider, log),
    clientCallbacks: clients.filter((callbacks) => callbacks !== undefined),
    streamCallbacks: streams.filter((callbacks) => callbacks !== undefined),
    log,
    meterProvider: options.meterProvider ?? globalMeterProvider(),
    agents: {
      ...(options.httpAgent === undefined ? {} : { httpAgent: options.httpAgent }),
      ...(options.httpsAgent === undefined ? {} : { httpsAgent: options.httpsAgent }),
    },
    pace: options.limits === 'off' ? NO_PACE : GUIDE_PACE,
    clock: options.clock ?? platformClock(provider, log),
  };
}

/** What only the default provider is made from. */
const OF_THE_PROVIDER = [
  'region',
  'endpoint',
  'useFipsEndpoint',
  'useDualstackEndpoint',
  'httpAgent',
  'httpsAgent',
  'ca',
  'gatherMs',
  'credentials',
  'transport',
] as const;

/** The user's provider; an option that it would never see is refused, not passed over. */
function ownProvider(options: ProducerOptions): CallbackProvider | undefined {
  const { callbackProvider } = options;
  if (callbackProvider === undefined) return undefined;
  const lost = OF_THE_PROVIDER.filter((name) => options[name] !== undefined);
  if (lost.length > 0) {
    const names = lost.join(', ');
    const what = `${names} beside callbackProvider has no effect; give it to that provider`;
    refuseOption('STATUS_INVALID_ARG', what);
  }
  return callbackProvider;
}

function deviceInfo(given: DeviceInfo | DeviceInfoProvider | undefined): DeviceInfo {
  if (given !== undefined && 'getDeviceInfo' in given) return given.getDeviceInfo();
  return new DefaultDeviceInfoProvider(given).getDeviceInfo();
}

function checkDevice(device: DeviceInfo, provider: CallbackProvider, log: Log): NativeDeviceInfo {
  const { name = '', clientId = '', streamCount = 16, storageInfo } = device;
  const storageSize = storageInfo?.storageSize ?? 128 * 1024 * 1024;
  if (Buffer.byteLength(name) > 128) {
    const what = `deviceInfo.name has ${Buffer.byteLength(name)} bytes; at most 128 are taken`;
    refuseOption('STATUS_INVALID_DEVICE_NAME_LENGTH', what);
  }
  if (Buffer.byteLength(clientId) > 128) {
    const what = `deviceInfo.clientId has ${Buffer.byteLength(clientId)} bytes; at most 128 are taken`;
    refuseOption('STATUS_INVALID_CLIENT_ID_STRING_LENGTH', what);
  }
  checkStreamCount(streamCount);
  if (!Number.isInteger(storageSize) || storageSize < 10 * 2 ** 20 || storageSize > 10 * 2 ** 30) {
    refuseOption(
      'STATUS_INVALID_STORAGE_SIZE',
      `deviceInfo.storageInfo.storageSize is ${storageSize} bytes; give 10,485,760 (10 MiB) to ` +
        '10,737,418,240 (10 GiB)',
    );
  }
  return {
    name,
    clientId,
    streamCount,
    storageSize,
    tagCount: 0,
    seed0: platformRandom(provider, log),
    seed1: platformRandom(provider, log),
  };
}

function checkStreamCount(count: number): void {
  const what = `deviceInfo.streamCount is ${count}; give 1 to 128`;
  if (!Number.isInteger(count) || count < 1) refuseOption('STATUS_MIN_STREAM_COUNT', what);
  if (count > 128) refuseOption('STATUS_MAX_STREAM_COUNT', what);
}
