import { prometheusType } from './pages.js';
import { METRICS, TIME_BUCKETS, type Metric } from './table.js';

/** docs/service-metrics.md, made from the table that the service measures by. @internal */
export function serviceMetricsMarkdown(): string {
  const rows = Object.entries(METRICS).map(([name, metric]: [string, Metric]) => {
    const { unit, prometheus, meaning } = metric;
    return `| \`${name}\` | ${unit} | \`${prometheus}\` (${prometheusType(metric)}) | ${meaning} |`;
  });
  return [
    '# Metrics of the service',
    '',
    'Made from the table in `lib/service/metrics`; do not edit. `GET /metrics` answers in the Prometheus text form,',
    '`GET /metrics.json` in JSON. Both give what was measured since the service began, for each stream of the account',
    'that asks; what was never measured is left out. An open service answers anyone on its machine; with credentials',
    'the request has to be signed like any other call, and a user with policies needs `cloudwatch:GetMetricData`.',
    '',
    'In JSON the names, units and statistics are those of CloudWatch: `Sum` of counters and gauges; `SampleCount`,',
    '`Sum`, `Minimum` and `Maximum` of the others. At `/metrics` the stream is the label `stream_name`, and times are',
    `seconds, counted in classes up to ${TIME_BUCKETS.map((ms) => String(ms / 1000)).join(', ')} s.`,
    'The success rate is `_sum` divided by `_count`.',
    '',
    '| metric | unit | at /metrics | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
