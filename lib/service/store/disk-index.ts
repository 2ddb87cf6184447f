import { KIND, decodeNumber, numberKey, numberOfKey, ordinalKey, streamKey } from './codec.js';
import { streamKeyEnd, timeKey } from './codec.js';
import { decodeFragment } from './entries.js';
import { expireFragments, type ExpireJob } from './expire.js';
import type { Index } from './open-index.js';
import type { Turns } from './turns.js';
import { FragmentDamagedError } from './types.js';
import type { ExpireBound, FragmentIndex, FragmentRecord } from './types.js';
import type { NumberRange, OrdinalRange, TimeRange } from './types.js';

/** What a disk's index of fragments needs of the store. @internal */
export interface IndexParts {
  readonly index: Index;
  /** One change of a stream's set of files at a time. */
  readonly turns: Turns;
  /** Fragments of lower numbers are gone, whatever entries a full disk has kept. */
  readonly lowMark: (id: number) => bigint;
  /** Called before something is changed. */
  readonly beCurrent: () => Promise<void>;
  readonly expiry: (id: number) => Omit<ExpireJob, 'index' | 'id' | 'bound'>;
  readonly warn: (message: string) => void;
}

/** Which fragments a disk store has. @internal */
export class DiskIndex implements FragmentIndex {
  readonly #parts: IndexParts;
  readonly #index: Index;
  /** Entries that were told to be bad. */
  readonly #told = new Set<string>();

  constructor(parts: IndexParts) {
    this.#parts = parts;
    this.#index = parts.index;
  }

  async byNumber(id: number, range: NumberRange): Promise<FragmentRecord[]> {
    const found: FragmentRecord[] = [];
    const kind = KIND.fragment;
    const reverse = range.order === 'descending';
    let low = range.from === undefined ? streamKey(kind, id) : numberKey(kind, id, range.from);
    let high =
      range.before === undefined ? streamKeyEnd(kind, id) : numberKey(kind, id, range.before);
    while (found.length < range.limit) {
      const limit = range.limit - found.length;
      const entries = await this.#index.entries({ gte: low, lt: high, limit, reverse });
      for (const [key, value] of entries) {
        const record = this.#decoded(id, numberOfKey(key), value);
        if (record !== undefined) found.push(record);
      }
      const last = entries.at(-1)?.[0];
      if (last === undefined || entries.length < limit) break;
      if (reverse) high = last;
      else low = numberKey(kind, id, numberOfKey(last) + 1n);
    }
    return found;
  }

  async byTime(id: number, range: TimeRange): Promise<FragmentRecord[]> {
    const found: FragmentRecord[] = [];
    let { after } = range;
    // What a sweep takes between the two looks is made up for by those behind.
    while (found.length < range.limit) {
      const limit = range.limit - found.length;
      const keys = await this.#index.keys({
        ...boundsOf(id, { ...range, ...(after && { after }) }),
        limit,
        reverse: range.order === 'descending',
      });
      found.push(...(await this.#fetch(id, keys.map(numberOfKey))));
      const last = keys.at(-1);
      if (last === undefined || keys.length < limit) break;
      after = { time: timeOfKey(last), number: numberOfKey(last) };
    }
    return found;
  }

  /** Records in the order of `numbers`; neighbours in time mostly are neighbours in number. */
  async #fetch(id: number, numbers: readonly bigint[]): Promise<FragmentRecord[]> {
    const [low, high] = extremes(numbers);
    const limit = 2 * numbers.length;
    const near = await this.byNumber(id, { from: low, before: high + 1n, limit });
    const found = new Map(near.map((record) => [record.number, record]));
    const far = numbers.filter((number) => !found.has(number));
    for (const record of far.length === 0 ? [] : await this.get(id, far)) {
      if (record !== undefined) found.set(record.number, record);
    }
    return numbers.map((number) => found.get(number)).filter((record) => record !== undefined);
  }

  async byOrdinal(id: number, range: OrdinalRange): Promise<FragmentRecord[]> {
    const kind = KIND.ordinal;
    const found: FragmentRecord[] = [];
    const reverse = range.order === 'descending';
    let low = range.from === undefined ? streamKey(kind, id) : ordinalKey(id, range.from);
    let high = range.before === undefined ? streamKeyEnd(kind, id) : ordinalKey(id, range.before);
    while (found.length < range.limit) {
      const limit = range.limit - found.length;
      const entries = await this.#index.entries({ gte: low, lt: high, limit, reverse });
      found.push(
        ...(await this.#fetch(
          id,
          entries.map(([, value]) => decodeNumber(value)),
        )),
      );
      const last = entries.at(-1)?.[0];
      if (last === undefined || entries.length < limit) break;
      if (reverse) high = last;
      else low = Buffer.concat([last, Uint8Array.of(0)]);
    }
    return found;
  }

  async get(id: number, numbers: readonly bigint[]): Promise<(FragmentRecord | undefined)[]> {
    const keys = numbers.map((number) => numberKey(KIND.fragment, id, number));
    const values = await this.#index.getMany(keys);
    return numbers.map((number, at) => {
      const value = values[at];
      return value === undefined ? undefined : this.#decoded(id, number, value);
    });
  }

  async expire(id: number, bound: ExpireBound): Promise<number> {
    const { index, turns, expiry, beCurrent } = this.#parts;
    await beCurrent();
    return turns.run(id, () => expireFragments({ ...expiry(id), index, id, bound }));
  }

  /** An entry that cannot be read is passed over, and told of once: it must not hide the others. */
  #decoded(id: number, number: bigint, value: Uint8Array): FragmentRecord | undefined {
    if (number < this.#parts.lowMark(id)) return undefined;
    try {
      return decodeFragment(number, value);
    } catch (error) {
      if (!(error instanceof FragmentDamagedError)) throw error;
      const name = `stream ${String(id)}: ${error.message}`;
      if (!this.#told.has(name)) this.#parts.warn(`${name}; it is passed over`);
      if (this.#told.size < MOST_TOLD) this.#told.add(name);
      return undefined;
    }
  }
}

const MOST_TOLD = 10_000;

function boundsOf(
  id: number,
  range: TimeRange,
): { gte?: Uint8Array; gt?: Uint8Array; lt: Uint8Array } {
  const kind = range.kind === 'producer' ? KIND.producer : KIND.server;
  const low = timeKey(kind, id, range.from, 0n);
  const high = timeKey(kind, id, range.to + 1, 0n);
  const after = range.after && timeKey(kind, id, range.after.time, range.after.number);
  if (range.order === 'descending') return { gte: low, lt: after ?? high };
  return after === undefined ? { gte: low, lt: high } : { gt: after, lt: high };
}

/** The time in the key of a fragment by time. */
function timeOfKey(key: Uint8Array): number {
  return Number(Buffer.from(key.buffer, key.byteOffset, key.byteLength).readBigUInt64BE(5));
}

function extremes(numbers: readonly bigint[]): readonly [bigint, bigint] {
  let low = numbers[0] ?? 0n;
  let high = low;
  for (const number of numbers) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return [low, high];
}
