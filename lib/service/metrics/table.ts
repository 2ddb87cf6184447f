/** How the values of a metric are put together. @internal */
export type MetricKind =
  /** A sum that only grows. */
  | 'counter'
  /** How many there are now. */
  | 'gauge'
  /** Milliseconds, each measured once. */
  | 'time'
  /** 1 for what went well, 0 for what did not; the mean is the rate of success. */
  | 'success';

/** What the service knows of a metric. @internal */
export interface Metric {
  readonly kind: MetricKind;
  readonly unit: 'Count' | 'Bytes' | 'Milliseconds';
  /** Name at /metrics; times are seconds there, as is usual with Prometheus. */
  readonly prometheus: string;
  readonly meaning: string;
}

/**
 * The one table of metrics, under the guide's names: what is measured, both answers and
 * docs/service-metrics.md are made from it. Each is measured for each stream. @internal
 */
export const METRICS = {
  'PutMedia.Requests': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_put_media_requests_total',
    meaning: 'PutMedia calls that named the stream, refused ones included.',
  },
  'PutMedia.IncomingBytes': {
    kind: 'counter',
    unit: 'Bytes',
    prometheus: 'kvs_put_media_incoming_bytes_total',
    meaning: 'Bytes received as bodies of PutMedia.',
  },
  'PutMedia.IncomingFragments': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_put_media_incoming_fragments_total',
    meaning: 'Fragments that were received whole.',
  },
  'PutMedia.IncomingFrames': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_put_media_incoming_frames_total',
    meaning: 'Frames of the fragments that were received whole; a block counts as one.',
  },
  'PutMedia.ActiveConnections': {
    kind: 'gauge',
    unit: 'Count',
    prometheus: 'kvs_put_media_active_connections',
    meaning: 'PutMedia connections that are open now.',
  },
  'PutMedia.ConnectionErrors': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_put_media_connection_errors_total',
    meaning: 'PutMedia calls for the stream that were refused with an exception.',
  },
  'PutMedia.FragmentIngestionLatency': {
    kind: 'time',
    unit: 'Milliseconds',
    prometheus: 'kvs_put_media_fragment_ingestion_latency_seconds',
    meaning: 'From the first byte of a fragment to its last one.',
  },
  'PutMedia.FragmentPersistLatency': {
    kind: 'time',
    unit: 'Milliseconds',
    prometheus: 'kvs_put_media_fragment_persist_latency_seconds',
    meaning: 'From when a fragment was whole to when it was durable; retained streams only.',
  },
  'PutMedia.BufferingAckLatency': {
    kind: 'time',
    unit: 'Milliseconds',
    prometheus: 'kvs_put_media_buffering_ack_latency_seconds',
    meaning: 'From the first byte of a fragment to its Buffering ack.',
  },
  'PutMedia.ReceivedAckLatency': {
    kind: 'time',
    unit: 'Milliseconds',
    prometheus: 'kvs_put_media_received_ack_latency_seconds',
    meaning:
      'From the last byte of a fragment to its Received ack. Where the next fragment is what ends it, the wait for that one is in it.',
  },
  'PutMedia.PersistedAckLatency': {
    kind: 'time',
    unit: 'Milliseconds',
    prometheus: 'kvs_put_media_persisted_ack_latency_seconds',
    meaning: 'From the last byte of a fragment to its Persisted ack.',
  },
  'PutMedia.ErrorAckCount': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_put_media_error_acks_total',
    meaning: 'Error acks that were sent.',
  },
  'PutMedia.Success': {
    kind: 'success',
    unit: 'Count',
    prometheus: 'kvs_put_media_success',
    meaning: '1 for each fragment that was stored, 0 for each that began and was not.',
  },
  'GetMedia.Requests': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_get_media_requests_total',
    meaning: 'GetMedia calls that named the stream, refused ones included.',
  },
  'GetMedia.OutgoingBytes': {
    kind: 'counter',
    unit: 'Bytes',
    prometheus: 'kvs_get_media_outgoing_bytes_total',
    meaning: 'Bytes sent by GetMedia.',
  },
  'GetMedia.OutgoingFragments': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_get_media_outgoing_fragments_total',
    meaning: 'Fragments sent by GetMedia.',
  },
  'GetMedia.OutgoingFrames': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_get_media_outgoing_frames_total',
    meaning: 'Frames of the fragments sent by GetMedia; a block counts as one.',
  },
  'GetMedia.MillisBehindNow': {
    kind: 'time',
    unit: 'Milliseconds',
    prometheus: 'kvs_get_media_behind_now_seconds',
    meaning: 'How far a reader was behind the newest fragment, at each fragment sent.',
  },
  'GetMedia.ConnectionErrors': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_get_media_connection_errors_total',
    meaning: 'GetMedia calls for the stream that were refused with an exception.',
  },
  'GetMedia.Success': {
    kind: 'success',
    unit: 'Count',
    prometheus: 'kvs_get_media_success',
    meaning: '1 for each fragment that was sent, 0 for each that was damaged or not sent whole.',
  },
  'GetMediaForFragmentList.Requests': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_get_media_for_fragment_list_requests_total',
    meaning: 'GetMediaForFragmentList calls that named the stream, refused ones included.',
  },
  'GetMediaForFragmentList.OutgoingBytes': {
    kind: 'counter',
    unit: 'Bytes',
    prometheus: 'kvs_get_media_for_fragment_list_outgoing_bytes_total',
    meaning: 'Bytes sent by GetMediaForFragmentList.',
  },
  'GetMediaForFragmentList.OutgoingFragments': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_get_media_for_fragment_list_outgoing_fragments_total',
    meaning: 'Fragments sent by GetMediaForFragmentList.',
  },
  'GetMediaForFragmentList.OutgoingFrames': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_get_media_for_fragment_list_outgoing_frames_total',
    meaning: 'Frames of the fragments sent by GetMediaForFragmentList; a block counts as one.',
  },
  'GetMediaForFragmentList.Success': {
    kind: 'success',
    unit: 'Count',
    prometheus: 'kvs_get_media_for_fragment_list_success',
    meaning: '1 for each fragment that was sent, 0 for each that was damaged or not sent whole.',
  },
  'ListFragments.Latency': {
    kind: 'time',
    unit: 'Milliseconds',
    prometheus: 'kvs_list_fragments_latency_seconds',
    meaning: 'How long a ListFragments call took, from its input to its answer.',
  },
  'GetHLSStreamingSessionURL.Requests': {
    kind: 'counter',
    unit: 'Count',
    prometheus: 'kvs_get_hls_streaming_session_url_requests_total',
    meaning: 'GetHLSStreamingSessionURL calls that named the stream, refused ones included.',
  },
  'GetHLSStreamingSessionURL.Success': {
    kind: 'success',
    unit: 'Count',
    prometheus: 'kvs_get_hls_streaming_session_url_success',
    meaning: '1 for each session that was begun, 0 for each that was refused.',
  },
  'GetHLSStreamingSessionURL.Latency': {
    kind: 'time',
    unit: 'Milliseconds',
    prometheus: 'kvs_get_hls_streaming_session_url_latency_seconds',
    meaning: 'How long a GetHLSStreamingSessionURL call took, from its input to its answer.',
  },
} as const;

/** The guide's name of a metric. @internal */
export type MetricName = keyof typeof METRICS;

/** Upper bounds of the classes that times are counted in, ms. @internal */
export const TIME_BUCKETS: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
];
