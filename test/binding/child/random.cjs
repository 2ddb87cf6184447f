'use strict';
// Calls everything in any order with arguments good and bad, and looks at the arena all the while.
//   node --expose-gc random.cjs ADDON SEED OPERATIONS
const { setImmediate: turn } = require('node:timers/promises');
const { Time, deviceInfo, streamInfo, trackInfo } = require('./drive.cjs');

const [addon, seed, operations] = process.argv.slice(2);
const { NativeClient } = require(addon);

/** mulberry32: a seed repeats a run. */
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const random = generator(Number(seed));
const below = (limit) => Math.floor(random() * limit);
const pick = (list) => list[below(list.length)];
const chance = (share) => random() < share;

const time = new Time();
const clients = []; // { client, streams, calls, sessions, stamps }: the last two by stream id
const count = {};
const reached = { bytes: 0, sessions: 0, matchedAcks: 0, drops: 0, closed: 0 };

const FAILURES = [400, 401, 403, 404, 429, 500, 503, 599, 10003, 4500, 7];
const result = () => (chance(0.1) ? pick(FAILURES) : 200);
const SIZES = [0, 1, 3, 100, 1000, 5000, 20_000, 20_000, 200_000];
const HUGE = new Uint8Array(12 * 1024 * 1024);

function bytes() {
  const size = chance(0.002) ? HUGE.length : pick(SIZES);
  const data = HUGE.subarray(0, size);
  for (let i = 0; i < Math.min(size, 40); i += 1) data[i] = pick([0, 0, 0, 1, 3, 0x65, 0x67, 0xff]);
  return data;
}

function stamp() {
  if (chance(0.01)) return time.wall + (random() - 0.5) * 1e7;
  if (chance(0.002)) return pick([0, 2 ** 43, 1e-4, 2 ** 39]);
  return time.wall + (chance(0.2) ? (random() - 0.5) * 2000 : 0);
}

function ack(entry, stream) {
  const kind = pick(['BUFFERING', 'RECEIVED', 'PERSISTED', 'PERSISTED', 'ERROR', 'IDLE', 'WHAT']);
  const json = JSON.stringify({
    EventType: kind,
    FragmentTimecode: Math.floor(pick(entry.stamps.get(stream.id) ?? [time.wall])),
    FragmentNumber: `${below(1e9)}`,
    ...(kind === 'ERROR' ? { ErrorId: pick([4000, 4003, 4500, 5000]), ErrorCode: 'X' } : {}),
  });
  if (chance(0.1)) return Buffer.from(json).subarray(below(json.length));
  return Buffer.from(chance(0.05) ? bytes().subarray(0, 300) : json);
}

function drain(entry) {
  for (const event of entry.client.events()) {
    if (typeof event.type !== 'string') throw new Error('an event without a type');
    if ('call' in event) entry.calls.push(event);
    if (event.type === 'putStream') {
      entry.sessions.set(event.stream, event.session);
      entry.stamps.set(event.stream, [event.start]);
      reached.sessions += 1;
    }
    if (event.type === 'fragmentAckReceived' && event.matched) reached.matchedAcks += 1;
    if (event.type === 'droppedFragmentReport') reached.drops += 1;
    if (event.type === 'streamClosed') reached.closed += 1;
  }
}

const now = () => [time.mono, time.wall];
const session = (entry, stream) =>
  chance(0.02) ? below(100) : (entry.sessions.get(stream.id) ?? 0);

const CLIENT = {
  events: drain,
  step(entry) {
    time.advance(pick([0, 1, 40, 1000, chance(0.1) ? 15_000 : 10]));
    entry.client.step(...now());
  },
  deadline: (entry) => entry.client.deadline(),
  answer(entry) {
    drain(entry);
    const call = entry.calls.splice(below(entry.calls.length), 1)[0];
    if (call === undefined) return;
    const expiration = chance(0.1) ? pick([time.wall + 40_000, time.wall, 0]) : Infinity;
    if (call.stream === 0) return entry.client.answer(call.call, result(), expiration, ...now());
    const stream = entry.streams.find((one) => one.id === call.stream);
    const retention = pick([0, 3_600_000, 3_600_000]);
    const status = chance(0.05) ? below(4) : 1;
    stream?.answer(call.call, result(), status, retention, expiration, ...now());
  },
  metrics: (entry) => entry.client.metrics(...now()),
  createStream(entry) {
    const tracks = chance(0.3)
      ? [trackInfo(), trackInfo({ trackId: 2, trackType: 2 })]
      : [trackInfo()];
    const info = streamInfo({
      name: `s${below(12)}`,
      nalAdaptationFlags: pick([0, 0, 8, 16, 40]),
      overflowPolicy: below(2),
      fragmentAcks: chance(0.9),
      restartOnError: chance(0.9),
      keyFrameFragmentation: chance(0.9),
      frameTimecodes: chance(0.9),
      absoluteFragmentTimes: chance(0.7),
      minFragmentDuration: pick([0, 1000]),
      bufferDuration: pick([20_000, 120_000]),
      idleDuration: pick([0, 5000]),
      retention: pick([0, 3_600_000]),
      tracks,
    });
    entry.streams.push(entry.client.createStream(info, ...now()));
  },
  forget(entry) {
    if (chance(0.1)) entry.streams.splice(below(entry.streams.length), 1);
    if (chance(0.1)) globalThis.gc();
  },
  close(entry) {
    if (!chance(0.01)) return;
    entry.left = 50 + below(100); // calls that it still gets, closed or not
    if (chance(0.7)) entry.client.close();
  },
};

