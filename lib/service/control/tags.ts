import { ServiceError } from '../errors.js';
import type { Call } from '../http/front.js';
import type { ServiceContext } from '../context.js';
import { findStream } from './find-stream.js';

/** TagStream and TagResource: the first has its tags as a map, the second as a list. @internal */
export async function tagStream(context: ServiceContext, call: Call): Promise<object | undefined> {
  const { record } = findStream(context, call);
  const listed = call.input
    .objects('Tags')
    .map((tag) => [tag.string('Key') ?? '', tag.string('Value') ?? ''] as const);
  const given = [...call.input.entries('Tags'), ...listed];
  const tags = { ...record.tags, ...Object.fromEntries(given) };
  const { tagsPerStream } = context.options.limits;
  if (Object.keys(tags).length > tagsPerStream) {
    throw new ServiceError(
      'TagsPerResourceExceededLimitException',
      `A stream may have ${String(tagsPerStream)} tags; remove some with UntagStream first.`,
    );
  }
  await context.streams.update(record, { tags, version: record.version });
  return {};
}

/** UntagStream and UntagResource. @internal */
export async function untagStream(context: ServiceContext, call: Call): Promise<object> {
  const { record } = findStream(context, call);
  const gone = new Set(call.input.strings('TagKeyList'));
  const kept = Object.entries(record.tags).filter(([key]) => !gone.has(key));
  await context.streams.update(record, {
    tags: Object.fromEntries(kept),
    version: record.version,
  });
  return {};
}

/** ListTagsForStream and ListTagsForResource: one page holds all 50. @internal */
export function listTags(context: ServiceContext, call: Call): object {
  return { Tags: findStream(context, call).record.tags };
}
