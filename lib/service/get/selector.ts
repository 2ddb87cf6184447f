import type { Input } from '../api/input.js';
import { ServiceError } from '../errors.js';
import type { FragmentIndex, FragmentRecord, TimeKind } from '../store/types.js';

/** Where GetMedia starts. @internal */
export type Start =
  /** With this number or the first behind it; undefined: with the first fragment to come. */
  { readonly kind: 'from'; readonly number: bigint } | { readonly kind: 'notFound' };

/** What is looked up in a store. */
type Lookup = Pick<FragmentIndex, 'byNumber' | 'byTime' | 'get'>;

/** Resolves a start selector as of now. Throws InvalidArgumentException. @internal */
export async function resolveStart(store: Lookup, stream: number, selector: Input): Promise<Start> {
  const type = selector.string('StartSelectorType');
  switch (type) {
    case 'EARLIEST':
      return { kind: 'from', number: 0n };
    case 'NOW': {
      const [latest] = await store.byNumber(stream, { limit: 1, order: 'descending' });
      return { kind: 'from', number: latest?.number ?? 0n };
    }
    case 'FRAGMENT_NUMBER':
      return fromNumber(store, stream, required(selector, 'AfterFragmentNumber'));
    case 'CONTINUATION_TOKEN':
      return afterToken(required(selector, 'ContinuationToken'));
    case 'PRODUCER_TIMESTAMP':
      return fromTime(store, stream, 'producer', selector);
    case 'SERVER_TIMESTAMP':
      return fromTime(store, stream, 'server', selector);
    default:
      throw invalid(`StartSelectorType ${type ?? 'null'}`);
  }
}

/** "Start with the chunk containing the specific fragment" (guide: StartSelector). */
async function fromNumber(store: Lookup, stream: number, text: string): Promise<Start> {
  const number = BigInt(text);
  if (number >= 1n << 160n) return { kind: 'notFound' };
  const [record] = await store.get(stream, [number]);
  return record === undefined ? { kind: 'notFound' } : { kind: 'from', number };
}

/** A token is the number of the fragment that was sent last. */
function afterToken(text: string): Start {
  if (!/^[0-9]{1,48}$/.test(text)) throw invalid('ContinuationToken is not one of this service');
  return { kind: 'from', number: BigInt(text) + 1n };
}

/** The fragment that holds the time, or else the first that begins behind it. */
async function fromTime(
  store: Lookup,
  stream: number,
  kind: TimeKind,
  selector: Input,
): Promise<Start> {
  const seconds = selector.number('StartTimestamp');
  if (seconds === undefined) {
    throw invalid(
      `StartTimestamp is required with StartSelectorType ${kind.toUpperCase()}_TIMESTAMP`,
    );
  }
  const time = Math.round(seconds * 1000);
  // Looked up first: what becomes readable from here on is behind it and will not be passed over.
  const [latest] = await store.byNumber(stream, { limit: 1, order: 'descending' });
  const before = { kind, from: 0, to: time, limit: 1, order: 'descending' } as const;
  const [holding] = await store.byTime(stream, before);
  if (holding !== undefined && time < timeOf(holding, kind) + holding.duration) {
    return { kind: 'from', number: holding.number };
  }
  const behind = { kind, from: time, to: Number.MAX_SAFE_INTEGER - 1, limit: 1 } as const;
  const [next] = await store.byTime(stream, behind);
  if (next !== undefined) return { kind: 'from', number: next.number };
  return { kind: 'from', number: latest === undefined ? 0n : latest.number + 1n };
}

function timeOf(record: FragmentRecord, kind: TimeKind): number {
  return kind === 'producer' ? record.producerTime : record.serverTime;
}

function required(selector: Input, name: string): string {
  const value = selector.string(name);
  if (value !== undefined) return value;
  const type = selector.string('StartSelectorType') ?? '';
  throw invalid(`${name} is required with StartSelectorType ${type}`);
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidArgumentException', message);
}
