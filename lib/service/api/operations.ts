import type { ServiceErrorName } from '../errors.js';
import type { Field, Fields } from './fields.js';

/* The one table of operations: routing, validation, documentation and the conformance tests are
   made from it. Patterns, lengths and defaults are those of the guide's API reference. */

/** Name of an operation. @internal */
export type OperationName =
  | 'CreateStream'
  | 'DeleteStream'
  | 'DescribeStream'
  | 'GetDataEndpoint'
  | 'ListStreams'
  | 'ListTagsForStream'
  | 'TagStream'
  | 'UntagStream'
  | 'UpdateDataRetention'
  | 'UpdateStream'
  | 'TagResource'
  | 'UntagResource'
  | 'ListTagsForResource'
  | 'PutMedia'
  | 'GetMedia'
  | 'ListFragments'
  | 'GetMediaForFragmentList';

/** What the service knows of an operation. @internal */
export interface Operation {
  readonly name: OperationName;
  /** `POST` to this path calls it. */
  readonly path: string;
  /** `headers`: parameters in HTTP headers, the body is media. */
  readonly input: 'json' | 'headers';
  readonly fields: Fields;
  /** Exceptions besides those common to all operations. */
  readonly errors: readonly ServiceErrorName[];
  /** One sentence for the documentation. */
  readonly purpose: string;
}

const STREAM_NAME_FIELD = {
  type: 'string',
  min: 1,
  max: 256,
  pattern: /[a-zA-Z0-9_.-]+/,
} as const;

const STREAM_ARN_FIELD = {
  type: 'string',
  min: 1,
  max: 1024,
  pattern: /arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+\/[a-zA-Z0-9_.-]+\/[0-9]+/,
} as const;

const DEVICE_NAME_FIELD = {
  type: 'string',
  min: 1,
  max: 128,
  pattern: /[a-zA-Z0-9_.-]+/,
} as const;

/** One type, or several joined by commas, as today's clients send for audio and video. */
const MEDIA_TYPE_FIELD = {
  type: 'string',
  min: 1,
  max: 128,
  pattern: /[\w\-.+]+\/[\w\-.+]+(,[\w\-.+]+\/[\w\-.+]+)*/,
} as const;

const VERSION_FIELD = { type: 'string', min: 1, max: 64, pattern: /[a-zA-Z0-9]+/ } as const;
const TAG_KEY_FIELD = { type: 'string', min: 1, max: 128 } as const;
const TAG_VALUE_FIELD = { type: 'string', min: 0, max: 256 } as const;
const FRAGMENT_NUMBER_FIELD = { type: 'string', min: 1, max: 128, pattern: /[0-9]+/ } as const;
const TAG_KEYS_FIELD = {
  type: 'list',
  of: TAG_KEY_FIELD,
  min: 1,
  max: 50,
  required: true,
} as const;

const TAGS_FIELD = { type: 'map', key: TAG_KEY_FIELD, value: TAG_VALUE_FIELD } as const;

const STREAM_FIELDS = { StreamARN: STREAM_ARN_FIELD, StreamName: STREAM_NAME_FIELD } as const;

const READ_ERRORS = [
  'ClientLimitExceededException',
  'InvalidArgumentException',
  'NotAuthorizedException',
  'ResourceNotFoundException',
] as const;

const MEDIA_ERRORS = [
  ...READ_ERRORS,
  'ConnectionLimitExceededException',
  'InvalidEndpointException',
] as const;

const TAG_ERRORS = [...READ_ERRORS, 'InvalidResourceFormatException'] as const;
const CHANGE_ERRORS = [
  ...READ_ERRORS,
  'ResourceInUseException',
  'VersionMismatchException',
] as const;

const TIMESTAMP_RANGE: Field = {
  type: 'object',
  required: true,
  fields: {
    StartTimestamp: { type: 'timestamp', required: true },
    EndTimestamp: { type: 'timestamp', required: true },
  },
};

/** Values of `GetDataEndpoint`'s APIName, those of today's clients included. */
const API_NAMES = [
  'PUT_MEDIA',
  'GET_MEDIA',
  'LIST_FRAGMENTS',
  'GET_MEDIA_FOR_FRAGMENT_LIST',
  'GET_HLS_STREAMING_SESSION_URL',
  'GET_DASH_STREAMING_SESSION_URL',
  'GET_CLIP',
  'GET_IMAGES',
] as const;

