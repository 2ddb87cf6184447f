import type {
  KinesisVideoClient,
  KinesisVideoClientConfig,
  StreamInfo,
} from '@aws-sdk/client-kinesis-video';
import type { Credentials } from '../base/credentials.js';
import { KvsError } from '../base/errors.js';
import type { StatusName } from '../generated/status.js';
import type { HttpAgents } from '../transport/index.js';
import type { CreateStreamInput, ServiceCallContext, StreamDescription } from './service-calls.js';

const HOUR_MS = 3_600_000;
/** A clock that is less off than this is not why a signature is refused. */
const OFF_MS = 60_000;

/** Where the control plane is and how it is reached. */
export interface ControlPlaneOptions extends HttpAgents {
  /** For example `us-west-2`; the SDK's own search when left out. */
  readonly region?: string;
  /** Address of the service; AWS's own for the region when left out. */
  readonly endpoint?: string;
  /** Whether to use endpoints that fulfil FIPS 140. */
  readonly useFipsEndpoint?: boolean;
  /** Whether to use endpoints that have IPv6 addresses, too. */
  readonly useDualstackEndpoint?: boolean;
}

type Sdk = typeof import('@aws-sdk/client-kinesis-video');

interface Held {
  readonly credentials: Credentials;
  readonly client: KinesisVideoClient;
}

/** The control plane's calls over the AWS SDK, which is loaded with the first call. One attempt each. */
export class ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #userAgent: string;
  readonly #agents: HttpAgents;
  #sdk: Promise<Sdk> | undefined;
  #held: Held | undefined;

  constructor(options: ControlPlaneOptions, userAgent: string) {
    this.#options = options;
    this.#userAgent = userAgent;
    const { httpAgent, httpsAgent } = options;
    this.#agents = {
      ...(httpAgent === undefined ? {} : { httpAgent }),
      ...(httpsAgent === undefined ? {} : { httpsAgent }),
    };
  }

  /**
   * Loads the SDK and has it make one call that goes nowhere, so that the first real one costs no more
   * than the next: it loads parts of itself with the first call.
   */
  async prepare(): Promise<void> {
    this.#sdk ??= import('@aws-sdk/client-kinesis-video');
    const { KinesisVideoClient, DescribeStreamCommand } = await this.#sdk;
    const config = this.#config({ accessKeyId: 'none', secretAccessKey: 'none' });
    const nowhere = { handle: async () => Promise.reject(new Error('nothing is sent')) };
    const client = new KinesisVideoClient({ ...config, requestHandler: nowhere });
    await client.send(new DescribeStreamCommand({ StreamName: 'none' })).catch(() => undefined);
    await import('@smithy/signature-v4');
  }

  /** How far the service's clock is ahead of this machine's, ms, as its answers have shown. */
  clockOffset(): number {
    return this.#held?.client.config.systemClockOffset ?? 0;
  }

  /** The service's clock was `serverTime` a moment ago, ms since 1970, whatever it was before. */
  learnClock(serverTime: number): void {
    const config = this.#held?.client.config;
    if (config === undefined) return;
    const ahead = serverTime - Date.now();
    if (Math.abs(ahead - config.systemClockOffset) >= OFF_MS) config.systemClockOffset = ahead;
  }

  /** The region that calls are signed for. Rejects when none is configured anywhere. */
  async region(credentials: Credentials): Promise<string> {
    const { client } = await this.#with(credentials);
    return regionOf(client);
  }

  async describeStream(name: string, context: ServiceCallContext): Promise<StreamDescription> {
    const { sdk, client, send } = await this.#open(context);
    const answer = await client.send(new sdk.DescribeStreamCommand({ StreamName: name }), send);
    return describe(name, answer.StreamInfo);
  }

  async createStream(input: CreateStreamInput, context: ServiceCallContext): Promise<string> {
    const { sdk, client, send } = await this.#open(context);
    const command = new sdk.CreateStreamCommand({
      StreamName: input.streamName,
      MediaType: input.mediaType,
      DataRetentionInHours: input.retentionPeriod / HOUR_MS,
      ...(input.deviceName === undefined ? {} : { DeviceName: input.deviceName }),
      ...(input.kmsKeyId === undefined ? {} : { KmsKeyId: input.kmsKeyId }),
    });
    const answer = await client.send(command, send);
    const { streamName } = input;
    const status = 'STATUS_INVALID_CREATE_STREAM_RESPONSE';
    return required(answer.StreamARN, 'StreamARN', 'CreateStream', streamName, status);
  }

  async tagResource(
    streamArn: string,
    tags: Readonly<Record<string, string>>,
    context: ServiceCallContext,
  ): Promise<void> {
    const { sdk, client, send } = await this.#open(context);
    await client.send(new sdk.TagStreamCommand({ StreamARN: streamArn, Tags: { ...tags } }), send);
  }

  async getDataEndpoint(name: string, context: ServiceCallContext): Promise<string> {
    const { sdk, client, send } = await this.#open(context);
    const command = new sdk.GetDataEndpointCommand({ StreamName: name, APIName: 'PUT_MEDIA' });
    const answer = await client.send(command, send);
    return required(answer.DataEndpoint, 'DataEndpoint', 'GetDataEndpoint', name);
  }

  async #open(context: ServiceCallContext): Promise<{
    readonly sdk: Sdk;
    readonly client: KinesisVideoClient;
    readonly send: { readonly abortSignal: AbortSignal };
  }> {
    if (context.authInfo === undefined) {
      throw new KvsError({
        status: 'STATUS_SERVICE_CALL_NOT_AUTHORIZED_ERROR',
        message: 'a service call was asked for before there were credentials',
        retryable: true,
      });
    }
    const { sdk, client } = await this.#with(context.authInfo);
    await regionOf(client);
    return { sdk, client, send: { abortSignal: context.signal } };
  }

  /**
   * The SDK remembers credentials without an expiration for ever: new ones get a new client. The old
   * one is not destroyed, since that breaks every connection of its agents, which may carry media.
   */
  async #with(credentials: Credentials): Promise<{ sdk: Sdk; client: KinesisVideoClient }> {
    this.#sdk ??= import('@aws-sdk/client-kinesis-video');
    const sdk = await this.#sdk;
    if (this.#held === undefined || !sameKeys(this.#held.credentials, credentials)) {
      const config = { ...this.#config(credentials), systemClockOffset: this.clockOffset() };
      this.#held = { credentials, client: new sdk.KinesisVideoClient(config) };
    }
    return { sdk, client: this.#held.client };
  }

  #config(credentials: Credentials): KinesisVideoClientConfig {
    const { region, endpoint } = this.#options;
    const { useFipsEndpoint, useDualstackEndpoint } = this.#options;
    return {
      credentials,
      maxAttempts: 1,
      customUserAgent: this.#userAgent,
      requestHandler: { ...this.#agents },
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(useFipsEndpoint === undefined ? {} : { useFipsEndpoint }),
      ...(useDualstackEndpoint === undefined ? {} : { useDualstackEndpoint }),
    };
  }
}

