// What the producer costs, over TLS, into a sink that parses and acknowledges.
//   npm run bench -- producer [--bytes N] [--seconds N] [--cycles N] [--minutes N] [--json]
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { makeCertificate } from './certificate.mjs';

export const about = 'what putFrame and uploads cost, in real time and as fast as they go';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const run1 = promisify(execFile);

async function startSink(folder) {
  const sink = spawn(process.execPath, [
    ...[file('./sink.mjs'), join(folder, 'key.pem'), join(folder, 'cert.pem')],
  ]);
  sink.stderr.pipe(process.stderr);
  const [line] = await once(sink.stdout, 'data');
  return { sink, endpoint: line.toString().trim() };
}

async function work(mode, endpoint, ca, amount) {
  const { stdout } = await run1(
    process.execPath,
    ['--expose-gc', file('./work.mjs'), mode, endpoint, String(amount)],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: ca } },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

async function measure(values, endpoint, ca) {
  const bytes = Number(values.bytes);
  const put = await work('put', endpoint, ca, 0);
  const bulk = await work('bulk', endpoint, ca, bytes);
  const one = await work('one', endpoint, ca, values.seconds);
  const many = await work('many', endpoint, ca, values.seconds);
  const leak = await work('leak', endpoint, ca, values.cycles);
  const hour = await work('hour', endpoint, ca, values.minutes);
  return {
    putFrameUs: put.putFrameUs,
    putFrameWholeUs: put.wholeUs,
    cpuPercentPerStream: one.cpuPercentPerStream,
    cpuSecondsPerGB: bulk.cpuSeconds / (bulk.bytes / 1e9),
    bulkMBps: bulk.bytes / 1e6 / bulk.seconds,
    bulkRssMB: bulk.rssMB,
    streams64: {
      rssMB: many.rssMB,
      eventLoopP99Ms: many.eventLoopP99Ms,
      cpuPercentPerStream: many.cpuPercentPerStream,
    },
    leak,
    hour: { sessions: hour.sessions, rssGrowthMB: hour.rss / 2 ** 20, arenaBytes: hour.arena },
  };
}

/** Runs each measurement once, each in a process of its own. */
export async function run({ args }) {
  const { values } = parseArgs({
    args,
    options: {
      bytes: { type: 'string', default: '335000000' },
      seconds: { type: 'string', default: '60' },
      cycles: { type: 'string', default: '10000' },
      minutes: { type: 'string', default: '60' },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'kvs-bench-producer-'));
  const { certFile } = makeCertificate(folder);
  const { sink, endpoint } = await startSink(folder);
  try {
    const json = await measure(values, endpoint, certFile);
    const row = (name, value, goal) => [name, value.toFixed(2), goal];
    const table = [
      ['what', 'figure', 'goal'],
      row('putFrame of 10 KB above the native call, us', json.putFrameUs, '<= 2.5'),
      row('one stream in real time, % of a core', json.cpuPercentPerStream, '<= 1'),
      row('as fast as it goes, CPU s per GB', json.cpuSecondsPerGB, '<= 2.0'),
      row('as fast as it goes, MB/s', json.bulkMBps, ''),
      row('as fast as it goes, resident MB', json.bulkRssMB, '< 100'),
      row('64 streams, resident MB', json.streams64.rssMB, '< 400'),
      row('64 streams, event loop p99 ms', json.streams64.eventLoopP99Ms, '< 5'),
      row('64 streams, % of a core each', json.streams64.cpuPercentPerStream, ''),
      row('left behind by create and stop, bytes', json.leak.bytesPerCycle, 'about 0'),
      row('grown over an hour of stream time, MB', json.hour.rssGrowthMB, 'about 0'),
    ];
    return { table, json };
  } finally {
    sink.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
