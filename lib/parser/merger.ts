import { KvsError } from '../base/errors.js';
import { MKV_ID } from '../generated/elements.js';
import { ClusterTimes } from './cluster-times.js';
import { copyEvent, FOR_COPYING, type WriteBytes } from './copy.js';
import {
  DocumentHead,
  sameHead,
  writeHead,
  type FrozenHead,
  type HeadSection,
} from './document-head.js';
import type { MkvEvent } from './events.js';
import { Gatherer } from './gather.js';
import { FragmentMetadataVisitor } from './metadata.js';
import { StreamingMkvReader } from './reader.js';
import { abortable, type ByteSource } from './source.js';
import type { MkvTrack } from './tracks.js';
import { applyVisitor, type MkvElementVisitor } from './visitor.js';

/** A playable segment that begins in the output. */
export interface OutputSegment {
  /** 0 for the first. */
  readonly index: number;
  readonly tracks: ReadonlyMap<number, MkvTrack>;
}

/** Settings of an `OutputSegmentMerger`. */
export interface OutputSegmentMergerOptions {
  /** Takes the output; a view is lent for the call only. */
  readonly write: WriteBytes;
  /** Told before the first bytes of each playable segment: the place to begin a new file. */
  readonly onSegment?: (segment: OutputSegment) => void;
  /** Done at the first chunk whose EBML head or tracks differ from the first one's. Default false. */
  readonly stopAtFirstNonMatching?: boolean;
  /** Whether tags go to the output, the service's among them. Default `keep`. */
  readonly tags?: 'keep' | 'drop';
  /** `keep` leaves clusters as they are, byte for byte; `fromZero` makes times begin at 0. */
  readonly times?: 'keep' | 'fromZero';
}

type Section = HeadSection | 'cluster' | 'dropped';

const SECTIONS: ReadonlyMap<number, Section> = new Map<number, Section>([
  [MKV_ID.EBML, 'ebml'],
  [MKV_ID.INFO, 'info'],
  [MKV_ID.TRACKS, 'tracks'],
  [MKV_ID.TAGS, 'tags'],
  [MKV_ID.CLUSTER, 'cluster'],
]);

/**
 * Puts consecutive chunks of GetMedia with equal EBML heads, time scales and tracks together into
 * one playable segment; a change begins a new one. What indexes one chunk alone (SeekHead, Cues,
 * Duration, Void) is left out. The reader must be made with `FOR_COPYING`.
 */
export class OutputSegmentMerger implements MkvElementVisitor {
  readonly #options: OutputSegmentMergerOptions;
  readonly #metadata = new FragmentMetadataVisitor();
  readonly #times: ClusterTimes | undefined;
  #head = new DocumentHead();
  /** Whether the current document's head has been compared and its media goes to the output. */
  #matched = false;
  #output: FrozenHead | undefined;
  #segments = 0;
  #section: Section | undefined;
  #sectionDepth = 0;
  #done = false;

  constructor(options: OutputSegmentMergerOptions) {
    this.#options = options;
    this.#times = options.times === 'fromZero' ? new ClusterTimes(options.write) : undefined;
  }

  /** Number of playable segments begun. */
  get segments(): number {
    return this.#segments;
  }

  /** True once a chunk did not match, with `stopAtFirstNonMatching`. */
  isDone(): boolean {
    return this.#done;
  }

  visit(event: MkvEvent): void {
    if (this.#done) return;
    this.#metadata.visit(event);
    if (this.#section === undefined) this.#enter(event);
    if (this.#section === undefined) return;
    this.#add(this.#section, event);
    const ends = event.kind === 'masterEnd' && event.depth === this.#sectionDepth;
    if (ends) this.#section = undefined;
  }

  /** A master at the top or right in a Segment begins a section; other elements are left out. */
  #enter(event: MkvEvent): void {
    if (event.kind !== 'masterStart') return;
    if (event.id === MKV_ID.SEGMENT) {
      if (this.#matched) this.#startDocument();
      return;
    }
    if (event.id === MKV_ID.EBML) this.#startDocument();
    this.#section = SECTIONS.get(event.id) ?? 'dropped';
    this.#sectionDepth = event.depth;
    if (this.#section === 'cluster') this.#startCluster(event.offset);
  }

  #startDocument(): void {
    this.#head = new DocumentHead();
    this.#matched = false;
  }

  #startCluster(offset: number): void {
    if (!this.#matched) this.#match(offset);
    if (this.#done) return;
    if (this.#options.tags === 'drop') this.#head.dropTags();
    else this.#head.writeTags(this.#options.write);
  }

  /** Compares a document's head with that of the output; without tracks it goes on as before. */
  #match(offset: number): void {
    this.#matched = true;
    if (!this.#head.hasTracks && this.#output !== undefined) return;
    if (!this.#head.hasTracks) {
      throw new KvsError({
        status: 'STATUS_MKV_TRACK_INFO_NOT_FOUND',
        message: `Matroska input at byte ${offset}: a Cluster before any Tracks cannot be played`,
      });
    }
    const head = this.#head.freeze(this.#output);
    if (this.#output !== undefined && sameHead(this.#output, head)) return;
    if (this.#output !== undefined && this.#options.stopAtFirstNonMatching === true) {
      this.#done = true;
      return;
    }
    this.#output = head;
    this.#options.onSegment?.({ index: this.#segments, tracks: this.#metadata.tracks });
    this.#segments += 1;
    this.#times?.reset(head.scale);
    writeHead(head, this.#options.write);
  }

  #add(section: Section, event: MkvEvent): void {
    if (section === 'dropped' || this.#done) return;
    if (section === 'cluster') {
      if (this.#times === undefined) copyEvent(event, this.#options.write);
      else this.#times.add(event, this.#metadata.fragment?.producerTimestampMs);
      return;
    }
    if (section === 'tags' && this.#matched) {
      if (this.#options.tags !== 'drop') copyEvent(event, this.#options.write);
      return;
    }
    this.#head.add(section, event);
  }
}

/** Settings of `mergeSegments`. */
export interface MergeSegmentsOptions extends Omit<OutputSegmentMergerOptions, 'write'> {
  /** Ends the merging with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * The bytes of playable segments made of a GetMedia payload, as chunks that the caller owns.
 * `onSegment` is called just before the chunk with which the segment begins.
 */
export async function* mergeSegments(
  source: ByteSource,
  options: MergeSegmentsOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new StreamingMkvReader(FOR_COPYING);
  const output = new Gatherer();
  let ready: (() => Uint8Array | undefined)[] = [];
  const flush = (): void => {
    const bytes = output.take();
    if (bytes.length > 0) ready.push(() => bytes);
  };
  const onSegment = (segment: OutputSegment): void => {
    flush();
    ready.push(() => void options.onSegment?.(segment));
  };
  const merger = new OutputSegmentMerger({ ...options, write: output.write, onSegment });
  const outcome = function* (): Generator<Uint8Array, void, undefined> {
    applyVisitor(reader, merger);
    flush();
    for (const step of ready) {
      const bytes = step();
      if (bytes !== undefined) yield bytes;
    }
    ready = [];
  };
  for await (const chunk of abortable(source, options.signal)) {
    reader.push(chunk);
    yield* outcome();
    if (merger.isDone()) return;
  }
  reader.end();
  yield* outcome();
}
