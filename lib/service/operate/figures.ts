import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { VERSION } from '../../base/user-agent.js';
import type { ServiceContext } from '../context.js';
import type { StreamRecord } from '../store/types.js';
import { directoryUse, fileSystemUse, type DirectoryUse } from './disk.js';
import { FLUSH_BUCKETS } from './tally.js';

type FigureKind = 'gauge' | 'counter' | 'histogram';
type FigureName =
  | 'kvs_build_info'
  | 'kvs_start_time_seconds'
  | 'kvs_disk_used_bytes'
  | 'kvs_index_bytes'
  | 'kvs_disk_free_bytes'
  | 'kvs_disk_size_bytes'
  | 'kvs_disk_quota_bytes'
  | 'kvs_disk_quota_free_bytes'
  | 'kvs_flush_latency_seconds'
  | 'kvs_stream_silent_seconds'
  | 'kvs_producers'
  | 'kvs_readers'
  | 'kvs_open_connections'
  | 'kvs_damaged_fragments_total'
  | 'kvs_sweeps_total'
  | 'kvs_sweep_failures_total'
  | 'kvs_heap_bytes'
  | 'kvs_resident_bytes'
  | 'kvs_event_loop_lag_seconds'
  | 'kvs_certificate_days';

/** The figures of a whole service: name at /metrics, kind and meaning. @internal */
export const FIGURES: Readonly<Record<FigureName, readonly [FigureKind, string]>> = {
  kvs_build_info: ['gauge', '1; the labels are the version of the package and of Node.'],
  kvs_start_time_seconds: ['gauge', 'When the service began, seconds since 1970.'],
  kvs_disk_used_bytes: ['gauge', 'What the files of media take.'],
  kvs_index_bytes: ['gauge', 'What the index takes.'],
  kvs_disk_free_bytes: [
    'gauge',
    'What may still be written to the file system of the data directory.',
  ],
  kvs_disk_size_bytes: ['gauge', 'Size of that file system.'],
  kvs_disk_quota_bytes: ['gauge', 'The quota of media; only with --disk-quota.'],
  kvs_disk_quota_free_bytes: ['gauge', 'What is left of the quota; only with --disk-quota.'],
  kvs_flush_latency_seconds: ['histogram', 'How long a flush of media and index took.'],
  kvs_stream_silent_seconds: [
    'gauge',
    "Time since the stream's newest fragment began, or since the stream was made where none has come.",
  ],
  kvs_producers: ['gauge', 'PutMedia connections that are open now.'],
  kvs_readers: ['gauge', 'GetMedia connections that are open now.'],
  kvs_open_connections: ['gauge', 'TCP connections to the service that are open now.'],
  kvs_damaged_fragments_total: ['counter', 'Fragments that were asked for and found damaged.'],
  kvs_sweeps_total: ['counter', 'How often a stream was looked at for media to free.'],
  kvs_sweep_failures_total: ['counter', 'Those of them that failed; the log says why.'],
  kvs_heap_bytes: ['gauge', 'Heap of JavaScript in use.'],
  kvs_resident_bytes: ['gauge', 'Memory of the process.'],
  kvs_event_loop_lag_seconds: [
    'gauge',
    'The longest that the event loop was late since these figures were last asked for.',
  ],
  kvs_certificate_days: ['gauge', 'Days until the certificate ends; only with TLS.'],
};

/** What the figures ask of the running service. @internal */
export interface FigureSources {
  readonly connections: () => Promise<number>;
  /** When the certificate ends, ms since 1970; undefined without TLS. */
  readonly certificateEnds: () => number | undefined;
}

/** A data directory of many files is not added up more often than this, ms. */
const DISK_EVERY = 10_000;

/** Puts the figures of a service together when they are asked for. @internal */
export class ServiceFigures {
  readonly #context: ServiceContext;
  readonly #sources: FigureSources;
  readonly #lag: IntervalHistogram = monitorEventLoopDelay({ resolution: 20 });
  readonly #began: number;
  #disk: { readonly at: number; readonly use: Promise<DirectoryUse> } | undefined;

  constructor(context: ServiceContext, sources: FigureSources) {
    this.#context = context;
    this.#sources = sources;
    this.#began = context.options.clock.wall();
    this.#lag.enable();
  }

  close(): void {
    this.#lag.disable();
  }

