import type { ServiceErrorName } from '../errors.js';
import type { Field, Fields, MapField, StringField } from './fields.js';

/* Rules that several operations share, as the guide's API reference states them. */

/** @internal */
export const STREAM_NAME_FIELD: Readonly<StringField> = {
  type: 'string',
  min: 1,
  max: 256,
  pattern: /[a-zA-Z0-9_.-]+/,
};

/** @internal */
export const STREAM_ARN_FIELD: Readonly<StringField> = {
  type: 'string',
  min: 1,
  max: 1024,
  pattern: /arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+\/[a-zA-Z0-9_.-]+\/[0-9]+/,
};

/** @internal */
export const DEVICE_NAME_FIELD: Readonly<StringField> = {
  type: 'string',
  min: 1,
  max: 128,
  pattern: /[a-zA-Z0-9_.-]+/,
};

/** One type, or several joined by commas, as today's clients send for audio and video. @internal */
export const MEDIA_TYPE_FIELD: Readonly<StringField> = {
  type: 'string',
  min: 1,
  max: 128,
  pattern: /[\w\-.+]+\/[\w\-.+]+(,[\w\-.+]+\/[\w\-.+]+)*/,
};

/** @internal */
export const VERSION_FIELD: Readonly<StringField> = {
  type: 'string',
  min: 1,
  max: 64,
  pattern: /[a-zA-Z0-9]+/,
};
/** @internal */
export const TAG_KEY_FIELD: Readonly<StringField> = { type: 'string', min: 1, max: 128 };
/** @internal */
export const TAG_VALUE_FIELD: Readonly<StringField> = { type: 'string', min: 0, max: 256 };
/** @internal */
export const FRAGMENT_NUMBER_FIELD: Readonly<StringField> = {
  type: 'string',
  min: 1,
  max: 128,
  pattern: /[0-9]+/,
};
/** @internal */
export const TAG_KEYS_FIELD: Readonly<Field> = {
  type: 'list',
  of: TAG_KEY_FIELD,
  min: 1,
  max: 50,
  required: true,
};

/** @internal */
export const TAGS_FIELD: Readonly<MapField> = {
  type: 'map',
  key: TAG_KEY_FIELD,
  value: TAG_VALUE_FIELD,
};

/** @internal */
export const STREAM_FIELDS: Readonly<Fields> = {
  StreamARN: STREAM_ARN_FIELD,
  StreamName: STREAM_NAME_FIELD,
};

/** @internal */
export const READ_ERRORS: readonly ServiceErrorName[] = [
  'ClientLimitExceededException',
  'InvalidArgumentException',
  'NotAuthorizedException',
  'ResourceNotFoundException',
];

/** @internal */
export const MEDIA_ERRORS: readonly ServiceErrorName[] = [
  ...READ_ERRORS,
  'ConnectionLimitExceededException',
  'InvalidEndpointException',
];

/** @internal */
export const TAG_ERRORS: readonly ServiceErrorName[] = [
  ...READ_ERRORS,
  'InvalidResourceFormatException',
];
/** @internal */
export const CHANGE_ERRORS: readonly ServiceErrorName[] = [
  ...READ_ERRORS,
  'ResourceInUseException',
  'VersionMismatchException',
];

/** @internal */
export const TIMESTAMP_RANGE: Readonly<Field> = {
  type: 'object',
  required: true,
  fields: {
    StartTimestamp: { type: 'timestamp', required: true },
    EndTimestamp: { type: 'timestamp', required: true },
  },
};

/** Values of `GetDataEndpoint`'s APIName, those of today's clients included. @internal */
export const API_NAMES: readonly string[] = [
  'PUT_MEDIA',
  'GET_MEDIA',
  'LIST_FRAGMENTS',
  'GET_MEDIA_FOR_FRAGMENT_LIST',
  'GET_HLS_STREAMING_SESSION_URL',
  'GET_DASH_STREAMING_SESSION_URL',
  'GET_CLIP',
  'GET_IMAGES',
];
