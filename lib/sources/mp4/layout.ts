import type { FileHandle } from 'node:fs/promises';
import { KvsError } from '../../base/errors.js';
import { malformed, readBytes, truncated } from '../container.js';
import { nameAt, viewOf } from './box.js';

/** The tables of a film above this are a damaged size, not a film: 100 hours take less. */
const MAX_TABLE_BYTES = 512 * 1024 * 1024;

/** Where the parts of a film lie in its file. */
export interface Layout {
  readonly fileSize: number;
  /** The body of the `moov` box. */
  readonly moov: Uint8Array;
  readonly moofs: readonly Place[];
  /** What is cut off at the end, in words. */
  readonly missing: string | undefined;
}

/** A box in the file; `offset` is that of its header. */
export interface Place {
  readonly offset: number;
  readonly size: number;
  readonly header: number;
}

/** Goes through the boxes of a file, from header to header, and reads the film's tables. */
export async function readLayout(file: FileHandle, path: string): Promise<Layout> {
  const { size: fileSize } = await file.stat();
  const moofs: Place[] = [];
  let moov: Uint8Array | undefined;
  let media = false;
  let missing: string | undefined;
  for (let offset = 0; offset < fileSize;) {
    const head = await readHeader(file, path, offset, fileSize);
    if (head === undefined) break; // zeros behind the end, as recorders leave them
    if (offset + head.size > fileSize) {
      missing = `box ${head.type} at byte ${offset} lacks its last ${offset + head.size - fileSize} bytes`;
    }
    const whole = missing === undefined;
    if (head.type === 'moov' && whole) moov = await readBody(file, path, { offset, ...head });
    if (head.type === 'moof' && whole) moofs.push({ offset, size: head.size, header: head.header });
    media ||= head.type === 'mdat';
    if (!whole) break;
    offset += head.size;
  }
  if (moov === undefined) throw noTables(path, moofs.length > 0, media, missing);
  return { fileSize, moov, moofs, missing };
}

/** Media segments that a server cut, or a recording that was not finished. */
function noTables(
  path: string,
  fragments: boolean,
  media: boolean,
  missing: string | undefined,
): KvsError {
  if (fragments) {
    return malformed(
      path,
      'it is a media segment without its init segment, which has the tracks; put them together (cat init.mp4 seg*.m4s > film.mp4)',
    );
  }
  if (missing !== undefined) return truncated(path, missing);
  if (media) return truncated(path, 'no moov box, so the recording was not finished');
  return malformed(path, 'it has no moov box');
}

interface Header {
  readonly type: string;
  readonly size: number;
  readonly header: number;
}

/** `undefined` where nothing but zeros follows. */
async function readHeader(
  file: FileHandle,
  path: string,
  offset: number,
  fileSize: number,
): Promise<Header | undefined> {
  const bytes = await readBytes(file, path, offset, 16);
  if (bytes.every((byte) => byte === 0)) return undefined;
  if (bytes.length < 8) {
    return { type: '', size: 8, header: 8 };
  }
  const view = viewOf(bytes);
  const type = nameAt(bytes, 4);
  const short = view.getUint32(0);
  const header = short === 1 ? 16 : 8;
  if (bytes.length < header) return { type, size: header, header };
  let size = short === 1 ? Number(view.getBigUint64(8)) : short;
  if (short === 0) size = fileSize - offset;
  if (size < header) {
    throw malformed(path, `box ${type} at byte ${offset} claims a size of ${size} bytes`);
  }
  return { type, size, header };
}

/** The body of a box that holds tables. */
export async function readBody(file: FileHandle, path: string, place: Place): Promise<Uint8Array> {
  const { offset, size, header } = place;
  if (size > MAX_TABLE_BYTES) {
    throw malformed(path, `the tables at byte ${offset} claim ${size} bytes`);
  }
  return readBytes(file, path, offset + header, size - header);
}
