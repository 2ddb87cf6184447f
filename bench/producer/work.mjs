// One measurement in a process of its own, so that its figures are its own:
//   node bench/producer/work.mjs MODE ENDPOINT AMOUNT [SIZE]     prints one JSON object
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { KinesisVideoProducer } from '../../dist/index.js';
import { loadBinding } from '../../dist/native/index.js';

const [, , mode, endpoint, amount, size = '20972'] = process.argv;
const START = 1_700_000_000_000;
const FRAME = new Uint8Array(20_972).fill(0x55); // 25 a second are 4 Mbit/s
const FPS = 25;
const SESSION_MS = 1000;

async function create(storageSize) {
  return KinesisVideoProducer.create({
    endpoint,
    region: 'us-west-2',
    credentials: { accessKeyId: 'AKIDBENCH', secretAccessKey: 'secret' },
    limits: 'off',
    deviceInfo: { streamCount: 128, storageInfo: { storageSize } },
  });
}

function frame(i, frameData = FRAME) {
  const flags = i % (2 * FPS) === 0 ? 1 : 0;
  return { frameData, flags, presentationTs: START + i * (1000 / FPS) };
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function maxRssMB() {
  return process.resourceUsage().maxRSS / 1024;
}

/** As fast as acks allow; CPU time from the start of the process. */
async function bulk() {
  const producer = await create(16 * 1024 * 1024);
  const stream = await producer.createStream({ streamName: 'bulk', nalAdaptationFlags: 0 });
  const frames = Math.ceil(Number(amount) / FRAME.length);
  const began = performance.now();
  for (let i = 0; i < frames; i += 1) {
    if (!stream.putFrame(frame(i))) await once(stream, 'drain');
  }
  await stream.stop();
  const seconds = (performance.now() - began) / 1000;
  await producer.close();
  const bytes = frames * FRAME.length;
  return { bytes, seconds, cpuSeconds: cpuSeconds(), rssMB: maxRssMB() };
}

/** `count` streams of 25 fps for `seconds`. */
async function realtime(count, seconds) {
  const producer = await create(256 * 1024 * 1024);
  const streams = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      producer.createStream({ streamName: `live-${n}`, nalAdaptationFlags: 0 }),
    ),
  );
  await sleep(2000); // connections and compiled code are not what is measured
  // Its own timer costs something: one stream alone is measured without it.
  const delay = monitorEventLoopDelay({ resolution: 5 });
  if (count > 1) delay.enable();
  const cpu = cpuSeconds();
  const began = performance.now();
  await feed(streams, began, seconds * FPS);
  const used = cpuSeconds() - cpu;
  delay.disable();
  const wall = (performance.now() - began) / 1000;
  const result = {
    cpuPercentPerStream: (used / wall / count) * 100,
    rssMB: process.memoryUsage().rss / 2 ** 20,
    eventLoopP99Ms: delay.percentile(99) / 1e6 - 5,
  };
  await producer.close();
  return result;
}

/** Puts frames when they are due. Cameras are not in step: each has its part of the frame time. */
async function feed(streams, began, frames) {
  const total = frames * streams.length;
  const step = 1000 / FPS / streams.length;
  let at = 0;
  await new Promise((done) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor((performance.now() - began) / step));
      for (; at < due; at += 1) {
        streams[at % streams.length].putFrame(frame(Math.floor(at / streams.length)));
      }
      if (at < total) return;
      clearInterval(timer);
      done();
    }, step);
  });
}

/** What putFrame costs above the native call, on frames of 10 KB; offline, the oldest are dropped. */
async function put() {
  const data = new Uint8Array(10_000).fill(0x55);
  const producer = await create(64 * 1024 * 1024);
  const stream = await producer.createStream({ streamName: 'put', nalAdaptationFlags: 0 });
  const { NativeClient } = loadBinding();
  const native = nativeStream(new NativeClient(nativeDevice(), performance.now(), Date.now()));
  const whole = best((i) => stream.putFrame(frame(i, data)));
  const core = best((i) => {
    const one = frame(i, data);
    native.put(data, one.flags, 1, NaN, one.presentationTs, 0, 1000 + i, START + i);
  });
  await producer.close({ timeoutMs: 0 }).catch(() => undefined);
  return { putFrameUs: whole - core, wholeUs: whole, coreUs: core };
}

function best(call) {
  const rounds = [];
  let i = 0;
  for (let round = 0; round < 30; round += 1) {
    const began = performance.now();
    for (const end = i + 1000; i < end; i += 1) call(i);
    rounds.push(performance.now() - began); // of 1,000: microseconds of one
  }
  return Math.min(...rounds.slice(10));
}

