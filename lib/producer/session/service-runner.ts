import { asError, describeError } from '../../base/values.js';
import type { Credentials } from '../../base/credentials.js';
import type {
  CreateDeviceEvent,
  CreateStreamEvent,
  DescribeStreamEvent,
  GetSecurityTokenEvent,
  GetStreamingEndpointEvent,
  GetStreamingTokenEvent,
  PutStreamEvent,
  TagResourceEvent,
} from '../../generated/events.js';
import type { StatusName } from '../../generated/status.js';
import type { CallbackProvider, DeviceInfo, ServiceCallContext } from '../../providers/index.js';
import { CALL_RESULT, resultOfError } from '../../transport/index.js';
import type { Core } from './core.js';
import type { StreamLink } from './link.js';
import type { Trouble } from '../reporting/health.js';
import { PutSession } from './put-session.js';
import { created, dataEndpoint, described, type StreamAnswer } from './service-answers.js';
import { TokenKeeper } from './token-keeper.js';

type ClientCall = GetSecurityTokenEvent | CreateDeviceEvent;
type StreamCall =
  | DescribeStreamEvent
  | CreateStreamEvent
  | TagResourceEvent
  | GetStreamingEndpointEvent
  | GetStreamingTokenEvent
  | PutStreamEvent;

/** The calls that are made here and answered once. */
type RunCall = ClientCall | Exclude<StreamCall, PutStreamEvent>;

const OK: Readonly<StreamAnswer> = { result: CALL_RESULT.OK };
const FAILED: Readonly<Record<(ClientCall | StreamCall)['type'], StatusName>> = {
  getSecurityToken: 'STATUS_CLIENT_AUTH_CALL_FAILED',
  createDevice: 'STATUS_CREATE_CLIENT_CALL_FAILED',
  describeStream: 'STATUS_DESCRIBE_STREAM_CALL_FAILED',
  createStream: 'STATUS_CREATE_STREAM_CALL_FAILED',
  tagResource: 'STATUS_TAG_STREAM_CALL_FAILED',
  getStreamingEndpoint: 'STATUS_GET_STREAMING_ENDPOINT_CALL_FAILED',
  getStreamingToken: 'STATUS_GET_STREAMING_TOKEN_CALL_FAILED',
  putStream: 'STATUS_PUT_STREAM_CALL_FAILED',
};
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a runner is made from. @internal */
export interface RunnerParts {
  readonly core: Core;
  readonly provider: CallbackProvider;
  readonly device: DeviceInfo;
  /** Told what went wrong with a call of a stream, or of the producer, and is tried again. */
  readonly onTrouble: (link: StreamLink | undefined, trouble: Trouble) => void;
}

/** Makes the calls that the core asks for, once each, and answers with what came of them. @internal */
export class ServiceRunner {
  readonly #core: Core;
  readonly #provider: CallbackProvider;
  readonly #device: DeviceInfo;
  readonly #onTrouble: RunnerParts['onTrouble'];
  readonly #open = new Set<AbortController>();
  readonly #tokens: TokenKeeper;
  #closed = false;

  constructor(parts: RunnerParts) {
    this.#core = parts.core;
    this.#provider = parts.provider;
    this.#device = parts.device;
    this.#onTrouble = parts.onTrouble;
    this.#tokens = new TokenKeeper(parts.provider, parts.core.clock);
  }

