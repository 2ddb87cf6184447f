'use strict';
// Several environments in one process, each with clients of its own.
//   node workers.cjs ADDON parallel|leak
const { readFileSync } = require('node:fs');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { openSession, putFrames } = require('./drive.cjs');

const MIB = 1024 * 1024;

/** Streams of its own; the answer is what came out of them. */
function work(addon, letter, rounds, storageSize) {
  const { NativeClient } = require(addon);
  const open = openSession(NativeClient, { storageSize, seed1: letter }, { name: `s${letter}` });
  const into = Buffer.alloc(256 * 1024);
  let wrong = 0;
  for (let i = 0; i < rounds; i += 1) {
    putFrames(open.stream, open.time, 25, Buffer.alloc(2000, letter));
    const taken = open.stream.take(open.session, into, open.time.mono, open.time.wall);
    const bytes = into.subarray(0, Math.floor(taken / 32));
    // 2,000 bytes of its own letter stand in there, and never two of another's.
    if (!bytes.includes(Buffer.alloc(2000, letter))) wrong += 1;
    for (let other = 65; other < 75; other += 1) {
      if (other !== letter && bytes.includes(Buffer.alloc(100, other))) wrong += 1;
    }
  }
  if (open.client.check() !== 0) wrong += 1;
  return { wrong, frames: open.stream.metrics(open.time.mono, open.time.wall).totalFrames };
}

function run(data) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: data });
    let answer;
    worker.on('message', (message) => (answer = message));
    worker.on('error', reject);
    worker.on('exit', () => resolve(answer));
  });
}

/** Virtual memory of this process in bytes: arenas count in it, touched or not. */
function virtualSize() {
  return Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[0]) * 4096;
}

async function main([addon, mode]) {
  if (mode === 'parallel') {
    const letters = [65, 66, 67, 68];
    const others = letters.map((letter) => run([addon, letter, 40, 16 * MIB]));
    const own = work(addon, 74, 40, 16 * MIB);
    console.log(JSON.stringify([own, ...(await Promise.all(others))]));
    return;
  }
  const round = () => run([addon, 65, 1, 1024 * MIB]);
  await round();
  const before = virtualSize();
  for (let i = 0; i < 8; i += 1) await round();
  console.log(JSON.stringify({ grownMiB: Math.round((virtualSize() - before) / MIB) }));
}

if (isMainThread) void main(process.argv.slice(2));
else parentPort.postMessage(work(...workerData));
