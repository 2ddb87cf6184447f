import { join } from 'node:path';
import { openWriter } from '../../dist/service/media/writer.js';
import { openDiskStore } from '../../dist/service/store/disk-store.js';
import { call } from './load.mjs';
import { startService } from './processes.mjs';

const HEADER = new Uint8Array(300);
const CLUSTER = new Uint8Array(500);
const ROUNDS = 31;

/** Stores small fragments, a second apart, in stream 1. */
async function fill(dataDir, from, to) {
  const store = await openDiskStore({ directory: dataDir, fsync: 'group' });
  const writer = await openWriter(store, 1);
  const base = 1_700_000_000_000;
  let waiting = [];
  for (let index = from; index < to; index += 1) {
    const time = base + index * 1000;
    const number = (1n << 156n) | (BigInt(index) << 92n) | (BigInt(time) << 28n);
    writer.begin(HEADER, number);
    writer.append(CLUSTER);
    const meta = { number, timecode: time, producerTime: time, serverTime: time, duration: 1000 };
    waiting.push(writer.commit(meta, new Uint8Array(), 'buffered'));
    if (waiting.length === 1000) {
      await Promise.all(waiting);
      waiting = [];
    }
  }
  await Promise.all(waiting);
  await writer.close();
  await store.close();
  return base;
}

/** Resident memory of a service that has listed and is at rest. */
async function restingMemory(dataDir) {
  const service = await startService(dataDir);
  await list(service.endpoint, 0, 2_000_000_000_000);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const bytes = service.rss();
  await service.stop();
  return bytes;
}

async function list(endpoint, from, to) {
  const { Fragments: fragments } = await call(endpoint, '/listFragments', {
    StreamName: 'big',
    MaxResults: 1000,
    FragmentSelector: {
      FragmentSelectorType: 'PRODUCER_TIMESTAMP',
      TimestampRange: { StartTimestamp: from / 1000, EndTimestamp: to / 1000 },
    },
  });
  return fragments.length;
}

export async function measureSize(directory, fragments, listed) {
  const dataDir = join(directory, 'size');
  const first = await startService(dataDir);
  await call(first.endpoint, '/createStream', { StreamName: 'big', DataRetentionInHours: 87_600 });
  await first.stop();
  await fill(dataDir, 0, 1);
  const one = await restingMemory(dataDir);
  await fill(dataDir, 1, fragments);
  const many = await restingMemory(dataDir);
  const base = await fill(dataDir, fragments, Math.max(listed, fragments));
  const service = await startService(dataDir);
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = base + Math.floor((listed * round) / ROUNDS / 2) * 1000;
    const started = performance.now();
    const found = await list(service.endpoint, from, from + 999_000);
    times.push(performance.now() - started);
    if (found !== Math.min(1000, listed)) throw new Error(`${found} fragments listed`);
  }
  await service.stop();
  times.sort((a, b) => a - b);
  return {
    'rss.oneMB': one / 1e6,
    'rss.manyMB': many / 1e6,
    'rss.growthMB': (many - one) / 1e6,
    listFragmentsMs: times[Math.floor(ROUNDS / 2)],
  };
}
