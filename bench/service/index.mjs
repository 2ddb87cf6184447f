// The service: how fast it takes media, how soon it acknowledges and passes it on, what it costs.
//   npm run bench -- service [--megabytes N] [--seconds N] [--fragments N] [--list N] [--json]
// Every part runs the service in a process of its own, limits off. The sink that ingest is compared
// with writes bodies to files and flushes them as often as the service did, in the same run.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareIngest } from './ingest.mjs';
import { measureLatency } from './latency.mjs';
import { measureSize } from './size.mjs';

export const about = 'ingest, acks, live reading, memory and lists of the service';

const OPTIONS = {
  megabytes: { type: 'string', default: '1024' },
  seconds: { type: 'string', default: '20' },
  fragments: { type: 'string', default: '100000' },
  list: { type: 'string', default: '1000000' },
};

export async function run({ args }) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const directory = await mkdtemp(join(tmpdir(), 'kvs-bench-'));
  try {
    const ingest = await compareIngest(directory, Number(values.megabytes));
    const latency = await measureLatency(directory, Number(values.seconds));
    const size = await measureSize(directory, Number(values.fragments), Number(values.list));
    const json = { ...ingest, ...latency, ...size };
    const table = [
      ['what', 'figure', 'goal'],
      ['ingest, 64 streams, MB/s', json['ingest.mbPerSecond'].toFixed(0), ''],
      ['bare sink, MB/s', json['ingest.sinkMbPerSecond'].toFixed(0), ''],
      ['ratio', json['ingest.ratio'].toFixed(2), '>= 0.70'],
      ['CPU seconds a GB', json.cpuSecondsPerGB.toFixed(2), ''],
      ['Persisted ack p50, ms', json['persisted.p50Ms'].toFixed(1), ''],
      ['Persisted ack p99, ms', json['persisted.p99Ms'].toFixed(1), ''],
      ['put to read, 30 streams, p99, ms', json['live.p99Ms'].toFixed(1), '< 30'],
      [
        `memory grown by ${values.fragments} fragments, MB`,
        json['rss.growthMB'].toFixed(1),
        'flat',
      ],
      [`ListFragments of ${values.list}, ms`, json.listFragmentsMs.toFixed(1), '< 20'],
    ];
    return { table, json };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
