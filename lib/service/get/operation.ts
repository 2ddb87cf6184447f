import { findMedia } from '../control/find-stream.js';
import type { ServiceContext } from '../context.js';
import { ServiceError } from '../errors.js';
import type { Call, Handler } from '../http/front.js';
import type { StreamHub } from '../hub.js';
import { KEY_ERRORS, KeyError } from '../keys/key-error.js';
import { countMediaCall } from '../metrics/calls.js';
import type { FragmentRecord } from '../store/types.js';
import { Input } from '../api/input.js';
import { errorTags, fragmentTags, positionTags } from './layout.js';
import { resolveStart } from './selector.js';
import { isDamage, type FragmentSender } from './sender.js';
import { beginMedia, mediaSource, sendMedia } from './session.js';

/** Entries of the index that a reader looks at in one go. */
const PAGE = 32;

/** Handler of GetMedia. @internal */
export function getMediaHandler(context: ServiceContext): Handler {
  return {
    kind: 'stream',
    run: (call) => countMediaCall(context, 'GetMedia', call, () => getMedia(context, call)),
  };
}

async function getMedia(context: ServiceContext, call: Call): Promise<void> {
  const { record } = findMedia(context, call);
  // Before readers are counted: between the count and the new one nothing may be waited for.
  const source = await mediaSource(context, call, record);
  const hub = context.hubs.of(record.id);
  const { limits } = context.options;
  if (hub.consumers >= limits.getMediaReaders) {
    throw new ServiceError(
      'ConnectionLimitExceededException',
      `Stream ${record.name} has ${String(limits.getMediaReaders)} GetMedia readers, the most it may have.`,
    );
  }
  await sendMedia(context, 'GetMedia', call, source, async ({ sender, signal, stop }) => {
    const consumer = { stop };
    hub.addConsumer(consumer);
    try {
      const selector = call.input.object('StartSelector') ?? new Input({});
      const start = await resolveStart(context.store.index, record.id, selector);
      beginMedia(call);
      if (source.refused !== undefined) throw source.refused;
      if (start.kind === 'from') await sendFrom({ context, hub, sender, signal }, start.number);
      else await sender.tags(errorTags(4000, 'Requested fragment is not found'));
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      context.options.log('warn', `GetMedia ended: ${error.message}`, { stream: record.name });
      await sender.tags(errorTags(error.id, KEY_ERRORS[error.id]));
    } finally {
      hub.removeConsumer(consumer);
    }
  });
}

interface Tail {
  readonly context: ServiceContext;
  readonly hub: StreamHub;
  readonly sender: FragmentSender;
  readonly signal: AbortSignal;
}

/** Sends what is stored from `first` on and then each fragment as it becomes readable. */
async function sendFrom({ context, hub, sender, signal }: Tail, first: bigint): Promise<void> {
  let from = first;
  while (!signal.aborted && !hub.deleted) {
    // Both are read before the index, so that nothing can come in between unseen.
    const { version } = hub.tail;
    const before = hub.tail.horizon();
    const page = await context.store.index.byNumber(hub.id, {
      from,
      limit: PAGE,
      ...(before !== undefined && { before }),
    });
    for (const record of page) {
      await sendFragment({ context, hub, sender, signal }, record);
      from = record.number + 1n;
    }
    if (page.length === 0) await hub.tail.newerThan(version, signal);
  }
}

async function sendFragment({ context, hub, sender }: Tail, record: FragmentRecord): Promise<void> {
  try {
    await sender.fragment(record, fragmentTags(record));
  } catch (error) {
    if (!isDamage(error)) throw error;
    // A reader that stopped here would never get past; the operator has to know.
    context.tally.damaged += 1;
    context.options.log('error', `GetMedia left out a fragment: ${error.message}`);
    return;
  }
  // A live reader's last bytes do not wait for the index: the hub knows what came last.
  const newest = hub.tail.newest ?? (await newestStored(context, hub));
  const behind = Math.max(0, (newest?.serverTime ?? record.serverTime) - record.serverTime);
  await sender.tags(positionTags(record, behind));
  sender.meter.add('GetMedia.MillisBehindNow', behind);
}

async function newestStored(
  { store }: ServiceContext,
  hub: StreamHub,
): Promise<FragmentRecord | undefined> {
  const [newest] = await store.index.byNumber(hub.id, { limit: 1, order: 'descending' });
  return newest;
}
