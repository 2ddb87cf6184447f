import { join } from 'node:path';
import { Upload, blocks, call, clusterHead, endOfFragment, header } from './load.mjs';
import { startService } from './processes.mjs';

const STREAMS = 30;
const FRAGMENT_BYTES = 250_000;
const INTERVAL = 1000;

const media = blocks(FRAGMENT_BYTES, 10_000);
const MARK = Buffer.from('AWS_KINESISVIDEO_CONTINUATION_TOKEN');

/** Reads a stream live; calls `onFragment` at the last byte of each. */
async function follow(endpoint, stream, signal, onFragment) {
  const answer = await fetch(`${endpoint}/getMedia`, {
    method: 'POST',
    body: JSON.stringify({ StreamName: stream, StartSelector: { StartSelectorType: 'NOW' } }),
    signal,
  });
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of answer.body) {
      const bytes = Buffer.concat([rest, chunk]);
      let from = 0;
      for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, from)) {
        if (at + MARK.length + 53 > bytes.length) break;
        from = at + MARK.length + 53;
        onFragment();
      }
      rest = bytes.subarray(Math.max(from, bytes.length - MARK.length - 53));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** One stream at 2 Mbit/s: a fragment a second, and one reader. */
async function run(endpoint, stream, seconds, found) {
  const ended = new AbortController();
  const sentAt = [];
  let read = 0;
  let allRead = () => undefined;
  const wholeRead = new Promise((resolve) => {
    allRead = resolve;
  });
  const reading = follow(endpoint, stream, ended.signal, () => {
    found.live.push(performance.now() - sentAt[read]);
    read += 1;
    if (read === seconds) allRead();
  });
  const upload = new Upload(endpoint, '/putMedia', stream, (timecode) => {
    found.persisted.push(performance.now() - sentAt[timecode / 2000]);
  });
  await upload.send(header());
  const began = performance.now();
  for (let index = 0; index < seconds; index += 1) {
    const due = began + index * INTERVAL - performance.now();
    if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
    await upload.send(clusterHead(index * 2000), media);
    sentAt.push(performance.now());
    await upload.send(endOfFragment);
  }
  await upload.end();
  await wholeRead;
  ended.abort();
  await reading;
}

export async function measureLatency(directory, seconds) {
  const service = await startService(join(directory, 'latency'));
  const found = { persisted: [], live: [] };
  const names = Array.from({ length: STREAMS }, (_, index) => `s${index}`);
  for (const name of names) {
    await call(service.endpoint, '/createStream', { StreamName: name, DataRetentionInHours: 24 });
  }
  await Promise.all(
    names.map(async (name, index) => {
      // Spread over the second, as cameras are.
      await new Promise((resolve) => setTimeout(resolve, (index * INTERVAL) / STREAMS));
      await run(service.endpoint, name, seconds, found);
    }),
  );
  await service.stop();
  return {
    'persisted.p50Ms': percentile(found.persisted, 0.5),
    'persisted.p99Ms': percentile(found.persisted, 0.99),
    'live.p99Ms': percentile(found.live, 0.99),
  };
}
