import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MKV_ID, writeElement, writeFloat, writeHeader, writeUint } from '../parser/index.js';
import type { ClipCluster, ClipIndex, Span } from './clip-index.js';

const HEADER_BYTES = 12;

/**
 * Writes the merged file `from` again as `to`, as players like it best: known sizes, a duration,
 * and an index before the media. @internal
 */
export async function writeClip(
  from: string,
  to: string,
  index: ClipIndex,
  signal?: AbortSignal,
): Promise<void> {
  const file = await open(from, 'r');
  try {
    const read = async ({ from: at, to: end }: Span): Promise<Uint8Array> => {
      const bytes = new Uint8Array(end - at);
      await file.read(bytes, 0, bytes.length, at);
      return bytes;
    };
    const ebml = await read(index.ebml);
    const info = writeElement(
      MKV_ID.INFO,
      index.infoBody === undefined ? new Uint8Array() : await read(index.infoBody),
      writeFloat(MKV_ID.DURATION, index.duration),
    );
    const head = layOut(index, info, await read(index.tracks));
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      yield ebml;
      yield head;
      for (const { bodyAt, bodyEnd } of index.clusters) {
        yield writeHeader(MKV_ID.CLUSTER, bodyEnd - bodyAt, HEADER_BYTES);
        if (bodyEnd > bodyAt) yield* createReadStream(from, { start: bodyAt, end: bodyEnd - 1 });
      }
    };
    const options = signal === undefined ? {} : { signal };
    await pipeline(Readable.from(parts()), createWriteStream(to), options);
  } finally {
    await file.close();
  }
}

/** Segment header, SeekHead, Info, Tracks and Cues: all lengths are known before all positions. */
function layOut(index: ClipIndex, info: Uint8Array, tracks: Uint8Array): Uint8Array {
  const cuesLength = cues(index, 0).length;
  const seekLength = seekHead(0, 0, 0).length;
  const infoAt = seekLength;
  const tracksAt = infoAt + info.length;
  const cuesAt = tracksAt + tracks.length;
  const mediaAt = cuesAt + cuesLength;
  const size = index.clusters.reduce((sum, cluster) => sum + lengthOf(cluster), mediaAt);
  return Buffer.concat([
    writeHeader(MKV_ID.SEGMENT, size, HEADER_BYTES),
    seekHead(infoAt, tracksAt, cuesAt),
    info,
    tracks,
    cues(index, mediaAt),
  ]);
}

function lengthOf({ bodyAt, bodyEnd }: ClipCluster): number {
  return HEADER_BYTES + bodyEnd - bodyAt;
}

function seekHead(infoAt: number, tracksAt: number, cuesAt: number): Uint8Array {
  const seek = (id: number, position: number): Uint8Array =>
    writeElement(
      MKV_ID.SEEK,
      writeElement(MKV_ID.SEEK_ID, writeHeader(id, 0).slice(0, -1)),
      writeUint(MKV_ID.SEEK_POSITION, position),
    );
  return writeElement(
    MKV_ID.SEEK_HEAD,
    seek(MKV_ID.INFO, infoAt),
    seek(MKV_ID.TRACKS, tracksAt),
    seek(MKV_ID.CUES, cuesAt),
  );
}

/** A point for each cluster with a key frame; positions count from the Segment's content. */
function cues(index: ClipIndex, mediaAt: number): Uint8Array {
  let position = mediaAt;
  const points: Uint8Array[] = [];
  for (const cluster of index.clusters) {
    if (cluster.keyTime !== undefined) {
      const place = writeElement(
        MKV_ID.CUE_TRACK_POSITIONS,
        writeUint(MKV_ID.CUE_TRACK, index.cueTrack),
        writeUint(MKV_ID.CUE_CLUSTER_POSITION, position),
      );
      const time = writeUint(MKV_ID.CUE_TIME, Math.max(0, cluster.keyTime));
      points.push(writeElement(MKV_ID.CUE_POINT, time, place));
    }
    position += lengthOf(cluster);
  }
  return writeElement(MKV_ID.CUES, ...points);
}
