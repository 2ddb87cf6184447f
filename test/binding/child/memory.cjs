'use strict';
// What is held and what is given back.
//   node --expose-gc memory.cjs ADDON takes|puts|collected|order|reserve
const { readFileSync } = require('node:fs');
const { setImmediate: turn } = require('node:timers/promises');
const { deviceInfo, openSession, putFrames, streamInfo, Time } = require('./drive.cjs');

const MIB = 1024 * 1024;
const [addon, mode] = process.argv.slice(2);
const { NativeClient } = require(addon);

const statm = (at) => Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[at]) * 4096;
const virtualSize = () => statm(0);
const residentSize = () => statm(1);

/** Finalizers run on a later turn of the event loop. */
async function collect() {
  for (let i = 0; i < 5; i += 1) {
    globalThis.gc();
    await turn();
  }
}

/** 2,000 takes: buffers made by them would stand in arrayBuffers and external. */
function takes() {
  const { stream, time, session } = openSession(NativeClient);
  const into = new Uint8Array(4096);
  putFrames(stream, time, 100, new Uint8Array(100_000));
  globalThis.gc();
  const before = process.memoryUsage();
  let bytes = 0;
  for (let i = 0; i < 2000; i += 1) {
    bytes += Math.floor(stream.take(session, into, time.mono, time.wall) / 32);
  }
  const after = process.memoryUsage();
  return {
    bytes,
    arrayBuffers: after.arrayBuffers - before.arrayBuffers,
    external: after.external - before.external,
  };
}

/** 100,000 puts: anything made for each would stand in the heap. */
function puts() {
  const { client, stream, time } = openSession(NativeClient);
  const data = new Uint8Array(200);
  const round = () => {
    for (let i = 0; i < 100_000; i += 1) {
      const flags = i % 25 === 0 ? 1 : 0;
      stream.put(data, flags, 1, NaN, time.wall, 40, time.mono, time.wall);
      time.advance(40);
      if (i % 1000 === 0) client.events();
    }
    globalThis.gc();
  };
  round();
  const before = process.memoryUsage();
  round();
  const after = process.memoryUsage();
  return {
    heapGrownKiB: Math.round((after.heapUsed - before.heapUsed) / 1024),
    external: after.external - before.external,
  };
}

/** Clients and streams that nobody closed, of 1 GiB each. */
async function collected() {
  const round = (keep) => {
    const time = new Time();
    const client = new NativeClient(deviceInfo({ storageSize: 1024 * MIB }), time.mono, time.wall);
    const stream = client.createStream(streamInfo(), time.mono, time.wall);
    putFrames(stream, time, 50);
    if (keep === 'stream') return stream;
    return keep === 'client' ? client : undefined;
  };
  round();
  await collect();
  const before = virtualSize();
  const grownMiB = () => Math.round((virtualSize() - before) / MIB);
  for (let i = 0; i < 5; i += 1) round();
  const held = grownMiB();
  await collect();
  const given = grownMiB();

  // A stream holds its client: it works on although nobody else knows the client.
  let stream = round('stream');
  await collect();
  const time = new Time();
  time.advance(60_000);
  const packed = putFrames(stream, time, 10);
  const withStream = grownMiB();
  stream = undefined;
  await collect();
  const withoutStream = grownMiB();

  // A client does not hold its streams.
  let client = round('client');
  await collect();
  const streams = client.metrics(time.mono, time.wall).streams;
  client = undefined;
  await collect();
  return {
    held: held > 4500,
    given: given < 900,
    statuses: [...new Set(packed.map((one) => Math.floor(one / 4)))],
    withStream: withStream > 900,
    withoutStream: withoutStream < 900,
    streams,
    atEnd: grownMiB() < 900,
  };
}

/** An arena costs address space, and memory only where something was written. */
function reserve() {
  const before = [virtualSize(), residentSize(), process.memoryUsage().external];
  const { client, stream, time } = openSession(NativeClient, { storageSize: 4096 * MIB });
  putFrames(stream, time, 100, new Uint8Array(10_000));
  const after = [virtualSize(), residentSize(), process.memoryUsage().external];
  client.close();
  return {
    reservedMiB: Math.round((after[0] - before[0]) / MIB),
    residentMiB: Math.round((after[1] - before[1]) / MIB),
    external: after[2] - before[2],
  };
}

const MODES = { takes, puts, collected, reserve };
void Promise.resolve(MODES[mode]()).then((result) => console.log(JSON.stringify(result)));
