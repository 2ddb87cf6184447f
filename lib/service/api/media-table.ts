import {
  STREAM_NAME_FIELD,
  STREAM_ARN_FIELD,
  FRAGMENT_NUMBER_FIELD,
  STREAM_FIELDS,
  READ_ERRORS,
  MEDIA_ERRORS,
  TIMESTAMP_RANGE,
} from './common-fields.js';
import type { Operation } from './operation.js';

/** Media, live and archived. @internal */
export const MEDIA_OPERATIONS: readonly Readonly<Operation>[] = [
  {
    name: 'PutMedia',
    path: '/putMedia',
    input: 'headers',
    actsOn: 'stream',
    purpose: 'Takes media for as long as the producer sends it, and acknowledges every fragment.',
    fields: {
      StreamName: { ...STREAM_NAME_FIELD, header: 'x-amzn-stream-name' },
      StreamARN: { ...STREAM_ARN_FIELD, header: 'x-amzn-stream-arn' },
      FragmentTimecodeType: {
        type: 'string',
        values: ['ABSOLUTE', 'RELATIVE'],
        required: true,
        header: 'x-amzn-fragment-timecode-type',
      },
      ProducerStartTimestamp: { type: 'timestamp', header: 'x-amzn-producer-start-timestamp' },
      FragmentAcknowledgmentRequired: {
        type: 'string',
        values: ['0', '1', 'true', 'false'],
        header: 'x-amzn-fragment-acknowledgment-required',
      },
    },
    errors: MEDIA_ERRORS,
  },
  {
    name: 'GetMedia',
    path: '/getMedia',
    input: 'json',
    actsOn: 'stream',
    purpose: 'Sends stored media from a chosen fragment on, and then what comes in.',
    fields: {
      StartSelector: {
        type: 'object',
        required: true,
        fields: {
          AfterFragmentNumber: FRAGMENT_NUMBER_FIELD,
          ContinuationToken: {
            type: 'string',
            min: 1,
            max: 128,
            pattern: /[a-zA-Z0-9_.-]+/,
          },
          StartSelectorType: {
            type: 'string',
            required: true,
            values: [
              'FRAGMENT_NUMBER',
              'SERVER_TIMESTAMP',
              'PRODUCER_TIMESTAMP',
              'NOW',
              'EARLIEST',
              'CONTINUATION_TOKEN',
            ],
          },
          StartTimestamp: { type: 'timestamp' },
        },
      },
      ...STREAM_FIELDS,
    },
    errors: MEDIA_ERRORS,
  },
  {
    name: 'ListFragments',
    path: '/listFragments',
    input: 'json',
    actsOn: 'stream',
    purpose: 'Lists stored fragments by producer or server time, in pages.',
    fields: {
      FragmentSelector: {
        type: 'object',
        fields: {
          FragmentSelectorType: {
            type: 'string',
            required: true,
            values: ['PRODUCER_TIMESTAMP', 'SERVER_TIMESTAMP'],
          },
          TimestampRange: TIMESTAMP_RANGE,
        },
      },
      MaxResults: { type: 'integer', min: 1, max: 1000 },
      NextToken: { type: 'string', min: 1, max: 4096 },
      ...STREAM_FIELDS,
    },
    errors: READ_ERRORS,
  },
  {
    name: 'GetMediaForFragmentList',
    path: '/getMediaForFragmentList',
    input: 'json',
    actsOn: 'stream',
    purpose: 'Sends the stored media of the fragments named.',
    fields: {
      Fragments: { type: 'list', of: FRAGMENT_NUMBER_FIELD, min: 1, max: 1000, required: true },
      ...STREAM_FIELDS,
    },
    errors: READ_ERRORS,
  },
  {
    name: 'GetHLSStreamingSessionURL',
    path: '/getHLSStreamingSessionURL',
    input: 'json',
    actsOn: 'stream',
    purpose: 'Begins an HLS session; answers with the URL that a player opens without credentials.',
    fields: {
      ContainerFormat: { type: 'string', values: ['FRAGMENTED_MP4', 'MPEG_TS'] },
      DiscontinuityMode: { type: 'string', values: ['ALWAYS', 'NEVER', 'ON_DISCONTINUITY'] },
      DisplayFragmentTimestamp: { type: 'string', values: ['ALWAYS', 'NEVER'] },
      Expires: { type: 'integer', min: 300, max: 43_200 },
      HLSFragmentSelector: {
        type: 'object',
        fields: {
          FragmentSelectorType: {
            type: 'string',
            values: ['PRODUCER_TIMESTAMP', 'SERVER_TIMESTAMP'],
          },
          TimestampRange: {
            type: 'object',
            fields: {
              StartTimestamp: { type: 'timestamp', required: true },
              EndTimestamp: { type: 'timestamp' },
            },
          },
        },
      },
      MaxMediaPlaylistFragmentResults: { type: 'integer', min: 1, max: 5000 },
      PlaybackMode: { type: 'string', values: ['LIVE', 'LIVE_REPLAY', 'ON_DEMAND'] },
      ...STREAM_FIELDS,
    },
    errors: [
      ...READ_ERRORS,
      'InvalidCodecPrivateDataException',
      'MissingCodecPrivateDataException',
      'NoDataRetentionException',
      'UnsupportedStreamMediaTypeException',
    ],
  },
];
