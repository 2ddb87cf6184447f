import type { StreamRecord } from '../store/types.js';
import { METRICS, TIME_BUCKETS, type Metric, type MetricName } from './table.js';

/** What was measured of one metric since the service began. @internal */
export interface Statistic {
  /** Measurements, or additions to a counter. */
  count: number;
  sum: number;
  least: number;
  most: number;
  /** Of times: how many were at most each of `TIME_BUCKETS` and above the one before. */
  readonly buckets: number[];
}

/** The metrics of one stream. @internal */
export class StreamMeter {
  readonly account: string;
  readonly stream: string;
  readonly #statistics = new Map<MetricName, Statistic>();

  constructor({ account, name }: Pick<StreamRecord, 'account' | 'name'>) {
    this.account = account;
    this.stream = name;
  }

  /** Adds to a counter or gauge, or a measurement to the others. */
  add(name: MetricName, value = 1): void {
    const statistic = this.#statistics.get(name) ?? this.#begin(name);
    statistic.count += 1;
    statistic.sum += value;
    if (value < statistic.least) statistic.least = value;
    if (value > statistic.most) statistic.most = value;
    if (METRICS[name].kind !== 'time') return;
    const at = TIME_BUCKETS.findIndex((bound) => value <= bound);
    if (at >= 0) statistic.buckets[at] = (statistic.buckets[at] ?? 0) + 1;
  }

  /** Undefined while nothing was measured. */
  get(name: MetricName): Statistic | undefined {
    return this.#statistics.get(name);
  }

  #begin(name: MetricName): Statistic {
    const { kind }: Metric = METRICS[name];
    const statistic = {
      count: 0,
      sum: 0,
      least: Infinity,
      most: -Infinity,
      buckets: kind === 'time' ? TIME_BUCKETS.map(() => 0) : [],
    };
    this.#statistics.set(name, statistic);
    return statistic;
  }
}

/** The metrics of all streams that were used since the service began. @internal */
export class ServiceMetrics {
  readonly #meters = new Map<number, StreamMeter>();

  of(record: Pick<StreamRecord, 'id' | 'account' | 'name'>): StreamMeter {
    const known = this.#meters.get(record.id);
    if (known !== undefined) return known;
    const meter = new StreamMeter(record);
    this.#meters.set(record.id, meter);
    return meter;
  }

  /** The meters of every account, by stream name. */
  all(): readonly StreamMeter[] {
    return [...this.#meters.values()].sort((a, b) => (a.stream < b.stream ? -1 : 1));
  }

  /** The account's meters, by stream name. */
  list(account: string): readonly StreamMeter[] {
    return [...this.#meters.values()]
      .filter((meter) => meter.account === account)
      .sort((a, b) => (a.stream < b.stream ? -1 : 1));
  }

  /** The stream is deleted. */
  forget(id: number): void {
    this.#meters.delete(id);
  }
}
