'use strict';
// What tests and their child processes share: complete arguments, and a service that answers every
// call of the core with "yes".

const WALL = Date.UTC(2024, 0, 1);

/** Two clocks that move only when told to. */
class Time {
  mono = 1000;
  wall = WALL;

  advance(ms) {
    this.mono += ms;
    this.wall += ms;
  }
}

function deviceInfo(overrides = {}) {
  return {
    name: 'device',
    clientId: 'test',
    streamCount: 16,
    storageSize: 16 * 1024 * 1024,
    tagCount: 0,
    seed0: 0x01234567,
    seed1: 0x89abcdef,
    ...overrides,
  };
}

function trackInfo(overrides = {}) {
  return {
    trackId: 1,
    trackType: 1,
    codecId: 'V_MPEG4/ISO/AVC',
    trackName: 'video',
    codecPrivateData: undefined,
    pixelWidth: 640,
    pixelHeight: 480,
    samplingFrequency: 0,
    channels: 0,
    bitDepth: 0,
    ...overrides,
  };
}

function streamInfo(overrides = {}) {
  return {
    name: 'stream',
    contentType: 'video/h264',
    kmsKeyId: '',
    tagCount: 0,
    retention: 3_600_000,
    streamingType: 0,
    overflowPolicy: 0,
    nalAdaptationFlags: 0,
    frameRate: 25,
    avgBandwidthBps: 4_000_000,
    maxLatency: 60_000,
    fragmentDuration: 2000,
    minFragmentDuration: 1000,
    maxFragmentDuration: 10_000,
    timecodeScale: 1,
    bufferDuration: 120_000,
    replayDuration: 40_000,
    connectionStaleness: 30_000,
    sessionDuration: 40 * 60_000,
    idleDuration: 0,
    keyFrameFragmentation: true,
    frameTimecodes: true,
    absoluteFragmentTimes: true,
    fragmentAcks: true,
    restartOnError: true,
    recalculateMetrics: true,
    allowStreamCreation: true,
    tracks: [trackInfo()],
    ...overrides,
  };
}

/** Answers all calls that wait, those that the answers cause too. Gives all events, in order. */
function answerCalls(client, stream, time) {
  const seen = [];
  for (let events = client.events(); events.length > 0; events = client.events()) {
    for (const event of events) {
      seen.push(event);
      if (event.call === undefined) continue;
      if (event.stream === 0) client.answer(event.call, 200, Infinity, time.mono, time.wall);
      else stream.answer(event.call, 200, 1, 3_600_000, Infinity, time.mono, time.wall);
    }
  }
  return seen;
}

/** Puts `count` frames 40 ms apart, a key frame each second. Gives the packed numbers. */
function putFrames(stream, time, count, data = new Uint8Array(1000).fill(1)) {
  const packed = [];
  for (let i = 0; i < count; i += 1) {
    const flags = i % 25 === 0 ? 1 : 0;
    packed.push(stream.put(data, flags, 1, NaN, time.wall, 40, time.mono, time.wall));
    time.advance(40);
  }
  return packed;
}

/** A client and a stream with an open session; `session` is its number. */
function openSession(NativeClient, device = {}, info = {}) {
  const time = new Time();
  const client = new NativeClient(deviceInfo(device), time.mono, time.wall);
  const stream = client.createStream(streamInfo(info), time.mono, time.wall);
  putFrames(stream, time, 1);
  const opened = answerCalls(client, stream, time).find((event) => event.type === 'putStream');
  return { client, stream, time, session: opened.session };
}

module.exports = {
  Time,
  WALL,
  answerCalls,
  deviceInfo,
  openSession,
  putFrames,
  streamInfo,
  trackInfo,
};