const STREAM = {
  put(entry, stream) {
    const at = stamp();
    const flags = chance(0.1) ? pick([2, 4, 8, 9, 128]) : below(2);
    const dts = chance(0.7) ? NaN : Math.max(0, at - below(100));
    const packed = stream.put(
      bytes(),
      flags,
      pick([1, 1, 1, 1, 2, 9]),
      dts,
      Math.max(0, at),
      40,
      ...now(),
    );
    const stamps = entry.stamps.get(stream.id);
    if (packed < 4 && flags === 1 && stamps !== undefined) stamps.push(at);
    if (stamps !== undefined && stamps.length > 8) stamps.shift();
    time.advance(pick([0, 10, 40]));
  },
  take(entry, stream) {
    const taken = stream.take(session(entry, stream), HUGE.subarray(0, pick(SIZES)), ...now());
    reached.bytes += Math.floor(taken / 32);
    const ended = ((taken >> 2) & 7) === 3;
    if (ended && chance(0.9)) stream.sessionEnded(session(entry, stream), 200, ...now());
  },
  parseAck: (entry, stream) =>
    stream.parseAck(session(entry, stream), ack(entry, stream), ...now()),
  sessionEnded(entry, stream) {
    if (chance(0.03)) stream.sessionEnded(session(entry, stream), result(), ...now());
  },
  putMetadata: (entry, stream) =>
    stream.putMetadata(
      pick(['', 'a', 'AWSx', 'ä'.repeat(80)]),
      'v'.repeat(below(300)),
      chance(0.3),
      ...now(),
    ),
  putEvent: (entry, stream) =>
    stream.putEvent(below(5), 'p'.repeat(below(300)), ['n'], ['v'.repeat(below(300))], ...now()),
  formatChanged: (entry, stream) => stream.formatChanged(pick([1, 2, 3]), bytes(), ...now()),
  stop: (entry, stream) => chance(0.01) && stream.stop(...now()),
  reset: (entry, stream) => chance(0.01) && stream.reset(...now()),
  resetConnection: (entry, stream) => chance(0.03) && stream.resetConnection(chance(0.5), ...now()),
  metrics: (entry, stream) => stream.metrics(...now()),
  lastRefusal: (entry, stream) => stream.lastRefusal(),
  free: (entry, stream) => chance(0.01) && stream.free(),
};

/** What is wanted most often stands there often. */
const STREAM_CALLS = [
  ...Object.keys(STREAM),
  ...Array(20).fill('put'),
  ...Array(20).fill('take'),
  ...Array(5).fill('parseAck'),
];
const CLIENT_CALLS = [...Object.keys(CLIENT), ...Array(10).fill('answer'), 'step'];

function attempt(name, action) {
  try {
    action();
    count[name] = (count[name] ?? 0) + 1;
  } catch (error) {
    const expected =
      typeof error.code === 'number' || /^ERR_(OUT_OF_RANGE|INVALID)/.test(error.code);
    if (!expected) throw error;
    count.thrown = (count.thrown ?? 0) + 1;
  }
}

function step() {
  if (clients.length === 0 || (clients.length < 3 && chance(0.001))) {
    const storageSize = pick([10, 12, 32]) * 1024 * 1024;
    const client = new NativeClient(deviceInfo({ storageSize, streamCount: 8 }), ...now());
    clients.push({ client, streams: [], calls: [], sessions: new Map(), stamps: new Map() });
  }
  const entry = pick(clients);
  if (entry.left !== undefined && (entry.left -= 1) === 0)
    clients.splice(clients.indexOf(entry), 1);
  if (entry.streams.length === 0 || chance(0.25)) {
    const name = entry.streams.length === 0 ? 'createStream' : pick(CLIENT_CALLS);
    attempt(name, () => CLIENT[name](entry));
    return;
  }
  const name = pick(STREAM_CALLS);
  attempt(name, () => STREAM[name](entry, pick(entry.streams)));
}

async function main() {
  for (let i = 0; i < Number(operations); i += 1) {
    step();
    if (i % 50 !== 0) continue;
    await turn(); // what was collected is freed now
    for (const { client } of clients) {
      const status = client.check();
      if (status !== 0 && status !== 0x0d) {
        throw new Error(`check: 0x${status.toString(16)} after ${i} operations, seed ${seed}`);
      }
    }
  }
  console.log(JSON.stringify({ count, reached }));
}

void main();
