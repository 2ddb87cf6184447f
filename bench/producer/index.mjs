// What the producer costs, over TLS, into a sink that parses and acknowledges.
//   npm run bench -- producer [--bytes N] [--seconds N] [--turns N] [--cycles N] [--minutes N] [--json]
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

async function runProgram(program, mode, endpoint, ca, amount) {
  const { stdout } = await run1(
    process.execPath,
    ['--expose-gc', file(program), mode, endpoint, String(amount)],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: ca } },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const work = (...args) => runProgram('./work.mjs', ...args);

const byKey = (key) => (a, b) => a[key] - b[key];
const middle = (sorted) => sorted[Math.floor(sorted.length / 2)];

/**
 * The producer and the bare program in turns, so that whatever else the machine does meets both alike.
 * Answers the producer's run with the middle figure, and the middle one of the turns' ratios.
 */
async function inTurns(turns, key, mode, endpoint, ca, amount) {
  const ours = [];
  const ratios = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const mine = await work(mode, endpoint, ca, amount);
    const bare = await runProgram('./bare.mjs', mode, endpoint, ca, amount);
    ours.push(mine);
    ratios.push(mine[key] / bare[key]);
  }
  return { run: middle(ours.sort(byKey(key))), ratio: middle(ratios.sort((a, b) => a - b)) };
}

async function measure(values, endpoint, ca) {
  const bytes = Number(values.bytes);
  const turns = Number(values.turns);
  const put = await work('put', endpoint, ca, 0);
  const { run: bulk, ratio: vsBareBulk } = await inTurns(
    ...[turns, 'cpuSeconds', 'bulk', endpoint, ca, bytes],
  );
  const { run: one, ratio: vsBareRealtime } = await inTurns(
    ...[turns, 'cpuPercentPerStream', 'one', endpoint, ca, values.seconds],
  );
  const many = await work('many', endpoint, ca, values.seconds);
  const leak = await work('leak', endpoint, ca, values.cycles);
  const hour = await work('hour', endpoint, ca, values.minutes);
  return {
    putFrameUs: put.putFrameUs,
    putFrameWholeUs: put.wholeUs,
    cpuPercentPerStream: one.cpuPercentPerStream,
    vsBareRealtime,
    cpuSecondsPerGB: bulk.cpuSeconds / (bulk.bytes / 1e9),
    vsBareBulk,
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

/** Runs each measurement in a process of its own; those that are compared, several times. */
export async function run({ args }) {
  const { values } = parseArgs({
    args,
    options: {
      bytes: { type: 'string', default: '335000000' },
      seconds: { type: 'string', default: '60' },
      turns: { type: 'string', default: '5' },
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
      row('times what a bare program takes', json.vsBareRealtime, '<= 1.0'),
      row('as fast as it goes, CPU s per GB', json.cpuSecondsPerGB, '<= 2.0'),
      row('times what a bare program takes', json.vsBareBulk, '<= 1.3'),
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
