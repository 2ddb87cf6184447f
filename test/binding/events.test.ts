import { describe, expect, it } from 'vitest';
import { loadBinding } from '../../lib/native/index.js';
import {
  answerCalls,
  deviceInfo,
  openSession,
  putFrames,
  streamInfo,
  Time,
  WALL,
} from './child/drive.cjs';

const A_NUMBER: unknown = expect.any(Number);

describe('events', () => {
  const { NativeClient } = loadBinding();

  it('come in the order in which they happened, from calls to streaming', () => {
    const time = new Time();
    const client = new NativeClient(deviceInfo(), time.mono, time.wall);
    const stream = client.createStream(streamInfo(), time.mono, time.wall);
    putFrames(stream, time, 1);
    const events = answerCalls(client, stream, time);
    expect(
      events.map((event) => event.type).filter((type) => type !== 'streamStateChanged'),
    ).toEqual([
      'getSecurityToken',
      'codecPrivateMissingReport', // the frame has no parameter sets
      'createDevice',
      'clientReady',
      'describeStream',
      'getStreamingEndpoint',
      'getStreamingToken',
      'streamReady',
      'putStream',
    ]);
    expect(events.map((event) => event.stream)).toEqual(
      events.map((event) =>
        ['getSecurityToken', 'createDevice', 'clientReady'].includes(event.type) ? 0 : stream.id,
      ),
    );
    client.close();
  });

  it('have their fields in JavaScript units: milliseconds, booleans, numbers, texts', () => {
    const time = new Time();
    const client = new NativeClient(deviceInfo(), time.mono, time.wall);
    expect(client.events()).toEqual([
      { type: 'getSecurityToken', stream: 0, call: 1, timeout: A_NUMBER },
    ]);
    time.advance(12.5);
    client.answer(1, 200, Infinity, time.mono, time.wall);
    client.answer(2, 200, Infinity, time.mono, time.wall);
    expect(client.events()[1]).toEqual({ type: 'clientReady', stream: 0, uptime: 12.5 });

    const stream = client.createStream(streamInfo(), time.mono, time.wall);
    putFrames(stream, time, 1);
    const put = answerCalls(client, stream, time).find((event) => event.type === 'putStream');
    expect(put).toEqual({
      type: 'putStream',
      stream: stream.id,
      call: A_NUMBER,
      timeout: A_NUMBER,
      session: 1,
      start: WALL + 13, // 12.5, rounded to the timecodeScale of 1 ms
      absolute: true,
      acks: true,
    });
    client.close();
  });

  it('give the fragment number as it was sent', () => {
    const { client, stream, time, session } = openSession(NativeClient);
    stream.take(session, new Uint8Array(65536), time.mono, time.wall);
    const number = '91343852333181432392682062607';
    const ack = { EventType: 'RECEIVED', FragmentTimecode: WALL, FragmentNumber: number };
    stream.parseAck(session, Buffer.from(JSON.stringify(ack)), time.mono, time.wall);
    expect(client.events()).toContainEqual({
      type: 'fragmentAckReceived',
      stream: stream.id,
      session,
      ackType: 2,
      timecode: WALL,
      error: 0,
      status: 0,
      matched: true,
      text: number,
    });
    client.close();
  });

  it('are plain objects that nobody can listen in on', () => {
    const trap = Object.getOwnPropertyDescriptor(Object.prototype, 'type');
    const heard: unknown[] = [];
    Object.defineProperty(Object.prototype, 'type', {
      configurable: true,
      set: (value: unknown) => heard.push(value),
    });
    try {
      const client = new NativeClient(deviceInfo(), 1, 1);
      const [event] = client.events();
      expect(Object.getOwnPropertyDescriptor(event, 'type')).toEqual({
        value: 'getSecurityToken',
        writable: true,
        enumerable: true,
        configurable: true,
      });
      expect(heard).toEqual([]);
      client.close();
    } finally {
      Reflect.deleteProperty(Object.prototype, 'type');
    }
    expect(trap).toBeUndefined();
  });

  it('thousands between two looks are all there', () => {
    const open = openSession(NativeClient, {}, { nalAdaptationFlags: 0 });
    const { client, stream, time, session } = open;
    stream.take(session, new Uint8Array(65536), time.mono, time.wall);
    const count = 5000;
    for (let i = 0; i < count; i += 1) {
      const ack = { EventType: 'BUFFERING', FragmentTimecode: i, FragmentNumber: `${i}` };
      stream.parseAck(session, Buffer.from(JSON.stringify(ack)), time.mono, time.wall);
    }
    const acks = client.events().filter((event) => event.type === 'fragmentAckReceived');
    expect(acks.map((ack) => ack.text)).toEqual(Array.from({ length: count }, (_, i) => `${i}`));
    expect(client.events()).toEqual([]);
    client.close();
  });

  it('two clients with one seed make the same random numbers, with others not', () => {
    const header = (seed1: number): string => {
      const { client, stream, time, session } = openSession(NativeClient, { seed1 });
      const bytes = Buffer.alloc(500);
      stream.take(session, bytes, time.mono, time.wall);
      client.close();
      return bytes.toString('hex'); // holds the segment's UID
    };
    expect(header(1)).toBe(header(1));
    expect(header(1)).not.toBe(header(2));
  });
});
