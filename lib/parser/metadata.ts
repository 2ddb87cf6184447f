import { MKV_ID } from '../generated/elements.js';
import type { MkvEvent } from './events.js';
import {
  findInBandError,
  KVS_TAG,
  KVS_TAG_PREFIX,
  parseNumber,
  TagCollector,
  type InBandError,
  type MkvTag,
} from './tags.js';
import { Timeline } from './timeline.js';
import { TrackCollector, type MkvTrack } from './tracks.js';
import { readUint } from './values.js';
import type { MkvElementVisitor } from './visitor.js';

/**
 * What the input says of one fragment (one Cluster). One object a fragment: what stands after the
 * media (`millisBehindNow`, `continuationToken`, late tags) is filled in when it has been read.
 */
export interface FragmentMetadata {
  /** Undefined where the input does not come from the service. */
  readonly fragmentNumber: string | undefined;
  /** When the service had the fragment, ms since 1970. */
  readonly serverTimestampMs: number | undefined;
  /** When the producer began it, ms since 1970. */
  readonly producerTimestampMs: number | undefined;
  /** How far the fragment lies behind the newest one, ms. */
  readonly millisBehindNow: number | undefined;
  /** Where a next GetMedia goes on after this fragment. */
  readonly continuationToken: string | undefined;
  /** The cluster's own time, ms; undefined until it has been read. */
  readonly clusterTimecodeMs: number | undefined;
  /** The producer's own tags, in input order. */
  readonly tags: readonly MkvTag[];
  /** Errors that the service reported with the fragment. */
  readonly errors: readonly InBandError[];
}

class Draft implements FragmentMetadata {
  fragmentNumber: string | undefined = undefined;
  serverTimestampMs: number | undefined = undefined;
  producerTimestampMs: number | undefined = undefined;
  millisBehindNow: number | undefined = undefined;
  continuationToken: string | undefined = undefined;
  clusterTimecodeMs: number | undefined = undefined;
  readonly tags: MkvTag[] = [];
  readonly errors: InBandError[] = [];
}

/**
 * Follows the tracks and the fragments' metadata through a reader's events. The reader must give
 * the children of Info, Tracks and Tags and the clusters' Timestamp whole (its default).
 */
export class FragmentMetadataVisitor implements MkvElementVisitor {
  readonly #tracks = new TrackCollector();
  readonly #tags = new TagCollector();
  readonly #timeline = new Timeline();
  #current: Draft | undefined;
  #upcoming = new Draft();
  #ended: FragmentMetadata | undefined;
  #error: InBandError | undefined;
  #continuationToken: string | undefined;
  #millisBehindNow: number | undefined;

  /** The tracks of the current Segment, by track number. */
  get tracks(): ReadonlyMap<number, MkvTrack> {
    return this.#tracks.tracks;
  }

  /** The fragment being read, or read last before its end was told. */
  get fragment(): FragmentMetadata | undefined {
    return this.#current;
  }

  /** The newest token: a GetMedia that starts with it goes on where this input stands. */
  get continuationToken(): string | undefined {
    return this.#continuationToken;
  }

  /** The newest figure of how far the input lies behind the newest media, ms. */
  get millisBehindNow(): number | undefined {
    return this.#millisBehindNow;
  }

  /** Whether the current cluster's own time is known: blocks before it have no time yet. @internal */
  get hasClusterTime(): boolean {
    return this.#current?.clusterTimecodeMs !== undefined;
  }

  /** Cluster and block times in ms. @internal */
  get timeline(): Timeline {
    return this.#timeline;
  }

  visit(event: MkvEvent): void {
    if (event.kind === 'element') {
      if (event.id === MKV_ID.SIMPLE_BLOCK) return;
      this.#visitElement(event.id, event.data);
    }
    if (event.kind === 'masterStart') this.#visitStart(event.id);
    this.#tracks.visit(event);
    const tags = this.#tags.visit(event);
    if (tags !== undefined) this.#apply(tags);
  }

  /** Says that the input has ended: the fragment being read is whole. */
  finish(): void {
    this.#endCurrent();
  }

  /** The fragment whose end was seen since the last call. @internal */
  takeEnded(): FragmentMetadata | undefined {
    const ended = this.#ended;
    this.#ended = undefined;
    return ended;
  }

  /** The in-band error that was seen since the last call. */
  takeError(): InBandError | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  #visitStart(id: number): void {
    if (id === MKV_ID.SEGMENT) this.#timeline.reset();
    if (id === MKV_ID.EBML || id === MKV_ID.SEGMENT) this.#endCurrent();
    if (id === MKV_ID.CLUSTER) {
      this.#endCurrent();
      this.#current = this.#upcoming;
      this.#upcoming = new Draft();
    }
  }

  #visitElement(id: number, data: Uint8Array): void {
    if (id === MKV_ID.TIMESTAMP_SCALE) this.#timeline.setScale(readUint(data));
    if (id === MKV_ID.TIMESTAMP && this.#current !== undefined) {
      this.#timeline.setCluster(data);
      this.#current.clusterTimecodeMs = this.#timeline.at(0);
    }
  }

  /** Tags with a fragment number announce the next fragment; others end the one just read. */
  #apply(tags: readonly MkvTag[]): void {
    const announces = tags.some((tag) => tag.name === KVS_TAG.FRAGMENT_NUMBER);
    if (announces) this.#endCurrent();
    const target = this.#current ?? this.#upcoming;
    const error = findInBandError(tags);
    if (error !== undefined) {
      this.#error = error;
      // It stands for a fragment that does not come: no other fragment has its number.
      if (error.fragmentNumber !== undefined) return;
      target.errors.push(error);
    }
    for (const tag of tags) this.#set(target, tag);
    const done = tags.some((tag) => tag.name === KVS_TAG.CONTINUATION_TOKEN);
    if (done) this.#endCurrent();
  }

  #set(target: Draft, { name, value }: MkvTag): void {
    switch (name) {
      case KVS_TAG.FRAGMENT_NUMBER:
        target.fragmentNumber = value;
        break;
      case KVS_TAG.SERVER_TIMESTAMP:
      case KVS_TAG.SERVER_SIDE_TIMESTAMP:
        target.serverTimestampMs = secondsToMs(value);
        break;
      case KVS_TAG.PRODUCER_TIMESTAMP:
      case KVS_TAG.PRODUCER_SIDE_TIMESTAMP:
        target.producerTimestampMs = secondsToMs(value);
        break;
      case KVS_TAG.MILLIS_BEHIND_NOW:
        target.millisBehindNow = parseNumber(value);
        this.#millisBehindNow = target.millisBehindNow;
        break;
      case KVS_TAG.CONTINUATION_TOKEN:
        target.continuationToken = value;
        this.#continuationToken = value;
        break;
      default:
        if (!name.startsWith(KVS_TAG_PREFIX)) target.tags.push({ name, value });
    }
  }

  #endCurrent(): void {
    if (this.#current === undefined) return;
    this.#ended = this.#current;
    this.#current = undefined;
  }
}

/** Seconds with decimals, as the service writes times, to ms. */
function secondsToMs(text: string): number | undefined {
  const seconds = parseNumber(text);
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}
