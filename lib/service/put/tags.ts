import { KVS_TAG_PREFIX, readString } from '../../parser/index.js';
import { eventsOf, raisesEvent, type TagEvent } from '../events/tag-event.js';
import { AckError } from '../errors.js';
import type { RawQueue } from './raw.js';

const END_OF_FRAGMENT = 'AWS_KINESISVIDEO_END_OF_FRAGMENT';
/** Tags of one fragment, bytes; holds also when limits are off. */
const MAX_BYTES = 64 * 1024;
const MAX_NAME = 128;
const MAX_VALUE = 256;
/** Events of one fragment; clients write one of each kind. */
const MAX_EVENTS = 10;

/** What a fragment's Tags elements hold. @internal */
export interface FragmentTags {
  /** The producer's own, as sent. */
  readonly tags: Uint8Array;
  /** What it was put with to be told, or made images of. */
  readonly events: readonly TagEvent[];
}

/**
 * Gathers the producer's Tags elements. Tags belong to the Cluster behind them; those that come
 * last, before END_OF_FRAGMENT or the end of the body, to the Cluster before them.
 */
export class TagGatherer {
  readonly #raw: RawQueue;
  /** Tags that a fragment may have. */
  readonly #most: number;
  #from: number | undefined;
  #ends = false;
  #reserved = false;
  #raises = false;
  #count = 0;
  #pending: Uint8Array[] = [];
  #pendingCount = 0;
  #pendingBytes = 0;
  #own: Uint8Array[] = [];
  #pendingEvents: TagEvent[] = [];
  #ownEvents: readonly TagEvent[] = [];

  constructor(raw: RawQueue, most: number) {
    this.#raw = raw;
    this.#most = most;
  }

  /** Where the Tags element that is being read begins. */
  get from(): number | undefined {
    return this.#from;
  }

  begin(offset: number): void {
    this.#from = offset;
    this.#ends = false;
    this.#reserved = false;
    this.#raises = false;
    this.#count = 0;
  }

  simpleTag(): void {
    this.#count += 1;
  }

  /** Bounds an element whose end has not come. */
  checkOpen(total: number): void {
    if (this.#from !== undefined) this.#check(total - this.#from, MAX_BYTES, 'bytes of tags');
  }

  name(data: Uint8Array): void {
    if (this.#from === undefined) return;
    const name = readString(data);
    if (name === END_OF_FRAGMENT) this.#ends = true;
    if (raisesEvent(name)) this.#raises = true;
    // Names of the service's own tags would deceive readers; what they name is given anew.
    if (name.startsWith(KVS_TAG_PREFIX)) this.#reserved = true;
    if (this.#most !== Infinity) this.#check(data.length, MAX_NAME, 'bytes of a tag name');
  }

  value(size: number): void {
    if (this.#from === undefined) return;
    const most = this.#most === Infinity ? MAX_BYTES : MAX_VALUE;
    this.#check(size, most, 'bytes of a tag value');
  }

  end(offset: number): 'tags' | 'endOfFragment' {
    const from = this.#from ?? offset;
    this.#from = undefined;
    if (this.#ends) return 'endOfFragment';
    if (this.#raises) this.#gatherEvents(from, offset);
    if (this.#reserved) return 'tags';
    this.#pendingBytes += offset - from;
    this.#check(this.#pendingBytes, MAX_BYTES, 'bytes of tags');
    this.#pendingCount += this.#count;
    this.#check(this.#pendingCount, this.#most, 'tags');
    this.#raw.cut(from, offset, (part) => {
      this.#pending.push(Uint8Array.from(part));
    });
    return 'tags';
  }

  /** What has come before this Cluster is its own. */
  beginFragment(): void {
    this.#own = this.#takePending();
    this.#ownEvents = this.#takeEvents();
  }

  /** The tags and events of the fragment that ends. */
  take(withPending: boolean): FragmentTags {
    const parts = withPending ? [...this.#own, ...this.#takePending()] : this.#own;
    const own = this.#ownEvents;
    this.#own = [];
    this.#ownEvents = [];
    const events = withPending ? [...own, ...this.#takeEvents()] : own;
    return { tags: Buffer.concat(parts), events };
  }

  #gatherEvents(from: number, to: number): void {
    const parts: Uint8Array[] = [];
    this.#raw.cut(from, to, (part) => {
      parts.push(part);
    });
    const room = MAX_EVENTS - this.#pendingEvents.length;
    this.#pendingEvents.push(...eventsOf(Buffer.concat(parts)).slice(0, room));
  }

  #takeEvents(): readonly TagEvent[] {
    const events = this.#pendingEvents;
    this.#pendingEvents = [];
    return events;
  }

  #takePending(): Uint8Array[] {
    const parts = this.#pending;
    this.#pending = [];
    this.#pendingCount = 0;
    this.#pendingBytes = 0;
    return parts;
  }

  #check(value: number, most: number, what: string): void {
    if (value <= most) return;
    throw new AckError(
      4009,
      `${String(value)} ${what} of one fragment; ${String(most)} is the most`,
    );
  }
}
