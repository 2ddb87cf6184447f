import type { KinesisVideoArchivedMediaClient } from '@aws-sdk/client-kinesis-video-archived-media';
import type { KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import type { Credentials, CredentialProvider } from '../base/credentials.js';
import { KvsError } from '../base/errors.js';
import { callFailed } from './failures.js';

/** Which stream, where, and as whom. */
export interface StreamConnection {
  /** Name of the stream; either this or `streamArn`. */
  readonly streamName?: string;
  readonly streamArn?: string;
  /** For example `us-west-2`; the SDK's own search when left out. */
  readonly region?: string;
  /** Address of the service; AWS's own for the region when left out. */
  readonly endpoint?: string;
  /** Address of the data operations, where GetDataEndpoint shall not be asked for it. */
  readonly dataEndpoint?: string;
  /** The SDK's own search when left out. */
  readonly credentials?: Credentials | CredentialProvider;
}

/** The operations that have a data endpoint of their own. */
export type DataApi =
  'GET_MEDIA' | 'LIST_FRAGMENTS' | 'GET_MEDIA_FOR_FRAGMENT_LIST' | 'GET_HLS_STREAMING_SESSION_URL';

/** The stream as the SDK's inputs name it. @internal */
export interface StreamKey {
  readonly StreamName?: string;
  readonly StreamARN?: string;
}

interface ClientConfig {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: Credentials | CredentialProvider;
}

/** How the calls' data connections are made. @internal */
export type MediaSdk = typeof import('@aws-sdk/client-kinesis-video-media');
/** @internal */
export type ArchivedSdk = typeof import('@aws-sdk/client-kinesis-video-archived-media');

/**
 * Finds the data endpoints of one stream, once each, and opens the SDK's clients on them. The SDK
 * packages for media are loaded with the first call, so that only those who read need them.
 * @internal
 */
export class Connection {
  readonly key: StreamKey;
  /** The stream in messages. */
  readonly name: string;
  readonly #config: ClientConfig;
  readonly #dataEndpoint: string | undefined;
  readonly #endpoints = new Map<DataApi, Promise<string>>();

  constructor(options: StreamConnection) {
    const { streamName, streamArn, region, endpoint, credentials } = options;
    if ((streamName === undefined) === (streamArn === undefined)) {
      throw new KvsError({
        status: 'STATUS_INVALID_ARG',
        message: 'give either streamName or streamArn of the stream to read',
      });
    }
    this.key = {
      ...(streamName !== undefined && { StreamName: streamName }),
      ...(streamArn !== undefined && { StreamARN: streamArn }),
    };
    this.name = streamName ?? streamArn ?? '';
    this.#dataEndpoint = options.dataEndpoint;
    this.#config = {
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials !== undefined && { credentials }),
    };
  }

  /** Forgets an endpoint that has failed; the next call asks for it again. */
  forget(api: DataApi): void {
    this.#endpoints.delete(api);
  }

  /** A client for GetMedia; the caller destroys it. */
  async media(
    signal: AbortSignal | undefined,
  ): Promise<{ readonly sdk: MediaSdk; readonly client: KinesisVideoMediaClient }> {
    const name = '@aws-sdk/client-kinesis-video-media';
    const sdk = await load(name, () => import('@aws-sdk/client-kinesis-video-media'));
    const endpoint = await this.#endpointOf('GET_MEDIA', signal);
    return { sdk, client: new sdk.KinesisVideoMediaClient({ ...this.#config, endpoint }) };
  }

  /** A client for an operation of the archive; the caller destroys it. */
  async archived(
    api: Exclude<DataApi, 'GET_MEDIA'>,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly sdk: ArchivedSdk; readonly client: KinesisVideoArchivedMediaClient }> {
    const name = '@aws-sdk/client-kinesis-video-archived-media';
    const sdk = await load(name, () => import('@aws-sdk/client-kinesis-video-archived-media'));
    const endpoint = await this.#endpointOf(api, signal);
    return { sdk, client: new sdk.KinesisVideoArchivedMediaClient({ ...this.#config, endpoint }) };
  }

  async #endpointOf(api: DataApi, signal: AbortSignal | undefined): Promise<string> {
    if (this.#dataEndpoint !== undefined) return this.#dataEndpoint;
    const known = this.#endpoints.get(api) ?? this.#ask(api, signal);
    this.#endpoints.set(api, known);
    try {
      return await known;
    } catch (error) {
      this.#endpoints.delete(api);
      throw error;
    }
  }

  async #ask(api: DataApi, signal: AbortSignal | undefined): Promise<string> {
    const sdk = await import('@aws-sdk/client-kinesis-video');
    const client = new sdk.KinesisVideoClient(this.#config);
    try {
      const command = new sdk.GetDataEndpointCommand({ ...this.key, APIName: api });
      const answer = await client.send(command, sendOptions(signal));
      if (answer.DataEndpoint !== undefined) return answer.DataEndpoint;
    } catch (error) {
      throw callFailed('GetDataEndpoint', this.name, error, signal);
    } finally {
      client.destroy();
    }
    throw new KvsError({
      status: 'STATUS_GET_STREAMING_ENDPOINT_CALL_FAILED',
      message: `GetDataEndpoint of stream ${this.name} was answered without a DataEndpoint`,
    });
  }
}

/** The SDK's name for a signal. @internal */
export function sendOptions(signal: AbortSignal | undefined): {
  readonly abortSignal?: AbortSignal;
} {
  return signal === undefined ? {} : { abortSignal: signal };
}

async function load<T>(name: string, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    throw new KvsError({
      status: 'STATUS_NOT_FOUND',
      message: `reading media needs the package ${name}; run: npm install ${name}`,
      cause: error,
    });
  }
}