  client(event: ClientCall): void {
    void this.#attempt(event, undefined).then((answer) => {
      this.#answered(event, () => {
        this.#core.answerClient(event.call, answer.result, answer.expiration ?? Infinity);
      });
    });
  }

  stream(link: StreamLink, event: StreamCall): void {
    if (event.type === 'putStream') {
      link.session?.abort();
      const session = new PutSession(this.#core, link, event);
      link.session = session;
      if (this.#tokens.isOver(link.token.value)) void this.#openWithNewToken(link, event, session);
      else session.open(this.#provider, event);
      return;
    }
    void this.#attempt(event, link).then((answer) => {
      this.#answered(event, () => {
        this.#core.answerStream(link, event.call, answer);
      });
    });
  }

  /** No answer, whatever it holds, may end the process. */
  #answered(event: RunCall, answer: () => void): void {
    try {
      answer();
    } catch (error) {
      const message = `the answer to ${event.type} is not taken: ${describeError(error)}`;
      this.#core.log.write('error', `answer ${event.type}`, message);
    }
  }

  /** A stream may have been idle for longer than its token lasts, and nobody asked for another. */
  async #openWithNewToken(
    link: StreamLink,
    event: PutStreamEvent,
    session: PutSession,
  ): Promise<void> {
    const answer = await this.#attempt({ ...event, type: 'getStreamingToken' }, link);
    if (answer.result === CALL_RESULT.OK) session.open(this.#provider, event);
    else session.onEnd(answer.result, new Error('the token is over, and there is no other'));
  }

  /** Gives up what is under way; nothing is answered any more. */
  close(): void {
    this.#closed = true;
    for (const control of this.#open) control.abort();
  }

  async #attempt(event: RunCall, link: StreamLink | undefined): Promise<StreamAnswer> {
    const { timeout } = event;
    const control = new AbortController();
    const late = (): void => {
      control.abort(new DOMException(`no answer within ${timeout} ms`, 'TimeoutError'));
    };
    const timer = setTimeout(late, Math.min(timeout, LONGEST_TIMER_MS));
    const began = this.#core.clock.mono();
    this.#open.add(control);
    try {
      const context = { timeout, signal: control.signal, authInfo: this.#tokens.client };
      const answer = await unlessAborted(this.#work(event, link, context), control.signal);
      this.#tell(event, link, began, answer.result, undefined);
      return answer;
    } catch (error) {
      const result = resultOf(event, error);
      link?.token.refused(result);
      this.#tell(event, link, began, result, error);
      return { result };
    } finally {
      clearTimeout(timer);
      this.#open.delete(control);
    }
  }

  async #work(
    event: RunCall,
    link: StreamLink | undefined,
    context: ServiceCallContext,
  ): Promise<StreamAnswer> {
    if (event.type === 'createDevice') {
      await this.#provider.createDevice(this.#device, context);
      return OK;
    }
    if (event.type === 'getSecurityToken' || link === undefined) {
      return expiring(await this.#tokens.forClient(context));
    }
    const authInfo = await this.#tokens.forCall(link.token, context);
    return this.#streamCall(link, event.type, { ...context, authInfo });
  }

  #tell(
    event: RunCall,
    link: StreamLink | undefined,
    began: number,
    result: number,
    error: unknown,
  ): void {
    const { clock, diagnostics, log } = this.#core;
    const durationMs = clock.mono() - began;
    diagnostics.call({ stream: link?.name, call: event.type, result, durationMs, error });
    if (error === undefined || this.#closed) return;
    // A stream that does not exist yet is no trouble: it is created.
    const missing = event.type === 'describeStream' && result === CALL_RESULT.RESOURCE_NOT_FOUND;
    const whose = link === undefined ? '' : ` of stream '${link.name}'`;
    const message = `${event.type}${whose} failed with result ${result}: ${describeError(error)}`;
    log.write(missing ? 'info' : 'warn', event.type, message);
    if (missing) return;
    this.#onTrouble(link, { status: FAILED[event.type], message, cause: error });
  }

  async #streamCall(
    link: StreamLink,
    type: Exclude<StreamCall, PutStreamEvent>['type'],
    context: ServiceCallContext,
  ): Promise<StreamAnswer> {
    const provider = this.#provider;
    switch (type) {
      case 'describeStream': {
        const found = await provider.describeStream(link.name, context);
        const answer = described(found);
        link.streamArn = found.streamArn;
        return { ...OK, ...answer };
      }
      case 'createStream':
        link.streamArn = created(await provider.createStream(this.#createInput(link), context));
        return OK;
      case 'tagResource':
        await provider.tagResource(link.streamArn ?? '', link.definition.tags, context);
        return OK;
      case 'getStreamingEndpoint':
        link.endpoint = dataEndpoint(
          await provider.getStreamingEndpoint(link.name, 'PUT_MEDIA', context),
        );
        return OK;
      case 'getStreamingToken':
        return expiring(await this.#tokens.forSessions(link.name, link.token, context));
    }
  }

  #createInput(link: StreamLink): Parameters<CallbackProvider['createStream']>[0] {
    const { contentType, kmsKeyId, retention } = link.definition.info;
    return {
      streamName: link.name,
      deviceName: this.#device.name,
      mediaType: contentType,
      kmsKeyId: kmsKeyId === '' ? undefined : kmsKeyId,
      retentionPeriod: retention,
    };
  }
}

/** Rejects as soon as `signal` aborts, even where the work does not listen to it. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      const reason: unknown = signal.reason;
      reject(asError(reason));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}

function expiring(token: Credentials): StreamAnswer {
  return { ...OK, expiration: token.expiration?.getTime() ?? Infinity };
}

/** A token call that fails for no reason that has a number of its own is one of authentication. */
function resultOf(event: RunCall, error: unknown): number {
  const result = resultOfError(error);
  if (result !== CALL_RESULT.UNKNOWN) return result;
  const token = event.type === 'getSecurityToken' || event.type === 'getStreamingToken';
  return token ? CALL_RESULT.AUTH_FAILURE : result;
}
