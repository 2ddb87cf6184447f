import { KvsError } from '../../base/errors.js';
import { MKV_ID, StreamingMkvReader, readString, readUint } from '../../parser/index.js';
import type { MkvEvent } from '../../parser/index.js';
import { AckError } from '../errors.js';
import { BlockHead } from './block-head.js';
import { capture, checkDocType, toMs } from './elements.js';
import { FrameGatherer, type FragmentFrames } from './frames.js';
import { HeaderGatherer } from './header.js';
import {
  checkFragmentBytes,
  checkFragmentSpan,
  checkTrackCount,
  type IngestLimits,
} from './ingest-limits.js';
import { RawQueue } from './raw.js';
import { TagGatherer, type FragmentTags } from './tags.js';
import { TrackTable } from './tracks.js';
import { isError } from '../../base/values.js';

/** A fragment that has come whole. Times are ms. @internal */
export interface WholeFragment extends FragmentTags {
  readonly duration: number;
  /** Blocks of all tracks. */
  readonly frames: number;
  /** What its frames are like. */
  readonly described: FragmentFrames;
}

/** Takes what an ingest finds. What it throws ends the ingest. @internal */
export interface IngestTarget {
  /** The first byte of a Cluster has come; `header` is everything before it that goes with it. */
  fragmentStart(header: Uint8Array): void;
  /** The Cluster's time stamp has come, ms. */
  timecode(timecode: number): void;
  /** Bytes of the Cluster, in order; a view of what was pushed. */
  bytes(part: Uint8Array): void;
  /** The fragment is whole. */
  fragmentEnd(fragment: WholeFragment): void;
}

/** Bytes of a Cluster that are given on at a time, but for its last ones. */
const GIVEN = 4096;

/**
 * Cuts the body of a PutMedia call into fragments while it arrives. Pure: bytes in, calls of the
 * target out; throws `AckError`. A fragment ends at the next Cluster, at an END_OF_FRAGMENT tag,
 * or where the body ends between two elements. @internal
 */
export class MkvIngest {
  readonly #target: IngestTarget;
  readonly #limits: IngestLimits;
  readonly #reader = new StreamingMkvReader({ capture, maxCaptureBytes: 64 * 1024 });
  readonly #raw = new RawQueue();
  readonly #header = new HeaderGatherer(this.#raw);
  readonly #tags: TagGatherer;
  readonly #block = new BlockHead();
  readonly #frames = new FrameGatherer();
  /** Where the block that is being read begins, and its bytes. */
  #blockAt = 0;
  #blockSize = 0;
  #tracks = new TrackTable();
  /** End of the last element of which all is known; may lie ahead of what has come. */
  #resolved = 0;
  /** Whether a fragment is open; it stays so behind its Cluster, where its tags may follow. */
  #open = false;
  #inCluster = false;
  #inBlock = false;
  /** Masters that are open now. */
  #depth = 0;
  /** Bytes of the Cluster up to here were given to the target. */
  #given = 0;
  #clusterAt = 0;
  #hasTimecode = false;

  constructor(target: IngestTarget, limits: IngestLimits) {
    this.#target = target;
    this.#limits = limits;
    this.#tags = new TagGatherer(this.#raw, limits.fragmentTags);
  }

