import { findMedia } from '../control/find-stream.js';
import type { ServiceContext } from '../context.js';
import { ServiceError } from '../errors.js';
import { exceptionTags, listedFragmentTags } from '../get/layout.js';
import { isDamage, type FragmentSender } from '../get/sender.js';
import { beginMedia, mediaSource, sendMedia, type MediaSource } from '../get/session.js';
import type { Call, Handler } from '../http/front.js';
import { KEY_ERRORS, KeyError } from '../keys/key-error.js';
import { meterOfCall } from '../metrics/calls.js';
import type { FragmentRecord, StreamRecord, TimeKind } from '../store/types.js';

const DEFAULT_PAGE = 100;
const NO_END = Number.MAX_SAFE_INTEGER - 1;

/** Handlers of the archived media operations. @internal */
export function archiveHandlers(
  context: ServiceContext,
): Readonly<Record<'ListFragments' | 'GetMediaForFragmentList', Handler>> {
  const readers = new Map<number, number>();
  return {
    ListFragments: { kind: 'json', run: (call) => timedList(context, call) },
    GetMediaForFragmentList: {
      kind: 'stream',
      run: (call) => getMediaForFragmentList(context, call, readers),
    },
  };
}

interface Page {
  readonly kind: TimeKind;
  readonly from: number;
  readonly to: number;
  readonly after?: { readonly time: number; readonly number: bigint };
}

async function timedList(context: ServiceContext, call: Call): Promise<object> {
  const { clock } = context.options;
  const began = clock.mono();
  const answer = await listFragments(context, call);
  meterOfCall(context, call)?.add('ListFragments.Latency', clock.mono() - began);
  return answer;
}

async function listFragments(context: ServiceContext, call: Call): Promise<object> {
  const { record } = findMedia(context, call);
  const limit = call.input.number('MaxResults') ?? DEFAULT_PAGE;
  const page = pageOf(call);
  const found = isArchived(record)
    ? await context.store.index.byTime(record.id, { ...page, limit: limit + 1 })
    : [];
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return {
    Fragments: shown.map((fragment) => ({
      FragmentNumber: fragment.number.toString(),
      FragmentSizeInBytes: fragment.clusterBytes + fragment.tagsBytes,
      ProducerTimestamp: fragment.producerTime / 1000,
      ServerTimestamp: fragment.serverTime / 1000,
      FragmentLengthInMilliseconds: fragment.duration,
    })),
    ...(found.length > limit && last && { NextToken: makeToken(page, last) }),
  };
}

function pageOf({ input }: Call): Page {
  const token = input.string('NextToken');
  if (token !== undefined) return readToken(token);
  const selector = input.object('FragmentSelector');
  if (selector === undefined) return { kind: 'server', from: 0, to: NO_END };
  const range = selector.object('TimestampRange');
  const from = Math.round((range?.number('StartTimestamp') ?? 0) * 1000);
  const to = Math.round((range?.number('EndTimestamp') ?? 0) * 1000);
  if (to < from) {
    throw new ServiceError(
      'InvalidArgumentException',
      'StartTimestamp is behind EndTimestamp in fragmentSelector.timestampRange',
    );
  }
  const producer = selector.string('FragmentSelectorType') === 'PRODUCER_TIMESTAMP';
  return { kind: producer ? 'producer' : 'server', from, to: Math.min(to, NO_END) };
}

function makeToken(page: Page, last: FragmentRecord): string {
  const time = page.kind === 'producer' ? last.producerTime : last.serverTime;
  const text = [page.kind, page.from, page.to, time, last.number].join(' ');
  return Buffer.from(text).toString('base64url');
}

function readToken(token: string): Page {
  const text = Buffer.from(token, 'base64url').toString();
  const match = /^(producer|server) (\d{1,16}) (\d{1,16}) (\d{1,16}) (\d{1,48})$/.exec(text);
  if (match === null) {
    throw new ServiceError('InvalidArgumentException', 'NextToken is not one of this service');
  }
  const [, kind, from, to, time, number] = match;
  return {
    kind: kind === 'producer' ? 'producer' : 'server',
    from: Number(from),
    to: Number(to),
    after: { time: Number(time), number: BigInt(number ?? '0') },
  };
}

async function getMediaForFragmentList(
  context: ServiceContext,
  call: Call,
  readers: Map<number, number>,
): Promise<void> {
  meterOfCall(context, call)?.add('GetMediaForFragmentList.Requests');
  const { record } = findMedia(context, call);
  const { limits } = context.options;
  const active = readers.get(record.id) ?? 0;
  if (active >= limits.fragmentListReaders) {
    throw new ServiceError(
      'ClientLimitExceededException',
      `Stream ${record.name} has ${String(active)} readers of fragment lists, the most it may have.`,
    );
  }
  readers.set(record.id, active + 1);
  try {
    const source = await mediaSource(context, call, record);
    await sendMedia(context, 'GetMediaForFragmentList', call, source, async ({ sender }) => {
      beginMedia(call);
      await sendList({ context, source, sender }, call.input.strings('Fragments'));
    });
  } finally {
    const rest = (readers.get(record.id) ?? 1) - 1;
    if (rest === 0) readers.delete(record.id);
    else readers.set(record.id, rest);
  }
}

/** What a stream does not retain is a buffer's, for GetMedia, and not the archive's. */
function isArchived(stream: StreamRecord): boolean {
  return stream.retentionHours > 0;
}

interface ListReader {
  readonly context: ServiceContext;
  readonly source: MediaSource;
  readonly sender: FragmentSender;
}

/** In fragment number order, each fragment once. */
async function sendList(reader: ListReader, fragments: readonly string[]): Promise<void> {
  const numbers = [...new Set(fragments.map((text) => BigInt(text)))];
  numbers.sort((a, b) => (a < b ? -1 : 1));
  for (const number of numbers) {
    const failure = await sendListed(reader, number);
    if (failure === undefined) continue;
    await reader.sender.tags(exceptionTags(number.toString(), failure.id, failure.message));
  }
}

/** Sends one fragment, or gives what its reader is told in its place. */
async function sendListed(
  { context, source, sender }: ListReader,
  number: bigint,
): Promise<{ readonly id: number; readonly message: string } | undefined> {
  const stream = source.record;
  const known = isArchived(stream) && number < 1n << 160n;
  try {
    if (source.refused !== undefined) throw source.refused;
    const [record] = known ? await context.store.index.get(stream.id, [number]) : [];
    if (record === undefined) return { id: 4000, message: 'Requested fragment is not found' };
    await sender.fragment(record, listedFragmentTags(record));
    return undefined;
  } catch (error) {
    if (error instanceof KeyError) return { id: error.id, message: KEY_ERRORS[error.id] };
    if (!isDamage(error)) throw error;
    context.tally.damaged += 1;
    context.options.log('error', `a listed fragment is damaged: ${error.message}`);
    return { id: 5000, message: 'Internal error' };
  }
}
