import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { DefaultCallbackProvider, type ServiceCallContext } from '../../../lib/providers/index.js';
import { resultOfError } from '../../../lib/transport/index.js';
import {
  BodyIo,
  collect,
  CREDENTIALS,
  serve,
  until,
  type TestServer,
} from '../transport/put-media-server.js';

interface Call {
  readonly path: string;
  readonly body: unknown;
  readonly authorization: string;
  readonly date: string;
}

/** Answers what `reply` says and remembers what was asked. */
class ControlServer {
  readonly calls: Call[] = [];
  reply: (path: string) => { status?: number; headers?: Record<string, string>; body: unknown } =
    () => ({ body: {} });

  readonly handle = (request: IncomingMessage, answer: ServerResponse): void => {
    void collect(request).then((bytes) => {
      const path = request.url ?? '';
      this.calls.push({
        path,
        body: path === '/putMedia' ? bytes.length : JSON.parse(bytes.toString()),
        authorization: request.headers.authorization ?? '',
        date: String(request.headers['x-amz-date']),
      });
      const { status, headers, body } = this.reply(path);
      answer.writeHead(status ?? 200, headers).end(JSON.stringify(body));
    });
  };
}

function context(more?: Partial<ServiceCallContext>): ServiceCallContext {
  return { timeout: 5000, signal: AbortSignal.timeout(5000), authInfo: CREDENTIALS, ...more };
}

