// A load on the store, in a process of its own: node store-load.mjs LIB DIRECTORY ROUND|steps
// It says on its standard output what it did, a JSON line each: `…ing` before, the rest when the
// store has said so. Round 0 begins; each round goes on with what the one before left. A round ends
// by closing the store, or, odd ones, by `kill -9`. `steps` does one thing after the other, and says
// before each what it is.
import { createCipheriv, createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , lib, directory, roundText] = process.argv;
const round = roundText === 'steps' ? 1000 : Number(roundText);
const from = (path) => import(pathToFileURL(join(lib, path)).href);
const { openDiskStore } = await from('service/store/disk-store.js');
const { DataKey } = await from('service/media/seal.js');
const { openWriter } = await from('service/media/writer.js');

const SEGMENT_BYTES = 40_000;
const FRAGMENTS = 8;
const KEY = new DataKey(Buffer.alloc(32, 7));

/** Says something; numbers too large for JSON as text. */
function say(event, fields) {
  const text = (_, value) => (typeof value === 'bigint' ? String(value) : value);
  writeSync(1, `${JSON.stringify({ event, ...fields }, text)}\n`);
}

/** Bytes that only this part of this fragment has. */
function bytesOf(id, number, part, length) {
  const key = createHash('sha256').update(`${id} ${number} ${part}`).digest();
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(length));
}

function record(id, retentionHours) {
  const about = { name: `cam${id}`, account: '000000000000', creationTime: 5 };
  const version = `${round} ${retentionHours}`;
  return { id, ...about, version, retentionHours, tags: { round: String(round) } };
}

async function makeStream(store, retentionHours) {
  const id = await store.catalog.newStreamId();
  say('id', { id });
  await putStream(store, id, retentionHours);
  return id;
}

async function putStream(store, id, retentionHours) {
  const value = record(id, retentionHours);
  say('streaming', { id, value });
  const now = (await store.catalog.streams()).find((stream) => stream.id === id);
  if (!(await store.catalog.putStream(value, now?.version))) throw new Error('not put');
  say('stream', { id, value });
}

async function putItem(store, id, name) {
  const value = JSON.stringify({ key: bytesOf(id, BigInt(round), name, 40).toString('hex') });
  say('iteming', { id, name, value });
  const before = await store.catalog.item(id, name);
  const after = Buffer.from(value);
  if (!(await store.catalog.swapItem(id, name, before, after))) throw new Error('not swapped');
  say('item', { id, name, value });
}

/** Sends fragments one after the other, with a new header now and then, and some that are given up. */
async function write(store, id, { sizes, sealed }) {
  const lease = store.live.lease(id);
  await lease.ready();
  const writer = await openWriter(store, id, sealed ? KEY : undefined);
  const commits = [];
  let header = Buffer.alloc(0);
  let headerOf = 0n;
  for (const [at, size] of sizes.entries()) {
    const time = (round * 1000 + at) * 1000;
    const number = lease.openNumber(time);
    const lengths = { cluster: size, tags: at % 3 === 0 ? 50 : 0, header: 300 };
    if (at % 5 === 0) {
      headerOf = number;
      header = bytesOf(id, number, 'header', lengths.header);
    }
    say('writing', { id, number, lengths, headerOf });
    writer.begin(header, number);
    const bytes = bytesOf(id, number, 'cluster', size);
    for (let part = 0; part < size; part += 7000) writer.append(bytes.subarray(part, part + 7000));
    if (at % 6 === 5) {
      await writer.drained();
      writer.abort();
      lease.closeNumber(number);
      say('aborted', { id, number });
      continue;
    }
    const meta = { number, timecode: time, producerTime: time, serverTime: time, duration: 500 };
    const tags = bytesOf(id, number, 'tags', lengths.tags);
    const told = writer.commit(meta, tags, 'flushed').then(() => {
      lease.readable(meta);
      say('persisted', { id, number });
    });
    commits.push(told);
    // Two at a time are under way, as after a producer that does not wait for acks.
    if (commits.length % 2 === 0) await Promise.all(commits);
  }
  await Promise.all(commits);
  await writer.close();
}

async function expire(store, id, keep) {
  const all = await store.index.byNumber(id, { limit: 1000 });
  const bound = all.at(-keep)?.number;
  if (bound === undefined) return;
  say('expiring', { id, bound });
  await store.index.expire(id, { kind: 'number', before: bound });
  say('expired', { id, bound });
}

async function remove(store, id) {
  say('deleting', { id });
  await store.catalog.deleteStream(id);
  say('deleted', { id });
}

function sizes(most) {
  return Array.from({ length: FRAGMENTS }, (_, at) => 1 + ((at * 7919 + round * 104_729) % most));
}

function openStore() {
  return openDiskStore({ directory, fsync: 'group', segmentBytes: SEGMENT_BYTES });
}

async function load() {
  const store = await openStore();
  const before = await store.catalog.streams();
  const ids = before.map(({ id }) => id);
  while (ids.length < 3) ids.push(await makeStream(store, 24));
  const [a, b, c] = ids;
  await putItem(store, a, 'dataKey');
  await Promise.all([
    write(store, a, { sizes: sizes(25_000), sealed: true }),
    write(store, b, { sizes: sizes(9000), sealed: false }),
    write(store, c, { sizes: sizes(600), sealed: true }),
  ]);
  await Promise.all([expire(store, a, 5), putItem(store, a, 'dataKey'), putStream(store, b, 48)]);
  await Promise.all([
    remove(store, c),
    write(store, a, { sizes: sizes(3000), sealed: true }),
    expire(store, b, 3),
  ]);
  await putItem(store, b, 'sessions');
  if (round % 2 === 1) process.kill(process.pid, 'SIGKILL');
  await store.close();
}

/** What a writer does, one thing at a time. */
async function steps() {
  const step = (name) => say('step', { id: 0, name });
  step('start');
  const store = await openStore();
  const [a, b] = (await store.catalog.streams()).map(({ id }) => id);
  step('begin');
  const lease = store.live.lease(a);
  await lease.ready();
  const writer = await openWriter(store, a, KEY);
  const fragment = await beginOne(store, writer, a, 30_000);
  step('append');
  writer.append(fragment.bytes);
  await writer.drained();
  step('commit');
  await commitOne(writer, fragment);
  // The file is longer than a segment gets, so that the next one begins.
  step('roll');
  for (let count = 0; count < 3; count += 1) {
    const next = await beginOne(store, writer, a, 25_000);
    writer.append(next.bytes);
    await commitOne(writer, next);
  }
  await writer.close();
  step('expire');
  await expire(store, a, 1);
  step('rewrap');
  await putItem(store, a, 'dataKey');
  step('delete');
  await remove(store, b);
  step('close');
  await store.close();
}

async function beginOne(store, writer, id, size) {
  const time = round * 1000 + size;
  const number = store.live.lease(id).openNumber(time);
  const lengths = { cluster: size, tags: 50, header: 300 };
  say('writing', { id, number, lengths, headerOf: number });
  writer.begin(bytesOf(id, number, 'header', lengths.header), number);
  return { id, number, time, lengths, bytes: bytesOf(id, number, 'cluster', size) };
}

async function commitOne(writer, { id, number, time, lengths }) {
  const meta = { number, timecode: time, producerTime: time, serverTime: time, duration: 500 };
  await writer.commit(meta, bytesOf(id, number, 'tags', lengths.tags), 'flushed');
  say('persisted', { id, number });
}

await (roundText === 'steps' ? steps() : load());
