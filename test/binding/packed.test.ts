import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { STATUS } from '../../lib/generated/status.js';
import {
  loadBinding,
  packedDeadline,
  packedEvents,
  packedStatus,
  takenBytes,
  takenOutcome,
  TAKE_ABORTED,
  TAKE_AWAITING_ACK,
  TAKE_DATA,
  TAKE_END,
  TAKE_NO_MORE_DATA,
} from '../../lib/native/index.js';
import {
  answerCalls,
  deviceInfo,
  openSession,
  putFrames,
  streamInfo,
  Time,
} from './child/drive.cjs';

describe('packed numbers', () => {
  it('hold the largest status and the largest number of bytes', () => {
    const largest = (2 ** 32 - 1) * 4 + 3;
    expect(packedStatus(largest)).toBe(2 ** 32 - 1);
    expect([packedEvents(largest), packedDeadline(largest)]).toEqual([true, true]);
    expect([packedEvents(largest - 3), packedDeadline(largest - 3)]).toEqual([false, false]);
    const taken = (2 ** 32 - 1) * 32 + TAKE_ABORTED * 4 + 2;
    expect([takenBytes(taken), takenOutcome(taken)]).toEqual([2 ** 32 - 1, TAKE_ABORTED]);
    expect([packedEvents(taken), packedDeadline(taken)]).toEqual([false, true]);
  });
});

describe('flags', () => {
  const { NativeClient } = loadBinding();

  it('events are flagged until they are asked for', () => {
    const time = new Time();
    const client = new NativeClient(deviceInfo(), time.mono, time.wall);
    expect(packedEvents(client.step(time.mono, time.wall))).toBe(true);
    expect(packedEvents(client.step(time.mono, time.wall))).toBe(true);
    expect(client.events()).toHaveLength(1);
    expect(packedEvents(client.step(time.mono, time.wall))).toBe(false);
    expect(client.events()).toEqual([]);
    client.close();
  });

  it('a deadline is flagged until it is asked for, and again when it comes nearer', () => {
    const time = new Time();
    const client = new NativeClient(deviceInfo(), time.mono, time.wall);
    const stream = client.createStream(streamInfo(), time.mono, time.wall);
    const put = (): number => putFrames(stream, time, 1)[0] ?? NaN;
    expect(packedDeadline(put())).toBe(true);
    expect(client.deadline()).toBeGreaterThan(time.mono);
    expect(packedDeadline(put())).toBe(false);
    // A failed call is tried again much sooner than it would have timed out.
    const call = client.events().flatMap((event) => ('call' in event ? [event.call] : []))[0] ?? 0;
    const before = client.deadline();
    expect(packedDeadline(client.answer(call, 500, Infinity, time.mono, time.wall))).toBe(true);
    expect(packedDeadline(put())).toBe(true);
    expect(client.deadline()).toBeLessThan(before);
    expect(packedDeadline(put())).toBe(false);
    client.close();
  });

  it('step always flags a deadline, since the timer has been used up', () => {
    const time = new Time();
    const client = new NativeClient(deviceInfo(), time.mono, time.wall);
    const deadline = client.deadline();
    expect(packedDeadline(client.step(time.mono, time.wall))).toBe(true);
    expect(client.deadline()).toBe(deadline);
    expect(packedDeadline(client.step(time.mono, time.wall))).toBe(true);
    client.close();
  });
});

describe('outcomes of take', () => {
  const { NativeClient } = loadBinding();
  let open: ReturnType<typeof openSession>;
  const into = new Uint8Array(64 * 1024);

  beforeEach(() => {
    open = openSession(NativeClient);
  });
  afterEach(() => {
    open.client.close();
  });

  const take = (session = open.session): number =>
    open.stream.take(session, into, open.time.mono, open.time.wall);

  it('data, no more data, awaiting the ack, the end, aborted', () => {
    const { client, stream, time, session } = open;
    const first = take();
    expect(takenOutcome(first)).toBe(TAKE_DATA);
    expect(takenBytes(first)).toBeGreaterThan(1000);
    expect([takenOutcome(take()), takenBytes(take())]).toEqual([TAKE_NO_MORE_DATA, 0]);

    expect(packedStatus(stream.stop(time.mono, time.wall))).toBe(0);
    expect(takenOutcome(take())).toBe(TAKE_DATA); // END_OF_FRAGMENT
    expect(takenOutcome(take())).toBe(TAKE_AWAITING_ACK);

    const ack = `{"EventType":"PERSISTED","FragmentTimecode":${time.wall - 40},"FragmentNumber":"1"}`;
    const parsed = stream.parseAck(session, Buffer.from(ack), time.mono, time.wall);
    expect([packedStatus(parsed), packedEvents(parsed)]).toEqual([0, true]);
    expect(takenOutcome(take())).toBe(TAKE_END);
    expect(packedStatus(stream.sessionEnded(session, 200, time.mono, time.wall))).toBe(0);
    expect(takenOutcome(take())).toBe(TAKE_ABORTED);
    expect(client.events().map((event) => event.type)).toContain('streamClosed');
  });

  it('another session is aborted', () => {
    expect(takenOutcome(take(open.session + 1))).toBe(TAKE_ABORTED);
    expect(takenOutcome(take(0))).toBe(TAKE_ABORTED);
    expect(takenOutcome(take())).toBe(TAKE_DATA);
  });

  it('the flags stand beside the outcome', () => {
    const { client, stream, time } = open;
    answerCalls(client, stream, time);
    client.deadline();
    expect(packedEvents(take())).toBe(false);
    client.createStream(streamInfo({ name: 'second' }), time.mono, time.wall);
    expect(packedEvents(take())).toBe(true);
    expect(packedStatus(stream.stop(time.mono, time.wall))).toBe(0);
  });
});

describe('statuses', () => {
  it('come through whole', () => {
    const { client, stream, time } = openSession(loadBinding().NativeClient);
    expect(packedStatus(stream.answer(999, 200, 1, 0, Infinity, time.mono, time.wall))).toBe(
      STATUS.STATUS_INVALID_OPERATION,
    );
    expect(packedStatus(stream.putMetadata('', 'x', false, time.mono, time.wall))).toBe(
      STATUS.STATUS_MKV_INVALID_TAG_NAME_LENGTH,
    );
    expect(packedStatus(stream.putMetadata('AWS_x', 'x', false, time.mono, time.wall))).toBe(
      STATUS.STATUS_INVALID_METADATA_NAME,
    );
    const putEvent = (events: number, names: string[], values = names): number =>
      packedStatus(stream.putEvent(events, 'images/', names, values, time.mono, time.wall));
    expect(putEvent(4, [])).toBe(STATUS.STATUS_INVALID_ARG);
    expect(putEvent(1, [''])).toBe(STATUS.STATUS_INVALID_IMAGE_METADATA_KEY_LENGTH);
    const eleven = Array.from({ length: 11 }, (_, i) => `name${i}`);
    expect(putEvent(1, eleven)).toBe(STATUS.STATUS_MAX_FRAGMENT_METADATA_COUNT);
    expect(() => putEvent(1, ['name'], [])).toThrow('values must be as many as names');
    expect(putEvent(1, eleven.slice(1))).toBe(0);
    expect(putEvent(1, [])).toBe(STATUS.STATUS_DUPLICATE_STREAM_EVENT_TYPE);
    expect(packedStatus(stream.stop(time.mono, time.wall))).toBe(0);
    expect(packedStatus(stream.stop(time.mono, time.wall))).toBe(
      STATUS.STATUS_STREAM_HAS_BEEN_STOPPED,
    );
    client.close();
  });
});
