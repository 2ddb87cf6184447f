import { MKV_ID, writeHeader } from '../../lib/parser/index.js';

/* Builds small Matroska bodies, byte by byte, for tests that have to know what they sent. */

/** One element; `undefined` as `size` writes an unknown size. */
export function element(
  id: number,
  parts: readonly Uint8Array[],
  size: 'known' | 'unknown' = 'known',
): Uint8Array {
  const data = Buffer.concat(parts);
  return Buffer.concat([writeHeader(id, size === 'known' ? data.length : undefined), data]);
}

export function uint(id: number, value: number | bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return element(id, [bytes]);
}

export function text(id: number, value: string): Uint8Array {
  return element(id, [Buffer.from(value)]);
}

export interface HeaderOptions {
  readonly tracks?: readonly number[];
  /** Nanoseconds of a tick; 1,000,000 by default. */
  readonly scale?: number;
  readonly docType?: string;
  /** Codec id and private data of each track; H.264 by default. */
  readonly codecs?: readonly { readonly id: string; readonly private?: Uint8Array | undefined }[];
  /** Bytes of codec private data, to tell headers apart or make them large. */
  readonly codecPrivate?: Uint8Array;
}

/** EBML head, an open Segment, Info and Tracks. */
export function header(options: HeaderOptions = {}): Uint8Array {
  const data = options.codecPrivate ?? Uint8Array.of(1, 2, 3);
  const given = options.codecs ?? [];
  const numbers = options.tracks ?? (given.length === 0 ? [1] : given.map((_, at) => at + 1));
  const tracks = numbers.map((number, at) => {
    const codec = given[at] ?? { id: 'V_MPEG4/ISO/AVC', private: data };
    return element(MKV_ID.TRACK_ENTRY, [
      uint(MKV_ID.TRACK_NUMBER, number),
      uint(MKV_ID.TRACK_TYPE, codec.id.startsWith('A_') ? 2 : 1),
      text(MKV_ID.CODEC_ID, codec.id),
      ...(codec.private === undefined ? [] : [element(MKV_ID.CODEC_PRIVATE, [codec.private])]),
    ]);
  });
  return Buffer.concat([
    element(MKV_ID.EBML, [text(MKV_ID.DOC_TYPE, options.docType ?? 'matroska')]),
    writeHeader(MKV_ID.SEGMENT, undefined),
    element(MKV_ID.INFO, [uint(MKV_ID.TIMESTAMP_SCALE, options.scale ?? 1_000_000)]),
    element(MKV_ID.TRACKS, tracks),
  ]);
}

export interface Block {
  /** Relative to the Cluster, ticks. */
  readonly time: number;
  readonly track?: number;
  readonly data?: Uint8Array;
}

export function simpleBlock({ time, track = 1, data = Uint8Array.of(9) }: Block): Uint8Array {
  const head = Buffer.from([0x80 | track, 0, 0, 0x80]);
  head.writeInt16BE(time, 1);
  return element(MKV_ID.SIMPLE_BLOCK, [head, data]);
}

/** A Cluster of unknown size, as AWS's producers write. */
export function cluster(timecode: number | bigint, blocks: readonly Block[]): Uint8Array {
  return element(
    MKV_ID.CLUSTER,
    [uint(MKV_ID.TIMESTAMP, timecode), ...blocks.map(simpleBlock)],
    'unknown',
  );
}

export function tags(pairs: Readonly<Record<string, string>>): Uint8Array {
  const simple = Object.entries(pairs).map(([name, value]) =>
    element(MKV_ID.SIMPLE_TAG, [text(MKV_ID.TAG_NAME, name), text(MKV_ID.TAG_STRING, value)]),
  );
  return element(MKV_ID.TAGS, [element(MKV_ID.TAG, simple)]);
}

export function endOfFragment(): Uint8Array {
  return tags({ AWS_KINESISVIDEO_END_OF_FRAGMENT: '' });
}
