import type { MetricName } from './table.js';

/** One of the guide's questions to the metrics, and how it is answered here. @internal */
export interface MetricQuestion {
  readonly question: string;
  readonly metrics: readonly MetricName[];
  /** Figures of the service itself, which `metricsListen` tells. */
  readonly figures: readonly string[];
  readonly sign: string;
  readonly cure: string;
  /** PromQL. */
  readonly alarm: string;
}

/** The guide's seven questions (monitoring with CloudWatch, guidance). @internal */
export const QUESTIONS: readonly MetricQuestion[] = [
  {
    question: 'Do data reach the service?',
    metrics: ['PutMedia.IncomingBytes', 'PutMedia.IncomingFragments', 'PutMedia.IncomingFrames'],
    figures: ['kvs_stream_silent_seconds'],
    sign: 'The rates fall, or a stream is silent for longer than its fragments last.',
    cure: 'See whether the camera sends, and whether its network carries what it sends.',
    alarm: 'kvs_stream_silent_seconds > 60',
  },
  {
    question: 'Why does the service not ingest what comes?',
    metrics: [
      'PutMedia.Requests',
      'PutMedia.ConnectionErrors',
      'PutMedia.Success',
      'PutMedia.ErrorAckCount',
    ],
    figures: ['kvs_disk_quota_free_bytes', 'kvs_disk_free_bytes'],
    sign: 'Connection errors or Error acks grow, the rate of success falls.',
    cure: 'Refused connections: read the exception in `--api-log`. Error acks: the log names id, stream and fragment. 5001: free space, or shorten retention.',
    alarm:
      'rate(kvs_put_media_error_acks_total[5m]) > 0 or rate(kvs_put_media_connection_errors_total[5m]) > 0',
  },
  {
    question: 'Why does the service not take media as fast as it is made?',
    metrics: ['PutMedia.FragmentIngestionLatency', 'PutMedia.IncomingBytes'],
    figures: ['kvs_event_loop_lag_seconds'],
    sign: 'Fragments take longer to come in than they last, and the bytes a second fall.',
    cure: 'Look at the bandwidth of the camera; where the event loop is late too, at the load of this machine.',
    alarm:
      'rate(kvs_put_media_fragment_ingestion_latency_seconds_sum[5m]) / rate(kvs_put_media_fragment_ingestion_latency_seconds_count[5m]) > 10',
  },
  {
    question: 'Why does a player show no video, or show it late?',
    metrics: [
      'PutMedia.FragmentIngestionLatency',
      'PutMedia.FragmentPersistLatency',
      'PutMedia.Success',
      'ListFragments.Latency',
      'PutMedia.IncomingFragments',
    ],
    figures: ['kvs_flush_latency_seconds'],
    sign: 'Ingestion latency grows or fragments become fewer: the network. Success falls: Error acks. Persist latency, flush latency or ListFragments latency grow: the disk of the service.',
    cure: 'As for the questions above; for the disk, see what else writes to it, and whether it is full or failing.',
    alarm: 'histogram_quantile(0.99, rate(kvs_flush_latency_seconds_bucket[5m])) > 1',
  },
  {
    question: 'Why do live readers lag behind the head of the stream?',
    metrics: ['GetMedia.MillisBehindNow', 'GetMedia.ConnectionErrors', 'GetMedia.Success'],
    figures: ['kvs_readers'],
    sign: 'MillisBehindNow grows; readers that are refused or cut off come back late.',
    cure: 'Look at the bandwidth of the reader, and at the answers that it gets.',
    alarm:
      'rate(kvs_get_media_behind_now_seconds_sum[5m]) / rate(kvs_get_media_behind_now_seconds_count[5m]) > 30',
  },
  {
    question: 'Do clients read, and how fast?',
    metrics: [
      'GetMedia.OutgoingBytes',
      'GetMedia.OutgoingFragments',
      'GetMedia.OutgoingFrames',
      'GetMediaForFragmentList.OutgoingBytes',
      'GetMediaForFragmentList.OutgoingFragments',
      'GetMediaForFragmentList.OutgoingFrames',
    ],
    figures: ['kvs_readers'],
    sign: 'The rates are what is read a second; readers that are connected while nothing goes out wait for a camera.',
    cure: 'Nothing to cure where nobody wants to read; else the first question.',
    alarm: 'kvs_readers > 0 unless sum(rate(kvs_get_media_outgoing_bytes_total[5m])) > 0',
  },
  {
    question: 'Why can clients not read?',
    metrics: [
      'GetMedia.ConnectionErrors',
      'GetMedia.Success',
      'GetMediaForFragmentList.Success',
      'PutMedia.IncomingBytes',
    ],
    figures: ['kvs_damaged_fragments_total'],
    sign: 'Connection errors grow, success falls, damaged fragments are counted, or nothing comes in.',
    cure: 'Read the exception in `--api-log` (too many readers, a policy, a key). Damage: `kvs fsck` on a stopped copy. Nothing comes in: the first question.',
    alarm:
      'rate(kvs_get_media_connection_errors_total[5m]) > 0 or increase(kvs_damaged_fragments_total[5m]) > 0',
  },
];
