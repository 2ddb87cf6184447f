import { describe, expect, it } from 'vitest';
import { STATUS } from '../../lib/generated/status.js';
import {
  loadBinding,
  packedStatus,
  takenOutcome,
  TAKE_ABORTED,
  type NativeStream,
} from '../../lib/native/index.js';
import { deviceInfo, openSession, streamInfo, trackInfo } from './child/drive.cjs';
import { thrownBy } from './support.js';

const BYTES = new Uint8Array(100);
const NOW = [5000, 1.7e12] as const;
const GONE = STATUS.STATUS_INVALID_OPERATION;

/** Every method of a stream that is gone. */
function expectGone(stream: NativeStream, id: number): void {
  expect(stream.id).toBe(id);
  const packed = [
    stream.put(BYTES, 1, 1, NaN, 1.7e12, 40, ...NOW),
    stream.parseAck(1, BYTES, ...NOW),
    stream.answer(1, 200, 1, 0, Infinity, ...NOW),
    stream.sessionEnded(1, 200, ...NOW),
    stream.putMetadata('name', 'value', true, ...NOW),
    stream.putEvent(1, '', [], [], ...NOW),
    stream.formatChanged(1, BYTES, ...NOW),
    stream.stop(...NOW),
    stream.reset(...NOW),
    stream.resetConnection(true, ...NOW),
  ];
  expect(packed.map(packedStatus)).toEqual(packed.map(() => GONE));
  expect(takenOutcome(stream.take(1, new Uint8Array(10), ...NOW))).toBe(TAKE_ABORTED);
  expect(thrownBy(() => stream.metrics(...NOW))).toMatchObject({ code: GONE });
  expect(stream.lastRefusal()).toMatchObject({ status: GONE });
  stream.free();
}

describe('after the end', () => {
  const { NativeClient } = loadBinding();

  it('a closed client answers, and so do its streams', () => {
    const { client, stream } = openSession(NativeClient);
    client.close();
    expectGone(stream, 1);
    expect(packedStatus(client.step(...NOW))).toBe(GONE);
    expect(packedStatus(client.answer(1, 200, Infinity, ...NOW))).toBe(GONE);
    expect(client.check()).toBe(GONE);
    expect(client.events()).toEqual([]);
    expect(client.deadline()).toBe(Infinity);
    expect(thrownBy(() => client.metrics(...NOW))).toMatchObject({ code: GONE });
    expect(thrownBy(() => client.createStream(streamInfo(), ...NOW))).toMatchObject({ code: GONE });
    client.close();
  });

  it('a freed stream answers, and its client and sisters live on', () => {
    const { client, stream, time } = openSession(NativeClient);
    const sister = client.createStream(streamInfo({ name: 'sister' }), time.mono, time.wall);
    stream.free();
    expectGone(stream, 1);
    expect(packedStatus(sister.put(BYTES, 1, 1, NaN, time.wall, 40, time.mono, time.wall))).toBe(0);
    expect(client.metrics(time.mono, time.wall).streams).toBe(1);
    expect(client.check()).toBe(0);
    const again = client.createStream(streamInfo(), time.mono, time.wall);
    expect(again.id).toBe(3);
    client.close();
    expectGone(again, 3);
    expectGone(sister, 2);
  });

  it('streams are freed in any order', () => {
    const { client, stream, time } = openSession(NativeClient);
    const streams = [stream];
    for (let i = 0; i < 9; i += 1) {
      streams.push(client.createStream(streamInfo({ name: `s${i}` }), time.mono, time.wall));
    }
    for (const at of [4, 0, 9, 5, 1]) streams[at]?.free();
    expect(client.metrics(time.mono, time.wall).streams).toBe(5);
    expect(client.check()).toBe(0);
    for (const one of streams) one.free();
    expect(client.metrics(time.mono, time.wall).streams).toBe(0);
    client.close();
  });
});

describe('re-entry: user code runs while arguments are read', () => {
  const { NativeClient } = loadBinding();

  it('a getter that closes the client', () => {
    const { client, stream } = openSession(NativeClient);
    const info = streamInfo({ name: 'late' });
    const trap = Object.defineProperty({ ...info }, 'idleDuration', {
      get: () => {
        client.close();
        return 0;
      },
    });
    expect(thrownBy(() => client.createStream(trap, ...NOW))).toMatchObject({ code: GONE });
    expectGone(stream, 1);
  });

  it('a getter that makes another stream, and one that frees it', () => {
    const { client, time } = openSession(NativeClient);
    const now = [time.mono, time.wall] as const;
    const trap = Object.defineProperty({ ...streamInfo({ name: 'outer' }) }, 'tracks', {
      get: () => {
        client.createStream(streamInfo({ name: 'inner' }), ...now);
        client.createStream(streamInfo({ name: 'inner2' }), ...now).free();
        return [trackInfo()];
      },
    });
    const outer = client.createStream(trap, ...now);
    expect(outer.id).toBe(4);
    expect(client.metrics(...now).streams).toBe(3);
    client.close();
  });

  it('a getter that takes the codec private data away after they were read', () => {
    const { client, time } = openSession(NativeClient);
    const codecPrivateData = new Uint8Array(64).fill(1);
    const first = trackInfo({ codecPrivateData });
    const second = Object.defineProperty(
      { ...trackInfo({ trackId: 2, trackType: 2 }) },
      'codecId',
      {
        get: () => {
          structuredClone(codecPrivateData, { transfer: [codecPrivateData.buffer] });
          return 'A_AAC';
        },
      },
    );
    const info = streamInfo({ name: 'two', tracks: [first, second] });
    expect(client.createStream(info, time.mono, time.wall).id).toBe(2);
    expect(client.check()).toBe(0);
    client.close();
  });

  const THROWN: readonly unknown[] = [null, undefined, 7, 'text', new Error('mine')];
  it.each(THROWN)('a getter that throws %s', (thrown) => {
    const { client, time } = openSession(NativeClient);
    const trap = (): never => {
      throw thrown;
    };
    const caught: unknown[] = [];
    const attempts = [
      () =>
        new NativeClient(Object.defineProperty({ ...deviceInfo() }, 'name', { get: trap }), 1, 1),
      () =>
        client.createStream(
          Object.defineProperty({ ...streamInfo({ name: 'x' }) }, 'retention', { get: trap }),
          time.mono,
          time.wall,
        ),
      () =>
        client.createStream(
          streamInfo({
            name: 'x',
            tracks: [Object.defineProperty({ ...trackInfo() }, 'channels', { get: trap })],
          }),
          time.mono,
          time.wall,
        ),
    ];
    for (const attempt of attempts) {
      try {
        attempt();
      } catch (error) {
        caught.push(error);
      }
    }
    expect(caught).toEqual([thrown, thrown, thrown]);
    expect(client.metrics(time.mono, time.wall).streams).toBe(1);
    client.close();
  });
});