describe('DefaultCallbackProvider', () => {
  let server: TestServer | undefined;

  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  async function start(): Promise<{ control: ControlServer; provider: DefaultCallbackProvider }> {
    const control = new ControlServer();
    server = await serve(control.handle);
    const provider = new DefaultCallbackProvider({
      endpoint: server.endpoint,
      region: 'eu-central-1',
      credentials: CREDENTIALS,
    });
    return { control, provider };
  }

  it('makes the documented calls', async () => {
    const { control, provider } = await start();
    const streamArn = 'arn:aws:kinesisvideo:eu-central-1:1:stream/camera/1';
    control.reply = (path) => ({
      body:
        path === '/describeStream'
          ? { StreamInfo: { StreamARN: streamArn, Status: 'UPDATING', DataRetentionInHours: 3 } }
          : { StreamARN: streamArn, DataEndpoint: 'http://data' },
    });
    expect(await provider.describeStream('camera', context())).toEqual({
      streamArn,
      streamStatus: 'UPDATING',
      retentionPeriod: 10_800_000,
    });
    const input = {
      streamName: 'camera',
      deviceName: 'door',
      mediaType: 'video/h264',
      kmsKeyId: undefined,
      retentionPeriod: 7_200_000,
    };
    expect(await provider.createStream(input, context())).toBe(streamArn);
    await provider.tagResource(streamArn, { site: 'north' }, context());
    expect(await provider.getStreamingEndpoint('camera', 'PUT_MEDIA', context())).toBe(
      'http://data',
    );
    expect(control.calls.map(({ path, body }) => ({ path, body }))).toEqual([
      { path: '/describeStream', body: { StreamName: 'camera' } },
      {
        path: '/createStream',
        body: {
          StreamName: 'camera',
          DeviceName: 'door',
          MediaType: 'video/h264',
          DataRetentionInHours: 2,
        },
      },
      { path: '/tagStream', body: { StreamARN: streamArn, Tags: { site: 'north' } } },
      { path: '/getDataEndpoint', body: { StreamName: 'camera', APIName: 'PUT_MEDIA' } },
    ]);
    expect(control.calls[0]?.authorization).toContain('AKIDEXAMPLE');
    expect(control.calls[0]?.authorization).toContain('/eu-central-1/kinesisvideo/');
  });

  it('signs with the credentials of each call', async () => {
    const { control, provider } = await start();
    control.reply = () => ({ body: { DataEndpoint: 'http://data' } });
    await provider.getStreamingEndpoint('camera', 'PUT_MEDIA', context());
    const authInfo = { ...CREDENTIALS, accessKeyId: 'AKIDROTATED' };
    await provider.getStreamingEndpoint('camera', 'PUT_MEDIA', context({ authInfo }));
    expect(control.calls.map((call) => /Credential=(\w+)/.exec(call.authorization)?.[1])).toEqual([
      'AKIDEXAMPLE',
      'AKIDROTATED',
    ]);
  });

  it.each([
    [404, 'ResourceNotFoundException', 404],
    [400, 'ClientLimitExceededException', 429],
    [400, 'AccountStreamLimitExceededException', 10002],
    [400, 'ResourceInUseException', 10003],
    [401, 'NotAuthorizedException', 401],
    [403, 'AccessDeniedException', 403],
    [500, 'InternalFailure', 500],
    [503, 'ServiceUnavailable', 503],
  ])('makes one attempt: a %i %s is result %i', async (status, name, result) => {
    const { control, provider } = await start();
    const headers = { 'x-amzn-errortype': name, 'content-type': 'application/json' };
    control.reply = () => ({ status, headers, body: { Message: 'no' } });
    const error: unknown = await provider
      .describeStream('camera', context())
      .catch((e: unknown) => e);
    expect(resultOfError(error)).toBe(result);
    expect(control.calls).toHaveLength(1);
  });

  it('tells a refused connection and a time-out apart', async () => {
    const { control, provider } = await start();
    control.reply = () => ({ body: {} });
    const late = context({ signal: AbortSignal.abort() });
    const aborted: unknown = await provider.describeStream('camera', late).catch((e: unknown) => e);
    expect(resultOfError(aborted)).toBe(408);
    await server?.close();
    const refused: unknown = await provider
      .describeStream('camera', context())
      .catch((e: unknown) => e);
    expect(resultOfError(refused)).toBe(599);
  });

  it("learns the service's clock from an answer and dates PutMedia by it", async () => {
    const { control, provider } = await start();
    const ahead = 3_600_000;
    const headers = {
      'x-amzn-errortype': 'InvalidSignatureException',
      date: new Date(Date.now() + ahead).toUTCString(),
    };
    control.reply = (path) =>
      path === '/putMedia' ? { body: {} } : { status: 403, headers, body: {} };
    await provider.describeStream('camera', context()).catch(() => undefined);
    const io = new BodyIo(new Uint8Array(10), 'end');
    provider.putStream(
      {
        streamName: 'camera',
        endpoint: server?.endpoint ?? '',
        credentials: CREDENTIALS,
        start: 0,
        absolute: true,
        acks: true,
        connectTimeout: 1000,
      },
      io,
    );
    expect((await io.ending).result).toBe(200);
    const date = control.calls.at(-1)?.date ?? '';
    const [, y, mo, d, h, mi, s] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(date) ?? [];
    const sent = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
    expect(Math.abs(sent - Date.now() - ahead)).toBeLessThan(10_000);
  });

  it.each([3_600_000, -3_600_000])(
    "tells when credentials end by this machine's clock, which is %i ms off",
    async (ahead) => {
      const control = new ControlServer();
      server = await serve(control.handle);
      const ends = Date.now() + 3_600_000;
      const provider = new DefaultCallbackProvider({
        endpoint: server.endpoint,
        region: 'eu-central-1',
        credentials: async () => ({ ...CREDENTIALS, expiration: new Date(ends) }),
      });
      expect((await provider.getSecurityToken(context())).expiration?.getTime()).toBe(ends);
      const headers = { date: new Date(Date.now() + ahead).toUTCString() };
      control.reply = () => ({ headers, body: { DataEndpoint: 'http://data' } });
      await provider.getStreamingEndpoint('camera', 'PUT_MEDIA', context());
      const token = await provider.getStreamingToken('camera', context());
      expect(Math.abs((token.expiration?.getTime() ?? 0) - (ends - ahead))).toBeLessThan(10_000);
    },
  );

  it('rejects what a credential provider gave that is not credentials', async () => {
    const provider = new DefaultCallbackProvider({
      credentials: async () => ({ accessKeyId: '', secretAccessKey: 'x' }),
    });
    await expect(provider.getSecurityToken(context())).rejects.toMatchObject({
      status: 'STATUS_INVALID_AUTH_LEN',
    });
    expect(
      () => new DefaultCallbackProvider({ credentials: { ...CREDENTIALS, accessKeyId: 'a b' } }),
    ).toThrowError(expect.objectContaining({ status: 'STATUS_INVALID_ARG' }));
  });

  it('breaks no connection of agents that it was given when the keys change, nor on close', async () => {
    const control = new ControlServer();
    control.reply = () => ({ body: { DataEndpoint: 'http://data' } });
    server = await serve((request, answer) => {
      if (request.url !== '/putMedia') control.handle(request, answer);
      else request.once('data', () => answer.write('an ack')).once('end', () => answer.end());
    });
    const { endpoint } = server;
    const httpAgent = new Agent({ keepAlive: true });
    const provider = new DefaultCallbackProvider({ endpoint, region: 'eu-central-1', httpAgent });
    const io = new BodyIo(new Uint8Array(1000), 'open');
    const session = provider.putStream(
      {
        streamName: 'camera',
        endpoint,
        credentials: CREDENTIALS,
        start: 0,
        absolute: true,
        acks: true,
        connectTimeout: 5000,
      },
      io,
    );
    await until(() => io.acks.length > 0);
    for (const accessKeyId of ['AKIDSECOND', 'AKIDTHIRD']) {
      const authInfo = { ...CREDENTIALS, accessKeyId };
      await provider.getStreamingEndpoint('camera', 'PUT_MEDIA', context({ authInfo }));
    }
    provider.close();
    io.after = 'end';
    session.wake();
    expect(await io.ending).toEqual({ result: 200, cause: undefined });
    httpAgent.destroy();
  });
});
