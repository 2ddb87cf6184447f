import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { STATUS } from '../../lib/generated/status.js';
import {
  loadBinding,
  packedStatus,
  takenBytes,
  type NativeStream,
} from '../../lib/native/index.js';
import { openSession, streamInfo, trackInfo } from './child/drive.cjs';
import { thrownBy } from './support.js';

/** A view whose memory has gone to another place. */
function detached(): Uint8Array {
  const bytes = new Uint8Array(1000);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

describe('bytes', () => {
  const { NativeClient } = loadBinding();
  let open: ReturnType<typeof openSession>;

  beforeEach(() => {
    open = openSession(NativeClient);
  });
  afterEach(() => {
    expect(open.client.check()).toBe(0);
    open.client.close();
  });

  const put = (stream: NativeStream, data: Uint8Array): number =>
    packedStatus(stream.put(data, 1, 1, NaN, open.time.wall, 40, open.time.mono, open.time.wall));

  it('empty and detached frames are refused by the core', () => {
    expect(put(open.stream, new Uint8Array(0))).toBe(STATUS.STATUS_MKV_INVALID_FRAME_DATA);
    expect(put(open.stream, detached())).toBe(STATUS.STATUS_MKV_INVALID_FRAME_DATA);
  });

  it('empty and detached acks do nothing', () => {
    const { stream, session, time } = open;
    for (const bytes of [new Uint8Array(0), detached()]) {
      expect(packedStatus(stream.parseAck(session, bytes, time.mono, time.wall))).toBe(0);
    }
  });

  it('there is nothing to take into an empty or detached buffer', () => {
    const { stream, session, time } = open;
    for (const bytes of [new Uint8Array(0), detached()]) {
      expect(thrownBy(() => stream.take(session, bytes, time.mono, time.wall))).toMatchObject({
        name: 'RangeError',
        message: 'into must be at least 1 byte long',
      });
    }
  });

  it('codec private data may be empty, which means none, but not above 1 MiB', () => {
    const { stream, time } = open;
    const change = (bytes: Uint8Array): number =>
      packedStatus(stream.formatChanged(1, bytes, time.mono, time.wall));
    expect(change(detached())).toBe(0);
    expect(change(new Uint8Array(1024 * 1024 + 1))).toBe(
      STATUS.STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH,
    );
  });

  it('shared memory may be filled, but not read', () => {
    const { stream, session, time, client } = open;
    const shared = new Uint8Array(new SharedArrayBuffer(4096));
    const refused = /must be a Uint8Array that is not on a SharedArrayBuffer/;
    expect(() => put(stream, shared)).toThrow(refused);
    expect(() => stream.parseAck(session, shared, time.mono, time.wall)).toThrow(refused);
    expect(() => stream.formatChanged(1, shared, time.mono, time.wall)).toThrow(refused);
    const tracks = [trackInfo({ codecPrivateData: shared })];
    expect(() =>
      client.createStream(streamInfo({ name: 'shared', tracks }), time.mono, time.wall),
    ).toThrow(refused);
    const taken = takenBytes(stream.take(session, shared, time.mono, time.wall));
    expect(taken).toBeGreaterThan(0);
    expect([...shared.subarray(0, 4)]).toEqual([0x1a, 0x45, 0xdf, 0xa3]);
  });

  it('a view takes and gives its own part only', () => {
    const { stream, session, time } = open;
    const buffer = new Uint8Array(300).fill(0xee);
    const taken = takenBytes(stream.take(session, buffer.subarray(100, 200), time.mono, time.wall));
    expect(taken).toBe(100);
    expect(buffer.subarray(0, 100).every((byte) => byte === 0xee)).toBe(true);
    expect(buffer.subarray(200).every((byte) => byte === 0xee)).toBe(true);
    expect([...buffer.subarray(100, 104)]).toEqual([0x1a, 0x45, 0xdf, 0xa3]);
  });

  it('a frame is copied: changing it afterwards changes nothing', () => {
    const { stream, session, time } = open;
    const into = new Uint8Array(64 * 1024);
    stream.take(session, into, time.mono, time.wall);
    const frame = Buffer.from('a frame that nobody else has');
    time.advance(40);
    expect(put(stream, frame)).toBe(0);
    frame.fill(0);
    const taken = takenBytes(stream.take(session, into, time.mono, time.wall));
    expect(Buffer.from(into.subarray(0, taken)).toString('latin1')).toContain(
      'a frame that nobody else has',
    );
  });
});