/** The region that is configured. Rejects with words for a user, where the SDK has some for itself. */
async function regionOf(client: KinesisVideoClient): Promise<string> {
  try {
    return await client.config.region();
  } catch (cause) {
    throw new KvsError({
      status: 'STATUS_INVALID_ARG',
      message:
        "no AWS region is configured; give the option region ('us-west-2', say), set AWS_REGION, or " +
        'put region into ~/.aws/config',
      retryable: true,
      cause,
    });
  }
}

function sameKeys(a: Credentials, b: Credentials): boolean {
  return (
    a.accessKeyId === b.accessKeyId &&
    a.secretAccessKey === b.secretAccessKey &&
    a.sessionToken === b.sessionToken
  );
}

function describe(name: string, info: StreamInfo | undefined): StreamDescription {
  return {
    streamArn: required(info?.StreamARN, 'StreamInfo.StreamARN', 'DescribeStream', name),
    streamStatus: required(info?.Status, 'StreamInfo.Status', 'DescribeStream', name),
    retentionPeriod: (info?.DataRetentionInHours ?? 0) * HOUR_MS,
  };
}

function required<T>(
  value: T | undefined,
  field: string,
  call: string,
  stream: string,
  status: StatusName = 'STATUS_INVALID_DESCRIBE_STREAM_RESPONSE',
): T {
  if (value !== undefined) return value;
  throw new KvsError({
    status,
    message: `${call} of stream '${stream}' was answered without ${field}`,
    retryable: true,
  });
}
