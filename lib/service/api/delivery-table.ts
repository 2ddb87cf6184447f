import { CHANGE_ERRORS, READ_ERRORS, STREAM_FIELDS } from './common-fields.js';
import type { Field } from './fields.js';
import type { Operation } from './operation.js';

const STATUS: Readonly<Field> = {
  type: 'string',
  values: ['ENABLED', 'DISABLED'],
  required: true,
};
const URI: Readonly<Field> = { type: 'string', min: 1, max: 255, required: true };

const NOTIFICATION: Readonly<Field> = {
  type: 'object',
  fields: {
    Status: STATUS,
    DestinationConfig: { type: 'object', required: true, fields: { Uri: URI } },
  },
};

const IMAGES: Readonly<Field> = {
  type: 'object',
  fields: {
    Status: STATUS,
    ImageSelectorType: {
      type: 'string',
      values: ['SERVER_TIMESTAMP', 'PRODUCER_TIMESTAMP'],
      required: true,
    },
    DestinationConfig: {
      type: 'object',
      required: true,
      fields: { Uri: URI, DestinationRegion: { type: 'string', min: 1, max: 64, required: true } },
    },
    SamplingInterval: { type: 'integer', min: 200, max: 20_000, required: true },
    Format: { type: 'string', values: ['JPEG', 'PNG'], required: true },
    FormatConfig: {
      type: 'map',
      key: { type: 'string', min: 1, values: ['JPEGQuality'] },
      value: { type: 'string', max: 256, pattern: /[1-9][0-9]?|100/ },
    },
    WidthPixels: { type: 'integer', min: 1, max: 3840 },
    HeightPixels: { type: 'integer', min: 1, max: 2160 },
  },
};

/** What is done with the events that producers put into their streams. @internal */
export const DELIVERY_OPERATIONS: readonly Readonly<Operation>[] = [
  {
    name: 'DescribeNotificationConfiguration',
    path: '/describeNotificationConfiguration',
    input: 'json',
    actsOn: 'stream',
    purpose: "Tells a stream's notification configuration, where it has one.",
    fields: STREAM_FIELDS,
    errors: READ_ERRORS,
  },
  {
    name: 'UpdateNotificationConfiguration',
    path: '/updateNotificationConfiguration',
    input: 'json',
    actsOn: 'stream',
    purpose:
      'Stores the configuration, or removes it when none is given. Events go to `--on-event`, not to its `Uri`.',
    fields: { ...STREAM_FIELDS, NotificationConfiguration: NOTIFICATION },
    errors: CHANGE_ERRORS,
  },
  {
    name: 'DescribeImageGenerationConfiguration',
    path: '/describeImageGenerationConfiguration',
    input: 'json',
    actsOn: 'stream',
    purpose: "Tells a stream's image generation configuration, where it has one.",
    fields: STREAM_FIELDS,
    errors: READ_ERRORS,
  },
  {
    name: 'UpdateImageGenerationConfiguration',
    path: '/updateImageGenerationConfiguration',
    input: 'json',
    actsOn: 'stream',
    purpose:
      'Stores the configuration, or removes it when none is given. No images are made: that needs a decoder.',
    fields: { ...STREAM_FIELDS, ImageGenerationConfiguration: IMAGES },
    errors: CHANGE_ERRORS,
  },
];