function nativeDevice() {
  const base = { name: '', clientId: '', streamCount: 1, tagCount: 0, seed0: 1, seed1: 2 };
  return { ...base, storageSize: 64 * 1024 * 1024 };
}

function nativeStream(client) {
  const track = {
    ...{ trackId: 1, trackType: 1, codecId: 'V_MPEG4/ISO/AVC', trackName: 'video' },
    ...{ codecPrivateData: undefined, pixelWidth: 0, pixelHeight: 0 },
    ...{ samplingFrequency: 0, channels: 0, bitDepth: 0 },
  };
  const info = {
    ...{ name: 'put', contentType: 'video/h264', kmsKeyId: '', tagCount: 0, retention: 3_600_000 },
    ...{ streamingType: 0, overflowPolicy: 0, nalAdaptationFlags: 0, frameRate: 25 },
    ...{ avgBandwidthBps: 4_194_304, maxLatency: 0, fragmentDuration: 2000 },
    ...{ minFragmentDuration: 1000, maxFragmentDuration: 10_000, timecodeScale: 1 },
    ...{ bufferDuration: 120_000, replayDuration: 40_000, connectionStaleness: 30_000 },
    ...{ sessionDuration: 2_400_000, idleDuration: 20_000, keyFrameFragmentation: true },
    ...{ frameTimecodes: true, absoluteFragmentTimes: true, fragmentAcks: true },
    ...{ restartOnError: true, recalculateMetrics: true, allowStreamCreation: true },
    tracks: [track],
  };
  return client.createStream(info, performance.now(), START);
}

/** What the process holds when nothing is under way. */
function settled(producer) {
  global.gc?.();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const { contentStoreAllocatedSize: arena } = producer.getMetrics();
  return { rss, heapUsed, arrayBuffers, arena };
}

function growth(before, after) {
  return Object.fromEntries(Object.keys(after).map((key) => [key, after[key] - before[key]]));
}

/** Creates, fills and stops streams; bytes that each leaves behind. */
async function leak() {
  const cycles = Number(amount);
  const producer = await create(32 * 1024 * 1024);
  const made = [];
  const cycle = async (n) => {
    const streamName = `c-${n % 100}`;
    const stream = await producer.createStream({ streamName, nalAdaptationFlags: 0 });
    for (let i = 0; i < 5; i += 1) stream.putFrame(frame(i));
    stream.end();
    await once(stream, 'close');
    made.push(new WeakRef(stream));
  };
  // Compiled code and the allocator's own pools grow at first.
  const warm = Math.max(100, Math.ceil(cycles / 2));
  for (let n = 0; n < warm; n += 1) await cycle(n);
  made.length = 0;
  const before = settled(producer);
  for (let n = 0; n < cycles; n += 1) await cycle(n);
  await sleep(10); // weak references are kept until the turn's end
  const more = growth(before, settled(producer));
  await producer.close();
  const alive = made.filter((stream) => stream.deref() !== undefined).length;
  return { bytesPerCycle: more.rss / cycles, alive, ...more };
}

/** Minutes of 25 frames a second as fast as they go, a session a second; what grew after a quarter. */
async function hour() {
  const data = new Uint8Array(Number(size)).fill(0x55);
  const producer = await create(32 * 1024 * 1024);
  const stream = await producer.createStream({
    streamName: 'hour',
    nalAdaptationFlags: 0,
    sessionDuration: SESSION_MS,
  });
  const frames = Number(amount) * 60 * FPS;
  const quarter = Math.floor(frames / 4);
  const began = performance.now();
  let before;
  for (let i = 0; i < frames; i += 1) {
    if (!stream.putFrame(frame(i, data))) await once(stream, 'drain');
    if (i === 0 || i % quarter !== 0) continue;
    await idle(stream);
    before ??= settled(producer);
    // Each quarter has a session at least, however fast the machine is.
    await sleep(Math.max(0, began + (i / quarter) * SESSION_MS - performance.now()));
  }
  await idle(stream);
  const more = growth(before, settled(producer));
  const { totalSessions: sessions, persistedAcks, droppedFrames } = stream.getMetrics();
  await producer.close();
  return { frames, sessions, persistedAcks, droppedFrames, ...more };
}

/** Waits until all but the open fragment is acknowledged. */
async function idle(stream) {
  while (stream.getMetrics().bufferedFragments > 1) await once(stream, 'fragmentAckReceived');
}

const MODES = {
  bulk,
  hour,
  leak,
  put,
  one: () => realtime(1, Number(amount)),
  many: () => realtime(64, Number(amount)),
};
console.log(JSON.stringify(await MODES[mode]()));
process.exit(0);
