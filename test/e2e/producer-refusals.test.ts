import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import {
  KinesisVideoProducer,
  type CredentialProvider,
  type Credentials,
  type KinesisVideoStream,
  type StreamErrorReport,
} from '../../lib/index.js';
import { startService, type KvsService } from '../../lib/service/index.js';
import { FaultFront } from '../support/fault-front.js';
import { syntheticFrames } from '../support/frames.js';
import { CREDENTIALS, Detour, expectStored, putAll, storedIn } from '../support/upload.js';

const FRAMES = [...syntheticFrames({ count: 100, start: 1_700_000_000_000 })];

describe('a producer whose calls are refused', () => {
  let directory = '';
  let service: KvsService;
  let front: FaultFront;
  let producer: KinesisVideoProducer | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-refusals-'));
    service = await startService({ dataDir: join(directory, 'data'), limits: 'off' });
    front = await FaultFront.start(service.port);
  });

  afterEach(async () => {
    await producer?.close({ timeoutMs: 0 }).catch(() => undefined);
    producer = undefined;
    await front.close();
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(): Promise<KinesisVideoStream> {
    const callbackProvider = new Detour(front.endpoint, front.endpoint);
    producer = await KinesisVideoProducer.create({ callbackProvider, limits: 'off' });
    return producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0, tags: { a: 'b' } });
  }

  // Each call with each answer; the service's own exceptions stand where they change the answer.
  const CALLS = ['/describeStream', '/createStream', '/tagStream', '/getDataEndpoint', '/putMedia'];
  const FAULTS = [
    { status: 400, exception: 'InvalidArgumentException' },
    { status: 400, exception: 'ClientLimitExceededException' },
    { status: 401, exception: 'NotAuthorizedException' },
    { status: 403, exception: 'AccessDeniedException' },
    { status: 403, exception: 'InvalidSignatureException' },
    { status: 404, exception: 'ResourceNotFoundException' },
    { status: 429 },
    { status: 500, exception: 'InternalFailure' },
    { status: 503 },
    { status: 504 },
  ];

  it.each([
    ...CALLS.flatMap((path) => FAULTS.map((fault) => [path, fault] as const)),
    ['/createStream', { status: 400, exception: 'AccountStreamLimitExceededException' }] as const,
    ['/createStream', { status: 400, exception: 'ResourceInUseException' }] as const,
    ['/putMedia', { status: 400, exception: 'ConnectionLimitExceededException' }] as const,
    ['/putMedia', { status: 400, exception: 'InvalidEndpointException' }] as const,
  ])('loses nothing when %s is refused twice with %j', async (path, fault) => {
    front.refuse(path, fault, 2);
    const stream = await open();
    await putAll(stream, FRAMES);
    await stream.stop({ timeoutMs: 60_000 });
    expectStored(await storedIn(service.endpoint, 'camera'), FRAMES);
    // A stream that is not found is created, or found to be there, and not described again.
    const once = path === '/describeStream' && fault.status === 404;
    expect(front.calls.get(path)).toBeGreaterThanOrEqual(once ? 2 : 3);
    expect(stream.getMetrics()).toMatchObject({ droppedFrames: 0, bufferedFrames: 0 });
  });

  it('waits for a name that cannot be resolved', async () => {
    let failures = 0;
    let known = false;
    const httpAgent = new Agent({
      lookup: (host, _options, done) => {
        if (known) {
          done(null, [{ address: '127.0.0.1', family: 4 }]);
          return;
        }
        failures += 1;
        done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), []);
      },
    });
    // By a name that is not its machine's, a service is called with keys alone.
    const { accessKeyId, secretAccessKey } = CREDENTIALS;
    const dataDir = join(directory, 'named');
    const credentials = { [accessKeyId]: { secretAccessKey, accountId: '123456789012' } };
    const named = await startService({ dataDir, credentials, limits: 'off' });
    const endpoint = `http://kvs.example:${named.port}`;
    const callbackProvider = new Detour(endpoint, endpoint, CREDENTIALS, httpAgent);
    producer = await KinesisVideoProducer.create({ callbackProvider, limits: 'off' });
    const stream = await producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0 });
    await putAll(stream, FRAMES);
    await eventually(() => {
      expect(failures).toBeGreaterThanOrEqual(3);
    });
    expect(stream.health).toMatchObject({ condition: 'failing' });
    expect(stream.health.lastError?.message).toContain('ENOTFOUND kvs.example');
    known = true;
    await stream.stop({ timeoutMs: 60_000 });
    expectStored(await storedIn(named.endpoint, 'camera'), FRAMES);
    await named.close();
  });

  it('reports a tag failure and passes it over', async () => {
    const reports: StreamErrorReport[] = [];
    front.refuse('/tagStream', { status: 403, exception: 'AccessDeniedException' }, 1000);
    const stream = await open();
    stream.on('streamErrorReport', (report: StreamErrorReport) => reports.push(report));
    await putAll(stream, FRAMES);
    await stream.stop({ timeoutMs: 60_000 });
    expectStored(await storedIn(service.endpoint, 'camera'), FRAMES);
    expect(reports.map(({ status, result }) => [status, result])).toContainEqual([
      'STATUS_TAG_STREAM_CALL_FAILED',
      403,
    ]);
  });

  it("reports a call that goes on failing by the guide's status, and goes on", async () => {
    front.refuse('/getDataEndpoint', { status: 500 }, 1000);
    const stream = await open();
    const report = new Promise<StreamErrorReport>((resolve) => {
      stream.once('streamErrorReport', resolve);
    });
    await putAll(stream, FRAMES);
    expect(await report).toMatchObject({
      status: 'STATUS_GET_STREAMING_ENDPOINT_CALL_FAILED',
      result: 500,
      attempts: 5,
    });
    front.refuse('/getDataEndpoint', { status: 500 }, 0);
    await stream.stop({ timeoutMs: 60_000 });
    expectStored(await storedIn(service.endpoint, 'camera'), FRAMES);
  });

  it('waits for credentials, and takes new ones when the old are refused', async () => {
    let asked = 0;
    const credentials = async (): Promise<Credentials> => {
      asked += 1;
      if (asked <= 2) throw new Error('the vault is sealed');
      const accessKeyId = front.calls.has('/putMedia') ? 'AKIDSECOND' : 'AKIDFIRST';
      return { ...CREDENTIALS, accessKeyId };
    };
    front.refuse('/putMedia', { status: 403, exception: 'ExpiredTokenException' }, 1);
    const callbackProvider = new Detour(front.endpoint, front.endpoint, credentials);
    producer = await KinesisVideoProducer.create({ callbackProvider, limits: 'off' });
    const stream = await producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0 });
    await putAll(stream, FRAMES);
    await stream.stop({ timeoutMs: 60_000 });
    expectStored(await storedIn(service.endpoint, 'camera'), FRAMES);
    expect([...front.accessKeys]).toEqual(['AKIDFIRST', 'AKIDSECOND']);
  });

  it.each([
    ['/describeStream', ''],
    ['/getDataEndpoint', ''],
    ['/putMedia', ''],
    ['/putMedia', ' and hangs up'],
  ])(
    'asks a provider that keeps what it has for fresh credentials when %s refuses them%s',
    async (path, more) => {
      // As the SDK's do: kept until they end by this machine's clock, which may be behind.
      let held: Credentials | undefined;
      let made = 0;
      const credentials: CredentialProvider = async (options) => {
        if (held === undefined || options?.forceRefresh === true) {
          made += 1;
          held = { ...CREDENTIALS, accessKeyId: `AKID${made}` };
        }
        return held;
      };
      const hangsUp = more !== '';
      front.refuse(path, { status: 403, exception: 'ExpiredTokenException', hangsUp }, 1);
      const callbackProvider = new Detour(front.endpoint, front.endpoint, credentials);
      producer = await KinesisVideoProducer.create({ callbackProvider, limits: 'off' });
      const stream = await producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0 });
      await putAll(stream, FRAMES);
      await stream.stop({ timeoutMs: 60_000 });
      expectStored(await storedIn(service.endpoint, 'camera'), FRAMES);
      expect([...front.accessKeys]).toEqual(['AKID1', 'AKID2']);
    },
  );

  it('takes new credentials in every state when those in use are over', async () => {
    let accessKeyId = 'AKIDFIRST';
    const credentials = async (): Promise<Credentials> => ({ ...CREDENTIALS, accessKeyId });
    const callbackProvider = new Detour(front.endpoint, front.endpoint, credentials);
    producer = await KinesisVideoProducer.create({ callbackProvider, limits: 'off' });
    const stream = await producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0 });
    await putAll(stream, FRAMES.slice(0, 50));
    await new Promise((resolve) => stream.once('fragmentAckReceived', resolve));
    // An outage during which the keys end: every call with the old ones is refused from now on.
    front.deniedKeys.add('AKIDFIRST');
    accessKeyId = 'AKIDSECOND';
    front.refuse('/getDataEndpoint', { status: 500 }, 2);
    front.refuse('/describeStream', { status: 500 }, 2);
    front.cut();
    await putAll(stream, FRAMES.slice(50));
    await stream.stop({ timeoutMs: 60_000 });
    const doubtful = FRAMES.map((frame) => frame.presentationTs);
    expectStored(await storedIn(service.endpoint, 'camera'), FRAMES, doubtful);
    expect(front.accessKeys.has('AKIDSECOND')).toBe(true);
  });

  it('opens no session with credentials that ended while nothing was sent', async () => {
    let later = 0;
    let made = 0;
    const credentials = async (): Promise<Credentials> => {
      made += 1;
      const expiration = new Date(Date.now() + later + 3_600_000);
      return { ...CREDENTIALS, accessKeyId: `AKID${made}`, expiration };
    };
    producer = await KinesisVideoProducer.create({
      callbackProvider: new Detour(front.endpoint, front.endpoint, credentials),
      limits: 'off',
      clock: { mono: () => performance.now() + later, wall: () => Date.now() + later },
    });
    // A refused session would be the last.
    const stream = await producer.createStream({
      streamName: 'camera',
      nalAdaptationFlags: 0,
      idleDuration: 200,
      restartOnError: false,
    });
    const ended = new Promise((resolve) => stream.once('sessionEnded', resolve));
    for (const frame of FRAMES.slice(0, 50)) stream.putFrame(frame);
    await ended;
    later = 2 * 3_600_000;
    for (let i = 1; i <= made; i += 1) front.deniedKeys.add(`AKID${i}`);
    for (const frame of FRAMES.slice(50)) stream.putFrame(frame);
    await stream.stop({ timeoutMs: 60_000 });
    expectStored(await storedIn(service.endpoint, 'camera'), FRAMES);
    expect(stream.health.lastError).toBeUndefined();
  });
});
