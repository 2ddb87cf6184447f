import { spawnSync } from 'node:child_process';
import {
  FrameReader,
  MKV_ID,
  StreamingMkvReader,
  type MediaFrame,
} from '../../../lib/parser/index.js';
import { element, golden, header, join } from './helpers.js';

/** Whether a command is installed. */
export function have(tool: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
}

/** Whether an element of GStreamer is installed. */
export function haveElement(name: string): boolean {
  return have('gst-inspect-1.0') && spawnSync('gst-inspect-1.0', [name]).status === 0;
}

/** Runs a command to its end; throws with its words when it fails. */
export function run(tool: string, ...args: string[]): { out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(tool, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stderr}${stdout}`);
  return { out: stdout, err: stderr };
}

/** All frames of some bytes. */
export function framesOf(bytes: Uint8Array): MediaFrame[] {
  const reader = new FrameReader();
  reader.push(bytes);
  reader.end();
  const frames: MediaFrame[] = [];
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    if (event.kind === 'frame') frames.push(event);
  }
  return frames;
}

/** The raw bytes of the elements with these ids, from the offsets that the reader gives. */
export function cutOut(bytes: Uint8Array, ...ids: number[]): Uint8Array {
  const reader = new StreamingMkvReader();
  reader.push(bytes);
  reader.end();
  const parts: Uint8Array[] = [];
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    if (event.kind !== 'masterStart' || event.size === undefined) continue;
    const end = event.offset + event.headerLength + event.size;
    if (ids.includes(event.id)) parts.push(bytes.slice(event.offset, end));
  }
  return join(...parts);
}

function simpleTag(name: string, value: string): Uint8Array {
  return element(
    MKV_ID.SIMPLE_TAG,
    element(MKV_ID.TAG_NAME, name),
    element(MKV_ID.TAG_STRING, value),
  );
}

/** A Tags master as the service writes them. */
export function tags(...pairs: [string, string][]): Uint8Array {
  return element(
    MKV_ID.TAGS,
    element(MKV_ID.TAG, ...pairs.map(([name, value]) => simpleTag(name, value))),
  );
}

/** The bytes of an unsigned integer of 8 bytes. */
export function u64(value: number): number[] {
  return Array.from({ length: 8 }, (_, i) => Number((BigInt(value) >> BigInt(56 - 8 * i)) & 0xffn));
}

/** A golden cut at the key frames of its first track into GetMedia's documents, one a fragment. */
export function asGetMedia(name: string, baseMs: number): Uint8Array[] {
  const bytes = golden(name);
  const head = join(
    cutOut(bytes, MKV_ID.EBML),
    header(MKV_ID.SEGMENT, undefined, 8),
    cutOut(bytes, MKV_ID.INFO, MKV_ID.TRACKS),
  );
  const groups: MediaFrame[][] = [[]];
  for (const frame of framesOf(bytes)) {
    const begun = groups.at(-1)?.some(({ trackNumber }) => trackNumber === 1) === true;
    if (frame.trackNumber === 1 && frame.keyFrame && begun) groups.push([]);
    groups.at(-1)?.push(frame);
  }
  return groups.map((frames, i) => {
    const start = frames[0]?.timecodeMs ?? 0;
    const number = String(i + 1).padStart(47, '9');
    return join(
      head,
      tags(
        ['AWS_KINESISVIDEO_FRAGMENT_NUMBER', number],
        ['AWS_KINESISVIDEO_SERVER_TIMESTAMP', ((baseMs + start) / 1000).toFixed(3)],
        ['AWS_KINESISVIDEO_PRODUCER_TIMESTAMP', ((baseMs + start) / 1000).toFixed(3)],
      ),
      header(MKV_ID.CLUSTER, undefined, 1),
      element(MKV_ID.TIMESTAMP, u64(baseMs + start)),
      ...frames.map((frame) => block(frame, frame.timecodeMs - start)),
      tags(
        ['AWS_KINESISVIDEO_MILLIS_BEHIND_NOW', '0'],
        ['AWS_KINESISVIDEO_CONTINUATION_TOKEN', number],
      ),
    );
  });
}

/** A SimpleBlock with the frame at a relative time. */
export function block(frame: MediaFrame, relative: number): Uint8Array {
  const time = [(relative >> 8) & 255, relative & 255];
  const flags = frame.keyFrame ? 0x80 : 0;
  const start = Uint8Array.of(0x80 | frame.trackNumber, ...time, flags);
  return element(MKV_ID.SIMPLE_BLOCK, start, frame.data);
}
