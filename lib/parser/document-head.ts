import { KvsError } from '../base/errors.js';
import { MKV_ID } from '../generated/elements.js';
import { copyEvent, type WriteBytes } from './copy.js';
import { writeHeader } from './ebml.js';
import type { MkvEvent } from './events.js';
import { Gatherer, sameBytes } from './gather.js';
import { readUint } from './values.js';

/** Parts of a document before its first Cluster that go to the output. @internal */
export type HeadSection = 'ebml' | 'info' | 'tracks' | 'tags';

const DEFAULT_SCALE = 1_000_000;
const MAX_HEAD_BYTES = 16 * 1024 * 1024;
const SEGMENT_HEADER_BYTES = 12;

/** Children of Info that are wrong once segments are put together. */
const NOT_KEPT: ReadonlySet<number> = new Set<number>([MKV_ID.DURATION, MKV_ID.CRC32, MKV_ID.VOID]);

/** What stands before the first Cluster of one document. @internal */
export class DocumentHead {
  /** Nanoseconds a tick. */
  scale: number = DEFAULT_SCALE;
  readonly #sections: Readonly<Record<HeadSection, Gatherer>> = {
    ebml: new Gatherer(),
    info: new Gatherer(),
    tracks: new Gatherer(),
    tags: new Gatherer(),
  };

  get hasTracks(): boolean {
    return this.#sections.tracks.length > 0;
  }

  /** Adds an event of a section, its own start included. */
  add(section: HeadSection, event: MkvEvent): void {
    if (section === 'info') this.#addInfo(event);
    else copyEvent(event, this.#sections[section].write);
    this.#checkLength(event.offset);
  }

  /** Writes the tags that stand before the Cluster, once. */
  writeTags(write: WriteBytes): void {
    write(this.#sections.tags.take());
  }

  dropTags(): void {
    this.#sections.tags.clear();
  }

  /** The parts for the output, fixed; a Segment without EBML head goes on under that of `last`. */
  freeze(last: FrozenHead | undefined): FrozenHead {
    const { ebml, info, tracks } = this.#sections;
    const own = ebml.take();
    return {
      ebml: own.length === 0 && last !== undefined ? last.ebml : own,
      info: info.take(),
      tracks: tracks.take(),
      scale: this.scale,
    };
  }

  /** Info without its own header, which changes with what is left out. */
  #addInfo(event: MkvEvent): void {
    if (event.id === MKV_ID.INFO || NOT_KEPT.has(event.id)) return;
    if (event.kind === 'element' && event.id === MKV_ID.TIMESTAMP_SCALE) {
      this.scale = readUint(event.data);
    }
    copyEvent(event, this.#sections.info.write);
  }

  #checkLength(offset: number): void {
    const { ebml, info, tracks, tags } = this.#sections;
    if (ebml.length + info.length + tracks.length + tags.length <= MAX_HEAD_BYTES) return;
    throw new KvsError({
      status: 'STATUS_BUFFER_TOO_SMALL',
      message: `Matroska input at byte ${offset}: more than ${MAX_HEAD_BYTES} bytes before a Cluster`,
    });
  }
}

/** The head of a document as it goes to the output. @internal */
export interface FrozenHead {
  readonly ebml: Uint8Array;
  readonly info: Uint8Array;
  readonly tracks: Uint8Array;
  readonly scale: number;
}

/** Whether media under `b` may go on in a segment that began with `a`. @internal */
export function sameHead(a: FrozenHead, b: FrozenHead): boolean {
  return a.scale === b.scale && sameBytes(a.ebml, b.ebml) && sameBytes(a.tracks, b.tracks);
}

/** Writes the beginning of a playable segment: EBML head, open Segment, Info, Tracks. @internal */
export function writeHead(head: FrozenHead, write: WriteBytes): void {
  write(head.ebml);
  write(writeHeader(MKV_ID.SEGMENT, undefined, SEGMENT_HEADER_BYTES));
  if (head.info.length > 0) {
    write(writeHeader(MKV_ID.INFO, head.info.length));
    write(head.info);
  }
  write(head.tracks);
}
