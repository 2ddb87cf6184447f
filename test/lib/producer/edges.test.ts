// What is given at the edges: thrown values, odd answers, other realms, names that nobody knows.
import { createContext, runInContext } from 'node:vm';
import { Agent } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeError, isBytes, isError } from '../../../lib/base/values.js';
import {
  HttpPutMediaTransport,
  KinesisVideoProducer,
  TRACK_TYPE,
  type ProducerOptions,
  type StreamErrorReport,
} from '../../../lib/index.js';
import { checkDefinition } from '../../../lib/producer/definition/definition-check.js';
import { goesDirect } from '../../../lib/transport/no-proxy.js';
import { anything } from '../../support/anything.js';
import { eventually } from '../../support/eventually.js';
import { syntheticFrames } from '../../support/frames.js';
import { ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS } from '../../support/upload.js';

const FRAMES = [...syntheticFrames({ count: 30, start: Date.now(), size: 300 })];
const RAW = { streamName: 'camera', nalAdaptationFlags: 0 } as const;

let service: ScriptedService;
const open: KinesisVideoProducer[] = [];

beforeEach(async () => {
  service = await ScriptedService.start();
});

afterEach(async () => {
  await Promise.allSettled(open.splice(0).map((producer) => producer.close({ timeoutMs: 0 })));
  await service.close();
});

async function create(options: ProducerOptions = {}): Promise<KinesisVideoProducer> {
  const producer = await KinesisVideoProducer.create({
    endpoint: service.endpoint,
    credentials: CREDENTIALS,
    ...options,
  });
  open.push(producer);
  return producer;
}

function lines(): { logger: NonNullable<ProducerOptions['logger']>; told: string[] } {
  const told: string[] = [];
  const push = (line: string): void => void told.push(line);
  return { logger: { debug: push, info: push, warn: push, error: push }, told };
}

describe('answers that are far out', () => {
  it('credentials that end in the year 9999, and a retention above 2^43, are taken', async () => {
    service.retentionHours = 2 ** 40;
    const expiration = new Date('9999-12-31T23:59:59Z');
    const producer = await create({ credentials: async () => ({ ...CREDENTIALS, expiration }) });
    const stream = await producer.createStream(RAW);
    for (const frame of FRAMES) stream.putFrame(frame);
    await stream.stop();
    expect(service.fragments.length).toBeGreaterThan(0);
  });
});

describe('thrown values', () => {
  it('with a cyclic cause, or without a prototype, have a text', () => {
    const cyclic = new Error('outer');
    cyclic.cause = new Error('inner', { cause: cyclic });
    expect(describeError(cyclic)).toBe('outer; cause: inner');
    expect(describeError(Object.create(null))).toBe('[object Object]');
  });

  it('of a credential provider are tried on, and told with the words', async () => {
    const { logger, told } = lines();
    let asked = 0;
    const producer = await create({
      logger,
      credentials: async () => {
        asked += 1;
        const error = new Error('cyclic');
        error.cause = error;
        throw asked === 1 ? error : Object.create(null);
      },
    });
    await producer.createStream(RAW);
    await eventually(() => expect(asked).toBeGreaterThan(1));
    await eventually(() => expect(told.join()).toMatch(/getSecurityToken failed.*cyclic/));
  });
});

describe('reports of failures', () => {
  it('say what failed, in the report and in health', async () => {
    const reports: StreamErrorReport[] = [];
    await service.close();
    const producer = await create();
    const stream = await producer.createStream(RAW);
    stream.on('streamErrorReport', (report) => reports.push(report));
    await eventually(() => expect(reports.length).toBeGreaterThan(0));
    expect(reports[0]?.message).toMatch(/describeStream.*ECONNREFUSED/);
    expect(stream.health.lastError?.cause).toBeDefined();
    service = await ScriptedService.start();
  });
});

describe('values of another realm', () => {
  it('are bytes and errors as well', async () => {
    const realm = createContext({});
    const bytes: unknown = runInContext('Uint8Array.of(1, 2, 3)', realm);
    expect(isBytes(bytes)).toBe(true);
    expect(isError(runInContext('new TypeError("x")', realm))).toBe(true);
    const stream = await (await create()).createStream(RAW);
    stream.pause({ preRollMs: 1000 });
    stream.putFrame({ frameData: anything(bytes), flags: 1, presentationTs: Date.now() });
    stream.resume();
    expect(stream.getMetrics().totalFrames).toBe(1);
  });
});

