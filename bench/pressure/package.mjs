// The whole package in real time: producer, a slow link between processes, the service, its disk.
// What was persisted is what the service lists afterwards; nothing is taken from the producer's word.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { DefaultCallbackProvider, KinesisVideoProducer } from '../../dist/index.js';
import { listFragments } from '../../dist/consumer/index.js';
import { startService } from '../service/processes.mjs';

const FPS = 25;
const FRAME = new Uint8Array(20_000).fill(0x55); // 4 Mbit/s
const GOP = 2 * FPS;
const CREDENTIALS = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'secret' };
const WINDOW_MS = 20_000;

/** A link to `endpoint` that lets `rate` bytes a second pass. */
async function startLink(program, endpoint, rate) {
  const port = new URL(endpoint).port;
  const child = spawn(program, ['link', port, String(rate)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [own] = await once(lines, 'line');
  const seen = [];
  lines.on('line', (line) => {
    const [passed, connections] = line.split(' ').map(Number);
    seen.push({ at: Date.now(), passed, connections });
  });
  return {
    endpoint: `http://127.0.0.1:${own}`,
    connections: () => seen.at(-1)?.connections ?? 0,
    /** Bytes that it passed between two times. */
    passed(from, to) {
      const at = (time) => seen.findLast((line) => line.at <= time)?.passed ?? 0;
      return at(to) - at(from);
    },
    async stop() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

/** The producer of `streams` cameras over a link of `share` of their rate, for `seconds`. */
async function cameras({ program, endpoint, name, streams, share, seconds }) {
  const link = await startLink(program, endpoint, share * streams * FRAME.length * FPS);
  class OverTheLink extends DefaultCallbackProvider {
    async getStreamingEndpoint() {
      return link.endpoint;
    }
  }
  const region = 'us-west-2';
  const provider = new OverTheLink({ endpoint, region, credentials: CREDENTIALS });
  const producer = await KinesisVideoProducer.create({ callbackProvider: provider, limits: 'off' });
  const made = await Promise.all(
    Array.from({ length: streams }, (_, n) =>
      producer.createStream({
        streamName: `${name}-${n}`,
        nalAdaptationFlags: 0,
        bufferDuration: WINDOW_MS,
      }),
    ),
  );
  const put = await feed(made, seconds);
  const end = Date.now();
  const gaps = made.map((stream) => stream.gaps);
  const lists = await Promise.all(made.map((stream) => listed(endpoint, region, stream.name)));
  const result = account({ put, end, gaps, lists, link, streams });
  await producer.close({ timeoutMs: 0 }).catch(() => undefined);
  await link.stop();
  return result;
}

/** Puts frames when they are due; answers when each second began and what was put. */
async function feed(streams, seconds) {
  const began = Date.now();
  const total = seconds * FPS;
  for (let i = 0; i < total; i += 1) {
    const due = began + (i * 1000) / FPS;
    if (due > Date.now()) await sleep(due - Date.now());
    streams.forEach((stream, n) => {
      const flags = (i + n * 7) % GOP === 0 ? 1 : 0;
      stream.putFrame({ frameData: FRAME, flags, presentationTs: due });
    });
  }
  return { began, total };
}

async function listed(endpoint, region, streamName) {
  const fragments = [];
  for await (const fragment of listFragments({
    ...{ endpoint, region, streamName, credentials: CREDENTIALS },
  })) {
    fragments.push(fragment);
  }
  return fragments;
}

/** Payload persisted over what could have been, from the first Persisted after a minute to the end. */
function account({ put, end, gaps, lists, link, streams }) {
  const settled = put.began + Math.min(60_000, (end - put.began) / 3);
  const late = lists.flat().filter((fragment) => fragment.serverTimestampMs >= settled);
  const persistedAt = late.map((fragment) => fragment.serverTimestampMs);
  const from = Math.min(...persistedAt, end);
  const persisted = late
    .filter((fragment) => fragment.serverTimestampMs > from)
    .reduce((sum, fragment) => sum + fragment.size, 0);
  const offered = ((end - from) / 1000) * FPS * FRAME.length * streams;
  const falseDrops = gaps
    .map((spans, n) => told(spans, lists[n]))
    .reduce((sum, count) => sum + count, 0);
  return {
    goodput: persisted / Math.min(offered, link.passed(from, end)),
    breaks: link.connections() - streams,
    falseDrops,
  };
}

/** Fragments that are listed and begin within a gap. */
function told(gaps, fragments) {
  return fragments.filter(({ producerTimestampMs: at }) =>
    gaps.some((gap) => at >= gap.from && at < gap.to),
  ).length;
}

/** All of them at once, so that the run takes `seconds` and no more. */
export async function runPackage(program, seconds) {
  const folder = mkdtempSync(join(tmpdir(), 'kvs-bench-pressure-'));
  const service = await startService(folder);
  const run = (name, streams, share) =>
    cameras({ program, endpoint: service.endpoint, name, streams, share, seconds });
  try {
    const [package90, package70, packageStreams16at70] = await Promise.all([
      run('link-90', 1, 0.9),
      run('link-70', 1, 0.7),
      run('sixteen', 16, 0.7),
    ]);
    return { package90, package70, packageStreams16at70 };
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