/** Every operation of the service. @internal */
export const OPERATIONS: readonly Operation[] = [
  {
    name: 'CreateStream',
    path: '/createStream',
    input: 'json',
    purpose: 'Makes a stream; answers with its ARN.',
    fields: {
      DataRetentionInHours: { type: 'integer', min: 0, max: 87_600 },
      DeviceName: DEVICE_NAME_FIELD,
      KmsKeyId: { type: 'string', min: 1, max: 2048 },
      MediaType: MEDIA_TYPE_FIELD,
      StreamName: { ...STREAM_NAME_FIELD, required: true },
      Tags: TAGS_FIELD,
    },
    errors: [
      'AccountStreamLimitExceededException',
      'ClientLimitExceededException',
      'DeviceStreamLimitExceededException',
      'InvalidArgumentException',
      'InvalidDeviceException',
      'ResourceInUseException',
      'TagsPerResourceExceededLimitException',
    ],
  },
  {
    name: 'DeleteStream',
    path: '/deleteStream',
    input: 'json',
    purpose: 'Deletes a stream and its media.',
    fields: { CurrentVersion: VERSION_FIELD, StreamARN: { ...STREAM_ARN_FIELD, required: true } },
    errors: CHANGE_ERRORS,
  },
  {
    name: 'DescribeStream',
    path: '/describeStream',
    input: 'json',
    purpose: 'Tells what is known of a stream.',
    fields: STREAM_FIELDS,
    errors: READ_ERRORS,
  },
  {
    name: 'GetDataEndpoint',
    path: '/getDataEndpoint',
    input: 'json',
    purpose: 'Tells where to send or read media: at this service itself.',
    fields: {
      APIName: { type: 'string', values: API_NAMES, required: true },
      ...STREAM_FIELDS,
    },
    errors: READ_ERRORS,
  },
  {
    name: 'ListStreams',
    path: '/listStreams',
    input: 'json',
    purpose: 'Lists streams by name, in pages.',
    fields: {
      MaxResults: { type: 'integer', min: 1, max: 10_000 },
      NextToken: { type: 'string', min: 0, max: 512 },
      StreamNameCondition: {
        type: 'object',
        fields: {
          ComparisonOperator: { type: 'string', values: ['BEGINS_WITH'] },
          ComparisonValue: STREAM_NAME_FIELD,
        },
      },
    },
    errors: ['ClientLimitExceededException', 'InvalidArgumentException'],
  },
  {
    name: 'ListTagsForStream',
    path: '/listTagsForStream',
    input: 'json',
    purpose: 'Lists the tags of a stream.',
    fields: { NextToken: { type: 'string', min: 0, max: 512 }, ...STREAM_FIELDS },
    errors: TAG_ERRORS,
  },
  {
    name: 'TagStream',
    path: '/tagStream',
    input: 'json',
    purpose: 'Adds tags to a stream; a known key gets the new value.',
    fields: { ...STREAM_FIELDS, Tags: { ...TAGS_FIELD, required: true } },
    errors: [...TAG_ERRORS, 'TagsPerResourceExceededLimitException'],
  },
  {
    name: 'UntagStream',
    path: '/untagStream',
    input: 'json',
    purpose: 'Removes tags; unknown keys are passed over.',
    fields: { ...STREAM_FIELDS, TagKeyList: TAG_KEYS_FIELD },
    errors: TAG_ERRORS,
  },
  {
    name: 'UpdateDataRetention',
    path: '/updateDataRetention',
    input: 'json',
    purpose: 'Makes the retention of a stream longer or shorter by a number of hours.',
    fields: {
      CurrentVersion: { ...VERSION_FIELD, required: true },
      DataRetentionChangeInHours: { type: 'integer', min: 1, max: 87_600, required: true },
      Operation: {
        type: 'string',
        values: ['INCREASE_DATA_RETENTION', 'DECREASE_DATA_RETENTION'],
        required: true,
      },
      ...STREAM_FIELDS,
    },
    errors: CHANGE_ERRORS,
  },
  {
    name: 'UpdateStream',
    path: '/updateStream',
    input: 'json',
    purpose: 'Changes the device name and media type of a stream.',
    fields: {
      CurrentVersion: { ...VERSION_FIELD, required: true },
      DeviceName: DEVICE_NAME_FIELD,
      MediaType: MEDIA_TYPE_FIELD,
      ...STREAM_FIELDS,
    },
    errors: CHANGE_ERRORS,
  },
  {
    name: 'TagResource',
    path: '/TagResource',
    input: 'json',
    purpose: 'TagStream by ARN, with tags as a list.',
    fields: {
      ResourceARN: { ...STREAM_ARN_FIELD, required: true },
      Tags: {
        type: 'list',
        min: 1,
        max: 50,
        required: true,
        of: {
          type: 'object',
          fields: {
            Key: { ...TAG_KEY_FIELD, required: true },
            Value: { ...TAG_VALUE_FIELD, required: true },
          },
        },
      },
    },
    errors: [...READ_ERRORS, 'TagsPerResourceExceededLimitException'],
  },
  {
    name: 'UntagResource',
    path: '/UntagResource',
    input: 'json',
    purpose: 'UntagStream by ARN.',
    fields: { ResourceARN: { ...STREAM_ARN_FIELD, required: true }, TagKeyList: TAG_KEYS_FIELD },
    errors: READ_ERRORS,
  },
  {
    name: 'ListTagsForResource',
    path: '/ListTagsForResource',
    input: 'json',
    purpose: 'ListTagsForStream by ARN.',
    fields: {
      NextToken: { type: 'string', min: 0, max: 512 },
      ResourceARN: { ...STREAM_ARN_FIELD, required: true },
    },
    errors: READ_ERRORS,
  },
  {
    name: 'PutMedia',
    path: '/putMedia',
    input: 'headers',
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
    purpose: 'Sends the stored media of the fragments named.',
    fields: {
      Fragments: { type: 'list', of: FRAGMENT_NUMBER_FIELD, min: 1, max: 1000, required: true },
      ...STREAM_FIELDS,
    },
    errors: READ_ERRORS,
  },
];
