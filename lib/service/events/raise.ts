import type { ServiceContext } from '../context.js';
import type { FragmentMeta, StreamRecord } from '../store/types.js';
import type { EventKind, TagEvent } from './tag-event.js';

/** Names of the kinds in what is delivered; the first is that of AWS's own messages. */
const TYPES: Readonly<Record<EventKind, string>> = {
  notification: 'PERSISTED',
  image: 'IMAGE_GENERATION',
};

/**
 * Delivers the events of a fragment that is stored, in the form of AWS's notifications. A stream whose
 * configuration is DISABLED raises none. @internal
 */
export function raiseEvents(
  { hook, streams }: ServiceContext,
  stream: StreamRecord,
  meta: FragmentMeta,
  events: readonly TagEvent[],
): void {
  if (hook === undefined || events.length === 0) return;
  // As it is now: the configuration may have changed since the connection began.
  const record = streams.current(stream)?.record;
  if (record === undefined) return;
  for (const { kind, imagePrefix, pairs } of events) {
    const settings = kind === 'image' ? record.images : record.notification;
    if (settings?.Status === 'DISABLED') continue;
    hook.add({
      StreamArn: streams.arn(record),
      FragmentNumber: meta.number.toString(),
      FragmentStartProducerTimestamp: meta.producerTime,
      FragmentStartServerTimestamp: meta.serverTime,
      NotificationType: TYPES[kind],
      NotificationPayload: pairs,
      StreamName: record.name,
      ...(imagePrefix !== undefined && { ImagePrefix: imagePrefix }),
      ...(settings !== undefined && { DestinationUri: settings.DestinationConfig.Uri }),
    });
  }
}
