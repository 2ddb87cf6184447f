// What the producer is compared with: a Node program without it, which sends the same frames to the
// same sink, chunked over TLS by Node's own https. It signs, buffers, retries and repeats nothing.
//   node bench/producer/bare.mjs MODE ENDPOINT AMOUNT     prints one JSON object
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , mode, endpoint, amount] = process.argv;
const START = 1_700_000_000_000;
const FRAME = new Uint8Array(20_972).fill(0x55); // as work.mjs has them
const FPS = 25;
const GOP = 2 * FPS;
const SEGMENT = Buffer.from('1853806701ffffffffffffff', 'hex');

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** A Cluster of unknown size and its time. */
function clusterHead(time) {
  const head = Buffer.from('1f43b67501ffffffffffffffe7880000000000000000', 'hex');
  head.writeBigUInt64BE(BigInt(time), 14);
  return head;
}

/** The head of a SimpleBlock of track 1. */
function blockHead(i) {
  const head = Buffer.from('a31000000081000000', 'hex');
  head.writeUInt32BE(0x10000000 + FRAME.length + 4, 1);
  head.writeUInt16BE((i % GOP) * (1000 / FPS), 6);
  if (i % GOP === 0) head[8] = 0x80;
  return head;
}

async function connect() {
  const agent = new Agent({ keepAlive: true });
  const post = request(`${endpoint}/putMedia`, { agent, method: 'POST' });
  post.on('response', (answer) => answer.resume());
  post.flushHeaders();
  const [socket] = await once(post, 'socket');
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  post.write(SEGMENT);
  return post;
}

/** Writes one frame as one chunk. Answers false when the socket has enough. */
function put(post, i) {
  post.cork();
  if (i % GOP === 0) post.write(clusterHead(START + i * (1000 / FPS)));
  post.write(blockHead(i));
  const more = post.write(FRAME);
  post.uncork();
  return more;
}

async function finish(post) {
  const closed = once(post, 'close');
  post.end();
  await closed;
}

/** As fast as the sink takes it; CPU time from the start of the process. */
async function bulk() {
  const post = await connect();
  const frames = Math.ceil(Number(amount) / FRAME.length);
  const began = performance.now();
  for (let i = 0; i < frames; i += 1) {
    if (!put(post, i)) await once(post, 'drain');
  }
  await finish(post);
  const seconds = (performance.now() - began) / 1000;
  return { bytes: frames * FRAME.length, seconds, cpuSeconds: cpuSeconds() };
}

/** 25 frames a second, each written when it is due. */
async function one() {
  const post = await connect();
  await sleep(2000); // as work.mjs: compiled code is not what is measured
  const frames = Number(amount) * FPS;
  const cpu = cpuSeconds();
  const began = performance.now();
  let i = 0;
  await new Promise((done) => {
    const timer = setInterval(() => {
      const due = Math.min(frames, Math.floor(((performance.now() - began) / 1000) * FPS));
      for (; i < due; i += 1) put(post, i);
      if (i < frames) return;
      clearInterval(timer);
      done();
    }, 1000 / FPS);
  });
  const used = cpuSeconds() - cpu;
  const wall = (performance.now() - began) / 1000;
  await finish(post);
  return { cpuPercentPerStream: (used / wall) * 100 };
}

const MODES = { bulk, one };
console.log(JSON.stringify(await MODES[mode]()));
process.exit(0);
