import type { Page } from '../http/front.js';
import type { ServiceMetrics, Statistic, StreamMeter } from './meter.js';
import { METRICS, TIME_BUCKETS, type Metric, type MetricName } from './table.js';

const NAMES: readonly MetricName[] = Object.keys(METRICS).filter(isMetricName);

/** `GET /metrics` and `GET /metrics.json`: the metrics of the caller's streams. @internal */
export function metricsPages(metrics: ServiceMetrics): ReadonlyMap<string, Page> {
  return new Map<string, Page>([
    [
      '/metrics',
      {
        type: 'text/plain; version=0.0.4; charset=utf-8',
        text: ({ account }) => prometheusText(metrics.list(account)),
      },
    ],
    [
      '/metrics.json',
      {
        type: 'application/json',
        text: ({ account }) => JSON.stringify(metricsJson(metrics.list(account))),
      },
    ],
  ]);
}

/** Which labels a series has: that of its stream alone, or that of its account besides. */
type Labels = 'stream' | 'account';

/** The Prometheus text form, version 0.0.4. @internal */
export function prometheusText(meters: readonly StreamMeter[], labels: Labels = 'stream'): string {
  return NAMES.map((name) => familyText(name, meters, labels)).join('');
}

function familyText(name: MetricName, meters: readonly StreamMeter[], labels: Labels): string {
  const metric: Metric = METRICS[name];
  const lines = meters.flatMap((meter) => {
    const statistic = meter.get(name);
    return statistic === undefined ? [] : seriesLines(metric, labelOf(meter, labels), statistic);
  });
  if (lines.length === 0) return '';
  const { prometheus, meaning } = metric;
  const type = prometheusType(metric);
  return `# HELP ${prometheus} ${name}: ${meaning}\n# TYPE ${prometheus} ${type}\n${lines.join('')}`;
}

/** Prometheus' word for a kind. @internal */
export function prometheusType({ kind }: Metric): 'counter' | 'gauge' | 'histogram' | 'summary' {
  switch (kind) {
    case 'counter':
    case 'gauge':
      return kind;
    case 'time':
      return 'histogram';
    case 'success':
      return 'summary';
  }
}

function seriesLines({ kind, prometheus }: Metric, label: string, of: Statistic): string[] {
  switch (kind) {
    case 'counter':
    case 'gauge':
      return [`${prometheus}{${label}} ${String(of.sum)}\n`];
    case 'success':
      return [
        `${prometheus}_sum{${label}} ${String(of.sum)}\n`,
        `${prometheus}_count{${label}} ${String(of.count)}\n`,
      ];
    case 'time':
      return [
        ...bucketLines(prometheus, label, of),
        `${prometheus}_sum{${label}} ${String(of.sum / 1000)}\n`,
        `${prometheus}_count{${label}} ${String(of.count)}\n`,
      ];
  }
}

function bucketLines(prometheus: string, label: string, { buckets, count }: Statistic): string[] {
  let upTo = 0;
  const lines = TIME_BUCKETS.map((bound, at) => {
    upTo += buckets[at] ?? 0;
    return `${prometheus}_bucket{${label},le="${String(bound / 1000)}"} ${String(upTo)}\n`;
  });
  return [...lines, `${prometheus}_bucket{${label},le="+Inf"} ${String(count)}\n`];
}

/** Stream names have no character that a label would have to escape. */
function labelOf({ account, stream }: StreamMeter, labels: Labels): string {
  const name = `stream_name="${stream}"`;
  return labels === 'stream' ? name : `account="${account}",${name}`;
}

/** The metrics as JSON, in the words that CloudWatch has for them. @internal */
export function metricsJson(meters: readonly StreamMeter[]): object {
  const Metrics = meters.flatMap((meter) =>
    NAMES.flatMap((name) => {
      const statistic = meter.get(name);
      return statistic === undefined ? [] : [jsonOf(name, meter.stream, statistic)];
    }),
  );
  return { Namespace: 'AWS/KinesisVideo', Metrics };
}

function jsonOf(name: MetricName, stream: string, { count, sum, least, most }: Statistic): object {
  const { kind, unit }: Metric = METRICS[name];
  const about = {
    MetricName: name,
    Dimensions: [{ Name: 'StreamName', Value: stream }],
    Unit: unit,
  };
  if (kind === 'counter' || kind === 'gauge') return { ...about, Sum: sum };
  return { ...about, SampleCount: count, Sum: sum, Minimum: least, Maximum: most };
}

function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name);
}
