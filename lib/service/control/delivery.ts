import type { Input } from '../api/input.js';
import type { ServiceContext } from '../context.js';
import { ServiceError } from '../errors.js';
import type { Call } from '../http/front.js';
import type { ImageGenerationConfiguration, NotificationConfiguration } from '../store/types.js';
import { findStream } from './find-stream.js';

/* What a stream's events are for. Neither changes the stream's version: no call names one. */

/** @internal */
export function describeNotification(context: ServiceContext, call: Call): object {
  const { notification } = findStream(context, call).record;
  return { NotificationConfiguration: notification };
}

/** Without a configuration there is none any more. @internal */
export async function updateNotification(context: ServiceContext, call: Call): Promise<object> {
  const { record } = findStream(context, call);
  const given = call.input.object('NotificationConfiguration');
  const notification = given && notificationOf(given);
  await context.streams.update(record, { notification, version: record.version });
  return {};
}

/** @internal */
export function describeImages(context: ServiceContext, call: Call): object {
  const { images } = findStream(context, call).record;
  return { ImageGenerationConfiguration: images };
}

/** Without a configuration there is none any more. @internal */
export async function updateImages(context: ServiceContext, call: Call): Promise<object> {
  const { record } = findStream(context, call);
  const given = call.input.object('ImageGenerationConfiguration');
  const images = given && imagesOf(given);
  const region = images?.DestinationConfig.DestinationRegion ?? context.options.region;
  if (region !== context.options.region) {
    throw new ServiceError(
      'InvalidArgumentException',
      `DestinationRegion ${region} is not the stream's, ${context.options.region}.`,
    );
  }
  await context.streams.update(record, { images, version: record.version });
  return {};
}

function notificationOf(given: Input): NotificationConfiguration {
  return {
    Status: statusOf(given),
    DestinationConfig: { Uri: given.object('DestinationConfig')?.string('Uri') ?? '' },
  };
}

function imagesOf(given: Input): ImageGenerationConfiguration {
  const destination = given.object('DestinationConfig');
  const width = given.number('WidthPixels');
  const height = given.number('HeightPixels');
  const format = given.entries('FormatConfig');
  return {
    Status: statusOf(given),
    ImageSelectorType: given.string('ImageSelectorType') ?? '',
    DestinationConfig: {
      Uri: destination?.string('Uri') ?? '',
      DestinationRegion: destination?.string('DestinationRegion') ?? '',
    },
    SamplingInterval: given.number('SamplingInterval') ?? 0,
    Format: given.string('Format') ?? '',
    ...(format.length > 0 && { FormatConfig: Object.fromEntries(format) }),
    ...(width !== undefined && { WidthPixels: width }),
    ...(height !== undefined && { HeightPixels: height }),
  };
}

function statusOf(given: Input): 'ENABLED' | 'DISABLED' {
  return given.string('Status') === 'ENABLED' ? 'ENABLED' : 'DISABLED';
}