  /** In the Prometheus text form. */
  async text(): Promise<string> {
    const values = new Map<FigureName, readonly string[]>([
      ...this.#process(),
      ...(await this.#storage()),
      ...this.#counts(),
      ['kvs_open_connections', [plain(await this.#sources.connections())]],
      ['kvs_stream_silent_seconds', await this.#silences()],
    ]);
    return [...values]
      .map(([name, lines]) => {
        const [kind, meaning] = FIGURES[name];
        const series = lines.map((line) => `${name}${line}\n`).join('');
        return `# HELP ${name} ${meaning}\n# TYPE ${name} ${kind}\n${series}`;
      })
      .join('');
  }

  #process(): [FigureName, readonly string[]][] {
    const { heapUsed, rss } = process.memoryUsage();
    // The resolution is a part of what is measured.
    const lag = Math.max(0, this.#lag.max / 1e9 - 0.02);
    this.#lag.reset();
    const ends = this.#sources.certificateEnds();
    const days =
      ends === undefined ? [] : [plain((ends - this.#context.options.clock.wall()) / 86_400_000)];
    return [
      ['kvs_build_info', [`{version="${VERSION}",node="${process.versions.node}"} 1`]],
      ['kvs_start_time_seconds', [plain(this.#began / 1000)]],
      ['kvs_heap_bytes', [plain(heapUsed)]],
      ['kvs_resident_bytes', [plain(rss)]],
      ['kvs_event_loop_lag_seconds', [plain(lag)]],
      ...(days.length > 0 ? [['kvs_certificate_days', days] satisfies [FigureName, string[]]] : []),
    ];
  }

  async #storage(): Promise<[FigureName, readonly string[]][]> {
    const { options, store } = this.#context;
    const use = await this.#directory();
    const disk = await fileSystemUse(options.dataDir).catch(() => undefined);
    const room = store.media.room();
    return [
      ['kvs_disk_used_bytes', [plain(use.media)]],
      ['kvs_index_bytes', [plain(use.index)]],
      ...(disk === undefined
        ? []
        : ([
            ['kvs_disk_free_bytes', [plain(disk.free)]],
            ['kvs_disk_size_bytes', [plain(disk.size)]],
          ] satisfies [FigureName, string[]][])),
      ...(options.diskQuota === Infinity
        ? []
        : ([
            ['kvs_disk_quota_bytes', [plain(options.diskQuota)]],
            ['kvs_disk_quota_free_bytes', [plain(Math.max(0, room))]],
          ] satisfies [FigureName, string[]][])),
    ];
  }

  #directory(): Promise<DirectoryUse> {
    const { options } = this.#context;
    const now = options.clock.mono();
    if (this.#disk === undefined || now - this.#disk.at >= DISK_EVERY) {
      this.#disk = { at: now, use: directoryUse(options.dataDir) };
    }
    return this.#disk.use;
  }

  #counts(): [FigureName, readonly string[]][] {
    const { tally, hubs, streams } = this.#context;
    const open = streams.all().map(({ record }) => hubs.of(record.id));
    const { count, ms, buckets } = tally.flushes;
    let upTo = 0;
    const classes = FLUSH_BUCKETS.map((bound, at) => {
      upTo += buckets[at] ?? 0;
      return `_bucket{le="${String(bound / 1000)}"} ${String(upTo)}`;
    });
    return [
      [
        'kvs_flush_latency_seconds',
        [
          ...classes,
          `_bucket{le="+Inf"} ${String(count)}`,
          `_sum ${String(ms / 1000)}`,
          `_count ${String(count)}`,
        ],
      ],
      ['kvs_producers', [plain(sum(open.map(({ producers }) => producers)))]],
      ['kvs_readers', [plain(sum(open.map(({ consumers }) => consumers)))]],
      ['kvs_damaged_fragments_total', [plain(tally.damaged)]],
      ['kvs_sweeps_total', [plain(tally.sweeps)]],
      ['kvs_sweep_failures_total', [plain(tally.sweepFailures)]],
    ];
  }

  async #silences(): Promise<string[]> {
    const { streams, options } = this.#context;
    const now = options.clock.wall();
    const lines: string[] = [];
    for (const { record, status } of streams.all()) {
      if (status !== 'ACTIVE') continue;
      const last = (await this.#newest(record)) ?? record.creationTime;
      const { account, name } = record;
      lines.push(
        `{account="${account}",stream_name="${name}"} ${String(Math.max(0, now - last) / 1000)}`,
      );
    }
    return lines;
  }

  /** Server time of the newest fragment; the index knows those from before the start. */
  async #newest({ id }: StreamRecord): Promise<number | undefined> {
    const { store } = this.#context;
    const live = store.live.tail(id).newest;
    if (live !== undefined) return live.serverTime;
    const [stored] = await store.index.byNumber(id, { limit: 1, order: 'descending' });
    return stored?.serverTime;
  }
}

function plain(value: number): string {
  return ` ${String(value)}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
