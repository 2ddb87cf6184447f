import type { CredentialProvider, Credentials } from '../base/credentials.js';
import { userAgent as defaultUserAgent } from '../base/user-agent.js';
import {
  HttpPutMediaTransport,
  type HttpAgents,
  type PutMediaIo,
  type PutMediaSession,
  type PutMediaTransport,
} from '../transport/index.js';
import { Connections } from '../transport/connections.js';
import type { ClientCallbackProvider, StreamCallbackProvider } from './callbacks.js';
import { watchingClock } from './clock-watch.js';
import { ControlPlane, type ControlPlaneOptions } from './control-plane.js';
import {
  checkCredentials,
  defaultCredentials,
  sharedCredentials,
  staticCredentials,
} from './credentials.js';
import type { DeviceInfo } from './device-info.js';
import { openWhenKnown } from './open-session.js';
import type {
  CallbackProvider,
  CreateStreamInput,
  PutStreamInput,
  ServiceCallContext,
  StreamDescription,
} from './service-calls.js';

/** Answers tell whole seconds: a clock counts as off only from here on. */
const FINE_MS = 5000;

/** What a `DefaultCallbackProvider` is made from. */
export interface DefaultCallbackProviderOptions extends ControlPlaneOptions {
  /** Keys, or an AWS SDK v3 credential provider; the SDK's default chain when left out. */
  readonly credentials?: Credentials | CredentialProvider;
  /** Sent with each request; this package, Node and the platform when left out. */
  readonly userAgent?: string;
  /** Carries PutMedia sessions; Node's http and https when left out. */
  readonly transport?: PutMediaTransport;
  /** See `HttpTransportOptions.gatherMs`; for the transport that is used when none is given. */
  readonly gatherMs?: number;
  readonly clientCallbackProvider?: ClientCallbackProvider;
  readonly streamCallbackProvider?: StreamCallbackProvider;
}

/**
 * The documented calls against AWS, or any service that speaks like it (guide:
 * DefaultCallbackProvider). Override single methods to replace single calls.
 */
export class DefaultCallbackProvider implements CallbackProvider {
  readonly clientCallbackProvider: ClientCallbackProvider;
  readonly streamCallbackProvider: StreamCallbackProvider;
  readonly #credentials: CredentialProvider;
  readonly #connections: Connections;
  readonly #control: ControlPlane;
  readonly #transport: PutMediaTransport;

  /** Throws `KvsError` when static credentials are malformed. */
  constructor(options: DefaultCallbackProviderOptions = {}) {
    const { httpAgent, httpsAgent, gatherMs } = options;
    const userAgent = options.userAgent ?? defaultUserAgent();
    this.clientCallbackProvider = options.clientCallbackProvider ?? {};
    this.streamCallbackProvider = options.streamCallbackProvider ?? {};
    this.#connections = new Connections({
      ...(httpAgent === undefined ? {} : { httpAgent }),
      ...(httpsAgent === undefined ? {} : { httpsAgent }),
    });
    const { agents } = this.#connections;
    this.#credentials = sharedCredentials(asProvider(options.credentials, agents));
    this.#control = new ControlPlane({ ...options, ...agents }, userAgent);
    this.#transport =
      options.transport ??
      new HttpPutMediaTransport({
        userAgent,
        ...(gatherMs === undefined ? {} : { gatherMs }),
      });
  }

  /** What the credential provider answers; when it ends is said by this machine's clock. */
  async getSecurityToken(context: ServiceCallContext): Promise<Credentials> {
    const options = context.refused === true ? { forceRefresh: true } : undefined;
    const token = checkCredentials(await this.#credentials(options), 'the credential provider');
    const ahead = this.#control.clockOffset();
    if (token.expiration === undefined || Math.abs(ahead) < FINE_MS) return token;
    return { ...token, expiration: new Date(token.expiration.getTime() - ahead) };
  }

  async getStreamingToken(_name: string, context: ServiceCallContext): Promise<Credentials> {
    return this.getSecurityToken(context);
  }

  /** The service knows no devices: answers at once. */
  async createDevice(device: DeviceInfo, _context: ServiceCallContext): Promise<string> {
    return `arn:aws:kinesisvideo:::device/${device.name ?? ''}`;
  }

  async createStream(input: CreateStreamInput, context: ServiceCallContext): Promise<string> {
    return this.#control.createStream(input, context);
  }

  async describeStream(name: string, context: ServiceCallContext): Promise<StreamDescription> {
    return this.#control.describeStream(name, context);
  }

  async tagResource(
    streamArn: string,
    tags: Readonly<Record<string, string>>,
    context: ServiceCallContext,
  ): Promise<void> {
    return this.#control.tagResource(streamArn, tags, context);
  }

  async getStreamingEndpoint(
    name: string,
    _apiName: 'PUT_MEDIA',
    context: ServiceCallContext,
  ): Promise<string> {
    return this.#control.getDataEndpoint(name, context);
  }

  putStream(input: PutStreamInput, io: PutMediaIo): PutMediaSession {
    const request = async (): Promise<Parameters<PutMediaTransport['open']>[0]> => ({
      ...input,
      region: await this.#control.region(input.credentials),
      clockOffset: this.#control.clockOffset(),
      agents: this.#connections.agents,
    });
    const watching = watchingClock(io, (serverTime) => {
      this.#control.learnClock(serverTime);
    });
    return openWhenKnown(this.#transport, request(), watching);
  }

  /** Loads what the first calls need: takes up to half a second of the thread, once in a process. */
  async prepare(): Promise<void> {
    await this.#control.prepare();
  }

  /** Closes idle connections; open sessions go on. */
  close(): void {
    this.#connections.close();
  }
}

function asProvider(
  credentials: Credentials | CredentialProvider | undefined,
  agents: HttpAgents,
): CredentialProvider {
  if (credentials === undefined) return defaultCredentials(agents);
  return typeof credentials === 'function' ? credentials : staticCredentials(credentials);
}
