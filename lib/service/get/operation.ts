import { findStream } from '../control/operations.js';
import type { ServiceContext } from '../context.js';
import { ServiceError } from '../errors.js';
import type { Call, Handler } from '../http/front.js';
import type { StreamHub } from '../hub.js';
import { Pacer } from '../pacer.js';
import type { FragmentRecord } from '../store/types.js';
import { Input } from '../api/input.js';
import { errorTags, fragmentTags, positionTags } from './layout.js';
import { resolveStart } from './selector.js';
import { FragmentSender, isDamage } from './sender.js';

/** Entries of the index that a reader looks at in one go. */
const PAGE = 32;

/** Handler of GetMedia. @internal */
export function getMediaHandler(context: ServiceContext): Handler {
  return { kind: 'stream', run: (call) => getMedia(context, call) };
}

async function getMedia(context: ServiceContext, call: Call): Promise<void> {
  const { record } = findStream(context, call);
  const hub = context.hubs.of(record.id);
  const { limits, clock } = context.options;
  if (hub.consumers >= limits.getMediaReaders) {
    throw new ServiceError(
      'ConnectionLimitExceededException',
      `Stream ${record.name} has ${String(limits.getMediaReaders)} GetMedia readers, the most it may have.`,
    );
  }
  const { response } = call;
  const ended = new AbortController();
  const stop = (): void => {
    ended.abort();
  };
  const consumer = { stop };
  hub.addConsumer(consumer);
  response.on('close', stop);
  const sender = new FragmentSender({
    store: context.store,
    stream: record.id,
    response,
    pacer: new Pacer(limits.getMediaBytesPerSecond, clock),
    signal: ended.signal,
  });
  const tail: Tail = { context, hub, sender, signal: ended.signal };
  try {
    const start = await resolveStart(
      context.store,
      record.id,
      call.input.object('StartSelector') ?? new Input({}),
    );
    response.writeHead(200, { 'content-type': 'video/webm' });
    response.flushHeaders();
    if (start.kind === 'from') await sendFrom(tail, start.number);
    else await sender.tags(errorTags(4000, 'Requested fragment is not found'));
  } catch (error) {
    if (!ended.signal.aborted) throw error;
  } finally {
    hub.removeConsumer(consumer);
    response.removeListener('close', stop);
    await sender.close();
  }
  response.end();
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
  while (!signal.aborted) {
    // Both are read before the index, so that nothing can come in between unseen.
    const version = hub.version;
    const before = hub.horizon();
    const page = await context.store.byNumber(hub.id, {
      from,
      limit: PAGE,
      ...(before !== undefined && { before }),
    });
    for (const record of page) {
      await sendFragment({ context, hub, sender, signal }, record);
      from = record.number + 1n;
    }
    if (page.length === 0) await hub.newerThan(version, signal);
  }
}

async function sendFragment({ context, hub, sender }: Tail, record: FragmentRecord): Promise<void> {
  try {
    await sender.fragment(record, fragmentTags(record));
  } catch (error) {
    if (!isDamage(error)) throw error;
    // A reader that stopped here would never get past; the operator has to know.
    context.options.log('error', `GetMedia left out a fragment: ${error.message}`);
    return;
  }
  const [latest] = await context.store.byNumber(hub.id, { limit: 1, order: 'descending' });
  const behind = Math.max(0, (latest?.serverTime ?? record.serverTime) - record.serverTime);
  await sender.tags(positionTags(record, behind));
}
