import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DefaultCallbackProvider,
  HttpPutMediaTransport,
  KinesisVideoProducer,
  type Logger,
  type PutMediaTransport,
} from '../../../lib/index.js';
import { anything } from '../../support/anything.js';
import { syntheticFrames } from '../../support/frames.js';
import { ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS, putAll } from '../../support/upload.js';

const FRAMES = [...syntheticFrames({ count: 100, start: 1_700_000_000_000, size: 500 })];

/** Keeps lines. */
class LineLog implements Logger {
  readonly lines: string[] = [];
  debug(): void {
    // Not of interest.
  }
  info(message: string): void {
    this.lines.push(`info ${message}`);
  }
  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }
  error(message: string): void {
    this.lines.push(`error ${message}`);
  }
}

describe('callbacks', () => {
  let service: ScriptedService;
  let producer: KinesisVideoProducer | undefined;

  beforeEach(async () => {
    service = await ScriptedService.start();
  });

  afterEach(async () => {
    await producer?.close({ timeoutMs: 0 }).catch(() => undefined);
    producer = undefined;
    await service.close();
  });

  it('that throw or reject harm nobody and are logged', async () => {
    const logger = new LineLog();
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      logger,
      clientCallbackProvider: {
        clientReady: () => {
          throw new Error('client callback');
        },
      },
      streamCallbackProvider: {
        fragmentAckReceived: async () => {
          throw new Error('async callback');
        },
        streamReady: () => {
          const nothing: unknown = null;
          throw nothing;
        },
      },
    });
    const stream = await producer.createStream({ streamName: 's', nalAdaptationFlags: 0 });
    stream.on('streamStateChanged', () => {
      throw new Error('listener');
    });
    const late: () => unknown = async () => {
      throw new Error('late one');
    };
    stream.on('fragmentAckReceived', late);
    await putAll(stream, FRAMES);
    await stream.stop({ timeoutMs: 60_000 });
    expect(stream.getMetrics().persistedAcks).toBe(4);
    const text = logger.lines.join('\n');
    for (const part of [
      'client callback',
      'async callback',
      'streamReady failed: null',
      'listener',
    ])
      expect(text).toContain(part);
  });

  it('may call back in: put, read figures, reset and close the stream', async () => {
    const seen: string[] = [];
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      limits: 'off',
    });
    const stream = await producer.createStream({
      streamName: 's',
      nalAdaptationFlags: 0,
      callbacks: {
        streamReady: () => {
          seen.push(stream.state);
          stream.putFragmentMetadata('from', 'callback');
        },
        fragmentAckReceived: ({ type }) => {
          if (type !== 'PERSISTED') return;
          expect(stream.getMetrics().totalFrames).toBe(FRAMES.length);
          stream.destroy();
        },
      },
    });
    for (const frame of FRAMES) stream.putFrame(frame);
    await once(stream, 'close');
    expect(seen).toHaveLength(1);
    expect(producer.getMetrics().streams).toBe(0);
  });

  it('come after the call that caused them has returned', async () => {
    let inside = false;
    let during = 0;
    let calls = 0;
    producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
      deviceInfo: { storageInfo: { storageSize: 10 * 1024 * 1024 } },
    });
    const stream = await producer.createStream({
      streamName: 's',
      nalAdaptationFlags: 0,
      bufferDuration: 20_000,
      callbacks: {
        droppedFragmentReport: () => {
          calls += 1;
          if (inside) during += 1;
        },
      },
    });
    inside = true;
    for (const frame of syntheticFrames({ count: 1000, start: 1_700_000_000_000, size: 500 })) {
      stream.putFrame(frame); // 40 s
    }
    inside = false;
    await once(stream, 'droppedFragmentReport');
    expect(during).toBe(0);
    expect(calls).toBeGreaterThan(0);
  });
});

describe('a replaced part that answers nonsense', () => {
  it('is asked again until it answers well', async () => {
    const service = await ScriptedService.start();
    const logger = new LineLog();
    const left = new Map([
      ['token', 2],
      ['describe', 2],
      ['endpoint', 1],
      ['put', 2],
    ]);
    const nonsense = (part: string): boolean => {
      const more = left.get(part) ?? 0;
      left.set(part, more - 1);
      return more > 0;
    };
    class Odd extends DefaultCallbackProvider {
      override async getSecurityToken(
        ...args: Parameters<DefaultCallbackProvider['getSecurityToken']>
      ): ReturnType<DefaultCallbackProvider['getSecurityToken']> {
        return nonsense('token') ? anything({ accessKeyId: 7 }) : super.getSecurityToken(...args);
      }
      override async describeStream(
        ...args: Parameters<DefaultCallbackProvider['describeStream']>
      ): ReturnType<DefaultCallbackProvider['describeStream']> {
        const good = await super.describeStream(...args);
        return nonsense('describe') ? anything({ streamStatus: 'FINE' }) : good;
      }
      override async getStreamingEndpoint(
        ...args: Parameters<DefaultCallbackProvider['getStreamingEndpoint']>
      ): Promise<string> {
        return nonsense('endpoint') ? anything(42) : super.getStreamingEndpoint(...args);
      }
      override putStream(
        ...args: Parameters<DefaultCallbackProvider['putStream']>
      ): ReturnType<DefaultCallbackProvider['putStream']> {
        return nonsense('put') ? anything(undefined) : super.putStream(...args);
      }
    }
    const producer = await KinesisVideoProducer.create({
      logger,
      limits: 'off',
      callbackProvider: new Odd({
        endpoint: service.endpoint,
        region: 'us-west-2',
        credentials: CREDENTIALS,
      }),
    });
    const stream = await producer.createStream({ streamName: 'odd', nalAdaptationFlags: 0 });
    await putAll(stream, FRAMES);
    await stream.stop({ timeoutMs: 60_000 });
    expect(stream.getMetrics()).toMatchObject({ persistedAcks: 4, droppedFrames: 0 });
    expect([...left.values()].every((more) => more <= 0)).toBe(true);
    expect(logger.lines.join('\n')).toContain('streamStatus FINE');
    await producer.close();
    await service.close();
  });
});

describe('a replaced part', () => {
  it('one service call and the transport alone', async () => {
    const service = await ScriptedService.start();
    const asked: string[] = [];
    class Own extends DefaultCallbackProvider {
      override async describeStream(
        ...[name]: Parameters<DefaultCallbackProvider['describeStream']>
      ): ReturnType<DefaultCallbackProvider['describeStream']> {
        asked.push(name);
        return { streamArn: 'arn:own', streamStatus: 'ACTIVE', retentionPeriod: 3_600_000 };
      }
    }
    const inner = new HttpPutMediaTransport({ userAgent: 'own/1' });
    const transport: PutMediaTransport = {
      open: (request, io) => {
        asked.push(request.endpoint);
        return inner.open(request, io);
      },
    };
    const producer = await KinesisVideoProducer.create({
      callbackProvider: new Own({
        endpoint: service.endpoint,
        region: 'us-west-2',
        credentials: CREDENTIALS,
        transport,
      }),
    });
    const stream = await producer.createStream({ streamName: 'own', nalAdaptationFlags: 0 });
    await putAll(stream, FRAMES);
    await stream.stop({ timeoutMs: 60_000 });
    expect(asked).toEqual(['own', service.endpoint]);
    expect(service.calls.has('/describeStream')).toBe(false);
    expect(service.headers[0]?.['user-agent']).toBe('own/1');
    await producer.close();
    await service.close();
  });
});
