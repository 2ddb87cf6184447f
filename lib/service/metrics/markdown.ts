import { FIGURES } from '../operate/figures.js';
import { prometheusType } from './pages.js';
import { QUESTIONS } from './questions.js';
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
    ...questionLines(),
    '## How they are read',
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
    '## The service itself',
    '',
    '`--metrics-listen [ADDRESS:]PORT` (`metricsListen`) answers `GET /metrics` to anybody who can reach that address, without',
    'signatures: the metrics above for the streams of every account (with the label `account`), and these. It shows no media. On',
    'loopback it wants a `Host` of this machine. `/health` (the process answers) and `/ready` (media would be stored now; 503',
    'with the reasons else) are answered there and by the service itself, without a signature.',
    '',
    '| figure | kind | meaning |',
    '| --- | --- | --- |',
    ...Object.entries(FIGURES).map(
      ([name, [kind, meaning]]) => `| \`${name}\` | ${kind} | ${meaning} |`,
    ),
    '',
  ].join('\n');
}

function questionLines(): string[] {
  return QUESTIONS.flatMap(({ question, metrics, figures, sign, cure, alarm }, at) => [
    `## ${String(at + 1)}. ${question}`,
    '',
    `Look at ${[...metrics, ...figures].map((name) => `\`${name}\``).join(', ')}.`,
    '',
    `- Sign: ${sign}`,
    `- Cure: ${cure}`,
    '',
    '```promql',
    alarm,
    '```',
    '',
  ]);
}