describe('options', () => {
  it.each([
    [{ regoin: 'x' }, /'regoin' is not known; did you mean 'region'\?/],
    [{ url: 'x' }, /'url' is not known; known are /],
  ])('of a producer with an unknown name are refused: %j', async (more, message) => {
    await expect(create(anything(more))).rejects.toThrow(message);
  });

  it.each([
    [{ name: 'frontdoor' }, /'name' is not known; did you mean '(stream|track)Name'\?/],
    [{ tracks: [{ codec: 'x' }] }, /tracks\[0\]: 'codec' is not known; did you mean 'codecId'\?/],
    [{ tracks: [{}, { trackId: 2, trackType: TRACK_TYPE.AUDIO }] }, /codecId is missing.*A_AAC/],
    [{ maxFragmentDuration: 20_001 }, /give 1000 to 20000/],
  ])('of a stream are refused: %j', (definition, message) => {
    expect(() => checkDefinition(anything(definition))).toThrow(message);
  });

  it('that are left out follow from the others', () => {
    const aac = {
      trackId: 2,
      trackType: 2,
      codecId: 'A_AAC',
      samplingFrequency: 48_000,
      channels: 2,
    };
    const { info } = checkDefinition({ tracks: [{}, aac], frameRate: 29.97 });
    expect(info.contentType).toBe('video/h264,audio/aac');
    expect(info.tracks[1]?.codecPrivateData).toEqual(Uint8Array.of(0x11, 0x90));
    expect(info.frameRate).toBe(30);
    const hevc = checkDefinition({ codecId: 'V_MPEGH/ISO/HEVC' });
    expect(hevc.info.contentType).toBe('video/h265');
  });

  it('times that lie years from the clock are told of once', async () => {
    const { logger, told } = lines();
    const stream = await (await create({ logger })).createStream(RAW);
    for (const presentationTs of [0, 40, 80]) {
      stream.putFrame({ frameData: Uint8Array.of(1), flags: 1, presentationTs });
    }
    expect(told.filter((line) => line.includes('1970-01-01'))).toHaveLength(1);
  });

  it('a window too short for its fragments, and an agent of one socket, are told of', async () => {
    const { logger, told } = lines();
    const httpAgent = new Agent({ maxSockets: 1 });
    const producer = await create({ logger, httpAgent });
    await producer.createStream({ ...RAW, bufferDuration: 20_000 });
    expect(told.join('\n')).toMatch(/bufferDuration is 20000 ms.* need 21000/);
    expect(told.join('\n')).toMatch(/httpAgent has maxSockets 1/);
    httpAgent.destroy();
  });
});

describe('connections', () => {
  it('a provider of credentials is asked once by many streams', async () => {
    let asked = 0;
    const producer = await create({
      credentials: async () => {
        asked += 1;
        return CREDENTIALS;
      },
    });
    const streams = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        producer.createStream({ ...RAW, streamName: `camera-${i}` }),
      ),
    );
    await Promise.all(streams.map((stream) => stream.ready()));
    expect(asked).toBe(1);
  });

  it("a transport without agents uses the producer's", async () => {
    let made = 0;
    class Counted extends Agent {
      createConnection = (...given: unknown[]): never => {
        made += 1;
        return anything(
          Reflect.apply(anything(Reflect.get(Agent.prototype, 'createConnection')), this, given),
        );
      };
    }
    const httpAgent = anything<Agent>(new Counted());
    const transport = new HttpPutMediaTransport({ userAgent: 'x', gatherMs: 0 });
    const stream = await (await create({ httpAgent, transport })).createStream(RAW);
    for (const frame of FRAMES) stream.putFrame(frame);
    await stream.stop();
    expect(made).toBeGreaterThan(1);
  });

  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['fe80::1', 'fe80::/10', true],
    ['2001:db8::1', '2001:db8::1', true],
    ['2001:db8::1', '[2001:db8::1]:443', true],
    ['2001:db8::1', '[2001:db8::1]:444', false],
    ['a.example.com', 'example.com', true],
    ['b.org', '10.0.0.0/99,*.b.com', false],
  ])('%s against NO_PROXY %s goes direct: %s', (host, noProxy, direct) => {
    expect(goesDirect(host, 443, noProxy)).toBe(direct);
  });
});
