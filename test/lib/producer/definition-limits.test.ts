import { describe, expect, it } from 'vitest';
import type { StatusName } from '../../../lib/generated/status.js';
import { checkDefinition } from '../../../lib/producer/definition/definition-check.js';
import type { StreamDefinition } from '../../../lib/producer/definition/stream-definition.js';

const HOUR = 3_600_000;
const text = (length: number): string => 'a'.repeat(length);
const tags = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_unused, i) => [`tag${i}`, 'x']));

/** Each limit of the guide that a definition can break: what is just taken, and what is not. */
const ROWS: readonly (readonly [string, StreamDefinition, StreamDefinition, StatusName])[] = [
  [
    'streamName',
    { streamName: text(256) },
    { streamName: text(257) },
    'STATUS_INVALID_STREAM_NAME_LENGTH',
  ],
  [
    'contentType',
    { contentType: text(128) },
    { contentType: text(129) },
    'STATUS_MKV_INVALID_CONTENT_TYPE_LENGTH',
  ],
  ['kmsKeyId', { kmsKeyId: text(2048) }, { kmsKeyId: text(2049) }, 'STATUS_INVALID_ARG_LEN'],
  ['tags', { tags: tags(50) }, { tags: tags(51) }, 'STATUS_MAX_TAG_COUNT'],
  [
    'tag name',
    { tags: { [text(128)]: 'x' } },
    { tags: { [text(129)]: 'x' } },
    'STATUS_INVALID_TAG_NAME_LEN',
  ],
  [
    'tag value',
    { tags: { name: text(1024) } },
    { tags: { name: text(1025) } },
    'STATUS_INVALID_TAG_VALUE_LEN',
  ],
  [
    'retentionPeriod, short',
    { retentionPeriod: HOUR },
    { retentionPeriod: HOUR / 2 },
    'STATUS_INVALID_RETENTION_PERIOD',
  ],
  [
    'retentionPeriod, long',
    { retentionPeriod: 87_600 * HOUR },
    { retentionPeriod: 87_601 * HOUR },
    'STATUS_INVALID_RETENTION_PERIOD',
  ],
  [
    'timecodeScale, small',
    { timecodeScale: 0.3052 },
    { timecodeScale: 0.3051 },
    'STATUS_MKV_INVALID_TIMECODE_SCALE',
  ],
  [
    'timecodeScale, small, of short fragments',
    { timecodeScale: 0.0306, maxFragmentDuration: 1000, minFragmentDuration: 0 },
    { timecodeScale: 0.0305, maxFragmentDuration: 1000, minFragmentDuration: 0 },
    'STATUS_MKV_INVALID_TIMECODE_SCALE',
  ],
  [
    'timecodeScale, large',
    { timecodeScale: 1000 },
    { timecodeScale: 1001 },
    'STATUS_MKV_INVALID_TIMECODE_SCALE',
  ],
  [
    'fragmentDuration, short',
    { fragmentDuration: 1000 },
    { fragmentDuration: 999 },
    'STATUS_MKV_INVALID_CLUSTER_DURATION',
  ],
  [
    'fragmentDuration, long',
    { fragmentDuration: 20_000 },
    { fragmentDuration: 20_001 },
    'STATUS_MKV_INVALID_CLUSTER_DURATION',
  ],
  [
    'maxFragmentDuration',
    { maxFragmentDuration: 20_000 },
    { maxFragmentDuration: 20_001 },
    'STATUS_MKV_INVALID_CLUSTER_DURATION',
  ],
  [
    'minFragmentDuration',
    { minFragmentDuration: 9999 },
    { minFragmentDuration: 10_000 },
    'STATUS_MKV_INVALID_CLUSTER_DURATION',
  ],
  [
    'bufferDuration',
    { bufferDuration: 20_000 },
    { bufferDuration: 19_999 },
    'STATUS_INVALID_CONTENT_VIEW_DURATION',
  ],
  [
    'sessionDuration',
    { sessionDuration: 2_700_000 },
    { sessionDuration: 2_700_001 },
    'STATUS_INVALID_ARG',
  ],
  [
    'sessionDuration, endless',
    { sessionDuration: Infinity },
    { sessionDuration: 1e300 },
    'STATUS_INVALID_ARG',
  ],
  ['codecId', { codecId: text(32) }, { codecId: text(33) }, 'STATUS_MKV_INVALID_CODEC_ID_LENGTH'],
  [
    'trackName',
    { trackName: text(32) },
    { trackName: text(33) },
    'STATUS_MKV_INVALID_TRACK_NAME_LENGTH',
  ],
  [
    'codecPrivateData',
    { codecPrivateData: new Uint8Array(2 ** 20) },
    { codecPrivateData: new Uint8Array(2 ** 20 + 1) },
    'STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH',
  ],
  [
    'trackId',
    { tracks: [{ trackId: 1 }] },
    { tracks: [{ trackId: 0 }] },
    'STATUS_MKV_INVALID_TRACK_UID',
  ],
  [
    'nalAdaptationFlags',
    { nalAdaptationFlags: 40 },
    { nalAdaptationFlags: 64 },
    'STATUS_INVALID_ARG',
  ],
];

describe('a limit of the stream definition', () => {
  it.each(ROWS)('%s is taken up to it and refused beyond', (_name, good, bad, status) => {
    expect(() => checkDefinition(good)).not.toThrow();
    expect(() => checkDefinition(bad)).toThrow(expect.objectContaining({ status }));
  });
});
