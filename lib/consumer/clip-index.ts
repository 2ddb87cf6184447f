import { isBytes } from '../base/values.js';
import { createReadStream } from 'node:fs';
import { KvsError } from '../base/errors.js';
import {
  MKV_ID,
  readUint,
  StreamingMkvReader,
  type MkvCapture,
  type MkvEvent,
} from '../parser/index.js';

/** One Cluster of a file and what an index says of it. @internal */
export interface ClipCluster {
  /** Offsets in the file of the first and behind the last byte of its content. */
  readonly bodyAt: number;
  readonly bodyEnd: number;
  /** Ticks. */
  readonly time: number;
  /** Ticks of the first key frame of the first video track in it, if it has one. */
  readonly keyTime: number | undefined;
}

/** What the final file is written from. @internal */
export interface ClipIndex {
  readonly ebml: Span;
  /** Content of Info, without its header. */
  readonly infoBody: Span | undefined;
  readonly tracks: Span;
  readonly clusters: readonly ClipCluster[];
  /** Ticks, from 0 to the end of the last frame. */
  readonly duration: number;
  /** The track that the index points to. */
  readonly cueTrack: number;
  readonly frames: number;
  readonly scale: number;
}

/** A stretch of the file. @internal */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const DEFAULT_SCALE = 1_000_000;
const VIDEO = 1;
const BLOCK_HEAD = 4;

function capture({ id }: { readonly id: number }): MkvCapture {
  return id === MKV_ID.SIMPLE_BLOCK || id === MKV_ID.BLOCK ? 'stream' : 'whole';
}

/** Reads a file that `mergeSegments` made: where its parts are, without its media. @internal */
export async function indexClip(path: string, signal?: AbortSignal): Promise<ClipIndex> {
  const reader = new StreamingMkvReader({ capture });
  const index = new Indexer();
  for await (const chunk of createReadStream(path, { signal })) {
    if (!isBytes(chunk)) continue;
    reader.push(chunk);
    for (let event = reader.next(); event !== undefined; event = reader.next()) index.visit(event);
  }
  reader.end();
  for (let event = reader.next(); event !== undefined; event = reader.next()) index.visit(event);
  return index.finish(path);
}

type Draft = { -readonly [K in keyof ClipCluster]: ClipCluster[K] };

class Indexer {
  readonly #spans = new Map<number, Span>();
  readonly #clusters: Draft[] = [];
  readonly #trackTypes = new Map<number, number>();
  #track = 0;
  #scale = DEFAULT_SCALE;
  #cluster: Draft | undefined;
  #start = 0;
  /** The two newest times of each track: with B-frames they do not come in order. */
  readonly #last = new Map<number, { newest: number; before: number | undefined }>();
  #frames = 0;
  /** A block that stands in a group, and whether something in it refers to another. */
  #pending: { track: number; time: number } | undefined;
  #referenced = false;
  #block: number[] | undefined;
  #simple = false;

  visit(event: MkvEvent): void {
    if (event.kind === 'masterStart') this.#begin(event);
    else if (event.kind === 'masterEnd') this.#end(event.id, event.offset);
    else if (event.kind === 'element') this.#value(event.id, event.data);
    else if (event.kind === 'streamStart') {
      this.#block = [];
      this.#simple = event.id === MKV_ID.SIMPLE_BLOCK;
    } else if (event.kind === 'data') this.#blockBytes(event.bytes);
  }

  finish(path: string): ClipIndex {
    const ebml = this.#spans.get(MKV_ID.EBML);
    const tracks = this.#spans.get(MKV_ID.TRACKS);
    if (ebml === undefined || tracks === undefined || this.#clusters.length === 0) {
      throw new KvsError({
        status: 'STATUS_FORMAT_ERROR',
        message: `${path}: not a merged clip: EBML head, Tracks or Clusters are missing`,
      });
    }
    // The last frame is shown as long as the one before it.
    const ends = [...this.#last.values()].map(
      ({ newest, before = newest }) => newest + (newest - before),
    );
    return {
      ebml,
      tracks,
      infoBody: this.#spans.get(MKV_ID.INFO),
      clusters: this.#clusters,
      duration: Math.max(...ends, 0),
      cueTrack: this.#cueTrack(),
      frames: this.#frames,
      scale: this.#scale,
    };
  }

  #cueTrack(): number {
    for (const [number, type] of this.#trackTypes) if (type === VIDEO) return number;
    return this.#trackTypes.keys().next().value ?? 1;
  }

  #begin(event: MkvEvent & { kind: 'masterStart' }): void {
    const { id, offset, headerLength } = event;
    const whole = id === MKV_ID.EBML || id === MKV_ID.TRACKS;
    if (whole) this.#start = offset;
    if (id === MKV_ID.INFO) this.#start = offset + headerLength;
    if (id === MKV_ID.BLOCK_GROUP) this.#referenced = false;
    if (id === MKV_ID.CLUSTER) {
      const bodyAt = offset + headerLength;
      this.#cluster = { bodyAt, bodyEnd: bodyAt, time: 0, keyTime: undefined };
    }
  }

  #end(id: number, offset: number): void {
    if (id === MKV_ID.EBML || id === MKV_ID.TRACKS || id === MKV_ID.INFO) {
      this.#spans.set(id, { from: this.#start, to: offset });
    }
    if (id === MKV_ID.BLOCK_GROUP && this.#pending !== undefined) {
      this.#note(this.#pending.track, this.#pending.time, !this.#referenced);
      this.#pending = undefined;
    }
    if (id === MKV_ID.CLUSTER && this.#cluster !== undefined) {
      this.#cluster.bodyEnd = offset;
      this.#clusters.push(this.#cluster);
      this.#cluster = undefined;
    }
  }

  #value(id: number, data: Uint8Array): void {
    if (id === MKV_ID.TIMESTAMP_SCALE) this.#scale = readUint(data);
    if (id === MKV_ID.TIMESTAMP && this.#cluster !== undefined) this.#cluster.time = readUint(data);
    if (id === MKV_ID.TRACK_NUMBER) this.#track = readUint(data);
    if (id === MKV_ID.TRACK_TYPE) this.#trackTypes.set(this.#track, readUint(data));
    if (id === MKV_ID.REFERENCE_BLOCK) this.#referenced = true;
  }

  /** The first bytes of a block: track, time, flags. KVS has tracks below 128: one byte each. */
  #blockBytes(bytes: Uint8Array): void {
    if (this.#block === undefined) return;
    for (const byte of bytes.subarray(0, BLOCK_HEAD - this.#block.length)) this.#block.push(byte);
    const [track = 0, high = 0, low = 0, flags] = this.#block;
    if (flags === undefined) return;
    this.#block = undefined;
    const time = (this.#cluster?.time ?? 0) + (((high << 24) >> 16) | low);
    if (this.#simple) this.#note(track & 0x7f, time, (flags & 0x80) !== 0);
    else this.#pending = { track: track & 0x7f, time };
  }

  #note(track: number, time: number, key: boolean): void {
    this.#frames += 1;
    this.#noteTime(track, time);
    const cluster = this.#cluster;
    if (cluster?.keyTime === undefined && key && cluster !== undefined) {
      if (track === this.#cueTrack()) cluster.keyTime = time;
    }
  }

  #noteTime(track: number, time: number): void {
    const last = this.#last.get(track);
    if (last === undefined) this.#last.set(track, { newest: time, before: undefined });
    else if (time > last.newest) this.#last.set(track, { newest: time, before: last.newest });
    else if (time > (last.before ?? -Infinity) && time < last.newest) last.before = time;
  }
}
