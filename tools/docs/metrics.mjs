// docs/metrics.md: the fields of metrics.def.
import { metricRows } from '../lib/tables.mjs';
import { table } from './markdown.mjs';

const UNITS = { TICKS: 'ms', BYTES: 'bytes', COUNT: 'count', NUMBER: 'number' };

function rows(text, kind) {
  const cells = metricRows(text, kind).map(({ name, unit, meaning }) => [
    `\`${name}\``,
    // A rate is counted in its unit, a second.
    /\ba second\b/.test(meaning) ? `${UNITS[unit]}/s` : UNITS[unit],
    meaning,
  ]);
  return table(['field', 'unit', 'meaning'], cells);
}

/** The page. */
export function metricsPage(read) {
  const text = read('native/include/kvs/metrics.def');
  return [
    '# Metrics',
    '',
    'Made by `node tools/docs.mjs` from `native/include/kvs/metrics.def`; do not edit. Asking costs a few microseconds and',
    'changes nothing. Counters count from the begin of the client or stream. In C the fields are named in snake case, and',
    'times are ticks of 100 ns.',
    '',
    '## ClientMetrics',
    '',
    'What `producer.getMetrics()` answers.',
    '',
    ...rows(text, 'CLIENT'),
    '',
    '## StreamMetrics',
    '',
    'What `stream.getMetrics()` answers. `stream.health` and `stream.gaps` say in words what most of them are asked for.',
    '',
    ...rows(text, 'STREAM'),
    '',
  ].join('\n');
}