  /** Takes the next bytes of the body; keeps views of them until they are given on. */
  push(bytes: Uint8Array): void {
    this.#raw.push(bytes);
    this.#reader.push(bytes);
    this.#fromHead(() => {
      this.#drain();
    });
    const upTo = Math.min(this.#resolved, this.#raw.total);
    if (this.#inCluster) {
      checkFragmentBytes(upTo - this.#clusterAt, this.#limits);
      if (upTo - this.#given >= GIVEN) this.#giveTo(upTo);
    }
    this.#header.gatherTo(upTo);
    this.#tags.checkOpen(this.#raw.total);
    const needed = this.#inCluster ? this.#given : upTo;
    this.#raw.release(Math.min(needed, this.#tags.from ?? needed));
  }

  /** The body has ended. Throws `AckError` 4000 when it ended inside an element. */
  end(): void {
    this.#reader.end();
    try {
      this.#drain();
    } catch (error) {
      if (!this.#endedBetweenElements()) {
        const why = isError(error) ? error.message : '';
        throw new AckError(4000, `the body ended too early: ${why}`, { cause: error });
      }
    }
    this.#endFragment(true);
  }

  /**
   * A body that begins with neither an EBML head nor tags is one that was cut off at its front: AWS's
   * client goes on in the middle of a Cluster after an outage. It takes 4006 and 4010 as final and
   * gives up what it holds; 4000 makes it send everything again, from the head on.
   */
  #fromHead(work: () => void): void {
    try {
      work();
    } catch (error) {
      const begun = this.#header.state !== 'none' || this.#atHead();
      if (begun || !(error instanceof AckError) || ![4006, 4010].includes(error.id)) throw error;
      const why = `the body does not begin with an EBML head: ${error.message}`;
      throw new AckError(4000, why, { cause: error });
    }
  }

  /** Whether what cannot be read is an EBML head itself: sent again, it would be no better. */
  #atHead(): boolean {
    const from = this.#resolved;
    let id = 0;
    this.#raw.cut(from, from + 4, (part) => {
      for (const byte of part) id = id * 256 + byte;
    });
    return id === MKV_ID.EBML;
  }

  /** A Segment that says a size and ends before it still holds whole Clusters. */
  #endedBetweenElements(): boolean {
    const atBoundary = this.#resolved === this.#raw.total && !this.#inBlock;
    return atBoundary && !this.#inCluster && this.#depth <= 1;
  }

  #drain(): void {
    for (;;) {
      const event = this.#next();
      if (event === undefined) return;
      this.#handle(event);
    }
  }

  #next(): MkvEvent | undefined {
    try {
      return this.#reader.next();
    } catch (error) {
      if (!(error instanceof KvsError)) throw error;
      throw new AckError(4006, error.message, { cause: error });
    }
  }

  #handle(event: MkvEvent): void {
    switch (event.kind) {
      case 'masterStart':
        this.#resolved = event.offset + event.headerLength;
        this.#depth = event.depth + 1;
        this.#masterStart(event.id, event.offset, event.headerLength, event.size);
        return;
      case 'masterEnd':
        this.#resolved = event.offset;
        this.#depth = event.depth;
        this.#masterEnd(event.id, event.offset);
        return;
      case 'element':
        this.#resolved = event.offset + event.headerLength + event.size;
        this.#element(event.id, event.data);
        return;
      case 'streamStart':
        this.#resolved = event.offset + event.headerLength;
        this.#inBlock = true;
        this.#block.begin(event.size);
        this.#blockAt = event.offset + event.headerLength;
        this.#blockSize = event.size;
        return;
      case 'data':
        this.#resolved = event.offset + event.bytes.length;
        this.#inBlock = !event.last;
        this.#blockData(event.bytes);
        return;
      case 'skipped':
        this.#resolved = event.offset + event.headerLength + event.size;
        this.#skipped(event.id, event.size, event.offset);
        return;
    }
  }

  #masterStart(id: number, offset: number, headerLength: number, size: number | undefined): void {
    switch (id) {
      case MKV_ID.EBML:
        this.#endFragment(false);
        this.#header.beginDocument(offset);
        this.#tracks = new TrackTable();
        return;
      case MKV_ID.SEGMENT:
        this.#header.beginSegment(offset, headerLength, size !== undefined);
        return;
      case MKV_ID.TRACKS:
        this.#header.beginTracks();
        return;
      case MKV_ID.TRACK_ENTRY:
        this.#header.beginTrack();
        return;
      case MKV_ID.CLUSTER:
        this.#beginCluster(offset);
        return;
      case MKV_ID.BLOCK_GROUP:
        this.#frames.beginGroup();
        return;
      case MKV_ID.TAGS:
        if (this.#header.holdsTags) return;
        this.#header.pause(offset);
        this.#tags.begin(offset);
        return;
      case MKV_ID.SIMPLE_TAG:
        this.#tags.simpleTag();
        return;
    }
  }

  #masterEnd(id: number, offset: number): void {
    switch (id) {
      case MKV_ID.TRACK_ENTRY: {
        const { number, defaultDuration } = this.#header.endTrack();
        this.#tracks.add(number, defaultDuration);
        checkTrackCount(this.#tracks.count, this.#limits);
        return;
      }
      case MKV_ID.CLUSTER:
        this.#giveTo(offset);
        this.#inCluster = false;
        return;
      case MKV_ID.BLOCK_GROUP:
        this.#frames.endGroup();
        return;
      case MKV_ID.TAGS:
        if (this.#tags.from === undefined) return;
        this.#header.resume(offset);
        if (this.#tags.end(offset) === 'endOfFragment') this.#endFragment(true);
        return;
    }
  }

  #element(id: number, data: Uint8Array): void {
    switch (id) {
      case MKV_ID.DOC_TYPE:
        checkDocType(readString(data));
        return;
      case MKV_ID.TIMESTAMP_SCALE:
        this.#header.setScale(this.#uint(data));
        return;
      case MKV_ID.TRACK_NUMBER:
        this.#header.setTrackNumber(this.#uint(data));
        return;
      case MKV_ID.DEFAULT_DURATION:
        this.#header.setDefaultDuration(this.#uint(data));
        return;
      case MKV_ID.TIMESTAMP:
        if (this.#hasTimecode) throw new AckError(4006, 'a Cluster has two time stamps');
        this.#hasTimecode = true;
        this.#target.timecode(toMs(this.#uint(data), this.#header.scale));
        return;
      case MKV_ID.BLOCK_DURATION:
        this.#tracks.setBlockDuration(this.#uint(data));
        this.#frames.duration(this.#uint(data));
        return;
      case MKV_ID.TAG_NAME:
        this.#tags.name(data);
        return;
    }
  }

  #uint(data: Uint8Array): number {
    try {
      return readUint(data);
    } catch (error) {
      throw new AckError(4006, isError(error) ? error.message : '', { cause: error });
    }
  }

  #skipped(id: number, size: number, offset: number): void {
    if (id === MKV_ID.REFERENCE_BLOCK) this.#frames.reference();
    if (id === MKV_ID.TAG_STRING || id === MKV_ID.TAG_BINARY) this.#tags.value(size);
    if (this.#header.state === 'none' && this.#depth === 0 && id !== MKV_ID.VOID) {
      throw new AckError(
        4006,
        `not Matroska: byte ${String(offset)} begins no EBML header (element 0x${id.toString(16)})`,
      );
    }
  }

  #beginCluster(offset: number): void {
    this.#endFragment(false);
    const header = this.#header.finish(offset);
    if (this.#tracks.count === 0) throw new AckError(4006, 'no track before the first Cluster');
    this.#tracks.beginFragment();
    this.#tags.beginFragment();
    this.#frames.beginFragment(this.#header.scale);
    this.#open = true;
    this.#inCluster = true;
    this.#hasTimecode = false;
    this.#clusterAt = offset;
    this.#given = offset;
    this.#target.fragmentStart(header);
  }

  #blockData(bytes: Uint8Array): void {
    const head = this.#block.add(bytes);
    if (head === undefined) return;
    const at = this.#blockAt + head.length - this.#clusterAt;
    this.#frames.block(head, at, this.#blockSize - head.length);
    const ticks = this.#tracks.addBlock(head.track, head.time);
    checkFragmentSpan(ticks * (this.#header.scale / 1_000_000), this.#limits);
  }

  #giveTo(offset: number): void {
    checkFragmentBytes(offset - this.#clusterAt, this.#limits);
    this.#raw.cut(this.#given, offset, (part) => {
      this.#target.bytes(part);
    });
    this.#given = offset;
  }

  /** `own`: whether tags that came last belong to this fragment and not to a next one. */
  #endFragment(own: boolean): void {
    if (!this.#open) return;
    this.#open = false;
    if (!this.#hasTimecode) throw new AckError(4006, 'a Cluster has no time stamp');
    const silent = this.#limits.framesForEveryTrack ? this.#tracks.silent() : undefined;
    if (silent !== undefined) {
      throw new AckError(4011, `track ${String(silent)} has no frame in the fragment`);
    }
    this.#target.fragmentEnd({
      duration: this.#tracks.duration(this.#header.scale),
      frames: this.#tracks.frames,
      ...this.#tags.take(own),
      described: this.#frames.take(),
    });
  }
}
