import type { Lengths, Said, SaidAt, StreamValue } from './told.js';

/** A fragment that was begun. */
export interface Written {
  readonly number: bigint;
  readonly lengths: Lengths;
  /** The number of the first fragment that was sent under its header. */
  readonly headerOf: bigint;
  /** Whether it must be there, may be, or must not. */
  state: 'open' | 'persisted' | 'aborted';
}

/** What may be found of a stream. */
export class StreamExpectation {
  /** The last value that was stored, and those that may have been since; undefined stands for none. */
  records: (StreamValue | undefined)[] = [undefined];
  readonly items: Map<string, (string | undefined)[]> = new Map<string, (string | undefined)[]>();
  readonly written: Map<bigint, Written> = new Map<bigint, Written>();
  /** Highest number that was given to a fragment. */
  given = 0n;
  /** Fragments below this number may be gone. */
  bound = 0n;
  removal: 'none' | 'begun' | 'done' = 'none';
}

/** What a store must hold and may hold, from what was said. */
export class Expectation {
  readonly streams: Map<number, StreamExpectation> = new Map<number, StreamExpectation>();
  /** Highest id that was given to a stream. */
  lastId = 0;

  /** What was said before call `at`. */
  static at(said: readonly SaidAt[], at: number): Expectation {
    const expectation = new Expectation();
    for (const one of said) if (one.at < at) expectation.#take(one.said);
    return expectation;
  }

  of(id: number): StreamExpectation {
    const known = this.streams.get(id) ?? new StreamExpectation();
    this.streams.set(id, known);
    return known;
  }

  #take(said: Said): void {
    if (said.event === 'step') return;
    const stream = this.of(said.id);
    switch (said.event) {
      case 'id':
        this.lastId = Math.max(this.lastId, said.id);
        return;
      case 'streaming':
        stream.records.push(said.value);
        return;
      case 'stream':
        stream.records = [said.value];
        return;
      case 'iteming':
        stream.items.set(said.name, [...(stream.items.get(said.name) ?? [undefined]), said.value]);
        return;
      case 'item':
        stream.items.set(said.name, [said.value]);
        return;
      case 'expiring':
        stream.bound = BigInt(said.bound);
        return;
      case 'deleting':
        stream.removal = 'begun';
        return;
      case 'deleted':
        stream.removal = 'done';
        return;
      case 'expired':
        return;
      case 'writing':
      case 'persisted':
      case 'aborted':
        takeFragment(stream, said);
    }
  }
}

type FragmentSaid = Extract<Said, { event: 'writing' | 'persisted' | 'aborted' }>;

function takeFragment(stream: StreamExpectation, said: FragmentSaid): void {
  const number = BigInt(said.number);
  if (said.event === 'writing') {
    const { lengths } = said;
    const headerOf = BigInt(said.headerOf);
    stream.written.set(number, { number, lengths, headerOf, state: 'open' });
    if (number > stream.given) stream.given = number;
    return;
  }
  const one = stream.written.get(number);
  if (one !== undefined) one.state = said.event;
}
