import { MKV_ID, StreamingMkvReader, readString, type MkvTag } from '../../parser/index.js';

/** What a producer asks for by a tag of the service's own (guide: notifications, images). @internal */
export type EventKind = 'notification' | 'image';

/** An event that a producer put before a fragment. @internal */
export interface TagEvent {
  readonly kind: EventKind;
  /** Where the producer wants its images, in front of their names. */
  readonly imagePrefix: string | undefined;
  /** What the producer says of it. */
  readonly pairs: Readonly<Record<string, string>>;
}

/** Names of the tags that raise an event, and which. */
const KINDS: ReadonlyMap<string, EventKind> = new Map([
  ['AWS_KINESISVIDEO_NOTIFICATION', 'notification'],
  ['AWS_KINESISVIDEO_IMAGE_GENERATION', 'image'],
]);
const IMAGE_PREFIX = 'AWS_KINESISVIDEO_IMAGE_PREFIX';

/** Whether a tag of this name raises an event. @internal */
export function raisesEvent(name: string): boolean {
  return KINDS.has(name);
}

/** The events of a whole Tags element: its other tags belong to each of them. @internal */
export function eventsOf(element: Uint8Array): readonly TagEvent[] {
  const tags = simpleTags(element);
  const pairs = tags.filter(({ name }) => name !== IMAGE_PREFIX && !KINDS.has(name));
  const about = {
    imagePrefix: tags.find(({ name }) => name === IMAGE_PREFIX)?.value,
    pairs: Object.fromEntries(pairs.map(({ name, value }) => [name, value])),
  };
  return tags.flatMap(({ name }) => {
    const kind = KINDS.get(name);
    return kind === undefined ? [] : [{ kind, ...about }];
  });
}

/** A tag that raises an event may have no value at all. */
function simpleTags(element: Uint8Array): readonly MkvTag[] {
  const reader = new StreamingMkvReader();
  reader.push(element);
  reader.end();
  const tags: { name: string; value: string }[] = [];
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    if (event.kind === 'masterStart' && event.id === MKV_ID.SIMPLE_TAG) {
      tags.push({ name: '', value: '' });
    }
    const tag = tags.at(-1);
    if (event.kind !== 'element' || tag === undefined) continue;
    if (event.id === MKV_ID.TAG_NAME) tag.name = readString(event.data);
    if (event.id === MKV_ID.TAG_STRING) tag.value = readString(event.data);
  }
  return tags;
}
