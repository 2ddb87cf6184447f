import type { Clock } from '../../base/clock.js';
import type { CredentialProvider, Credentials } from '../../base/credentials.js';
import type {
  CallbackProvider,
  ClientCallbackProvider,
  ControlPlaneOptions,
  DeviceInfo,
  DeviceInfoProvider,
  StreamCallbackProvider,
} from '../../providers/index.js';
import type { ConnectionSettings, PutMediaTransport } from '../../transport/index.js';
import type { KinesisVideoStream } from '../stream/stream.js';
import type { Logger } from '../reporting/logger.js';
import type { MeterProvider } from '../reporting/telemetry.js';

/** What `KinesisVideoProducer.create` takes. Everything is optional. */
export interface ProducerOptions extends ControlPlaneOptions {
  /** Keys, or an AWS SDK v3 credential provider; the SDK's default chain when left out. */
  readonly credentials?: Credentials | CredentialProvider;
  /** Name, number of streams and storage; 16 streams and 128 MiB in memory when left out. */
  readonly deviceInfo?: DeviceInfo | DeviceInfoProvider;
  readonly clientCallbackProvider?: ClientCallbackProvider;
  /** Callbacks about every stream. */
  readonly streamCallbackProvider?: StreamCallbackProvider<KinesisVideoStream>;
  /**
   * Replaces what the producer asks of its surroundings; see `DefaultCallbackProvider`, which then
   * gets the region, endpoint, credentials, transport and agents instead of these options.
   */
  readonly callbackProvider?: CallbackProvider;
  /** Carries PutMedia sessions; Node's http and https when left out. */
  readonly transport?: PutMediaTransport;
  /**
   * How long what a live source gives is gathered for one write, ms, 0 to 10,000; default 200. Less is
   * on its way sooner and costs more writes; 0 writes each frame at once.
   */
  readonly gatherMs?: number;
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
   * Takes the streams' figures; the one that the host has set with `@opentelemetry/api` by now, when
   * left out.
   */
  readonly meterProvider?: MeterProvider;
  /** Both clocks; the system's when left out. */
  readonly clock?: Clock;
}
