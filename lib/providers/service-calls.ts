import type { Credentials } from '../base/credentials.js';
import type { PutMediaIo, PutMediaSession } from '../transport/index.js';
import type { ClientCallbackProvider, StreamCallbackProvider } from './callbacks.js';
import type { DeviceInfo } from './device-info.js';

/** What comes with each service call (guide: ServiceCallContext). */
export interface ServiceCallContext {
  /** How long the call may take, ms; `signal` aborts it then. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** Credentials for the call (guide: AuthInfo); undefined before the first are known. */
  readonly authInfo: Credentials | undefined;
  /** True where credentials are asked for because the last ones were refused, or are over. */
  readonly refused?: boolean;
}

/** What CreateStream is called with. */
export interface CreateStreamInput {
  readonly streamName: string;
  readonly deviceName: string | undefined;
  /** MIME type, for example `video/h264`. */
  readonly mediaType: string;
  readonly kmsKeyId: string | undefined;
  /** Milliseconds, whole hours; 0 keeps nothing. */
  readonly retentionPeriod: number;
}

/** What DescribeStream says. */
export interface StreamDescription {
  readonly streamArn: string;
  readonly streamStatus: 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING';
  /** Milliseconds; 0 keeps nothing. */
  readonly retentionPeriod: number;
}

/** What PutMedia is called with. */
export interface PutStreamInput {
  readonly streamName: string;
  /** As `getStreamingEndpoint` answered. */
  readonly endpoint: string;
  /** As `getStreamingToken` answered. */
  readonly credentials: Credentials;
  /** Producer start time stamp, ms since 1970. */
  readonly start: number;
  readonly absolute: boolean;
  readonly acks: boolean;
  /** How long connecting may take, ms. */
  readonly connectTimeout: number;
}

/**
 * The calls to the service (guide: ClientCallbacks, back-end API). Each makes one attempt; one that
 * rejects is made again, later and later, for as long as it takes. The HTTP status or the name of
 * the exception that it rejects with decides how.
 */
export interface ServiceCalls {
  /** Guide: CreateDeviceFunc; the service has no such call. Answers the device's ARN. */
  createDevice(device: DeviceInfo, context: ServiceCallContext): Promise<string>;
  /** Guide: CreateStreamFunc. Answers the stream's ARN. */
  createStream(input: CreateStreamInput, context: ServiceCallContext): Promise<string>;
  /** Guide: DescribeStreamFunc. Rejects with a ResourceNotFoundException where there is no stream. */
  describeStream(streamName: string, context: ServiceCallContext): Promise<StreamDescription>;
  /** Guide: TagResourceFunc. */
  tagResource(
    streamArn: string,
    tags: Readonly<Record<string, string>>,
    context: ServiceCallContext,
  ): Promise<void>;
  /** Guide: GetStreamingEndpointFunc. Answers the data endpoint of `apiName`. */
  getStreamingEndpoint(
    streamName: string,
    apiName: 'PUT_MEDIA',
    context: ServiceCallContext,
  ): Promise<string>;
  /** Guide: GetStreamingTokenFunc. Credentials for the stream's PutMedia sessions. */
  getStreamingToken(streamName: string, context: ServiceCallContext): Promise<Credentials>;
  /** Guide: PutStreamFunc. Opens a session and returns at once; see `PutMediaIo`. */
  putStream(input: PutStreamInput, io: PutMediaIo): PutMediaSession;
}

/** What the platform gives (guide: ClientCallbacks, platform integration). */
export interface PlatformCalls {
  /** Guide: GetSecurityTokenFunc. Credentials for the calls to the service. */
  getSecurityToken(context: ServiceCallContext): Promise<Credentials>;
  /** Guide: GetCurrentTimeFunc. Milliseconds since 1970; the system's clock by default. */
  getCurrentTime?(): number;
  /** Guide: GetRandomNumberFunc. 0 to 2^32 - 1; two are drawn, when the producer is created. */
  getRandomNumber?(): number;
}

/**
 * Everything that the producer asks of its surroundings (guide: CallbackProvider). Extend
 * `DefaultCallbackProvider` to replace single calls.
 */
export interface CallbackProvider extends ServiceCalls, PlatformCalls {
  readonly clientCallbackProvider?: ClientCallbackProvider;
  readonly streamCallbackProvider?: StreamCallbackProvider;
}
