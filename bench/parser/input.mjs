// 64 MiB of 20 KB frames as a producer sends them: one Segment, clusters of 50 frames.
import { MKV_ID, writeHeader } from '../../dist/parser/index.js';

export const FRAME_BYTES = 20_000;
const FRAMES_A_CLUSTER = 50;
const FRAME_MS = 40;

const text = (value) => new TextEncoder().encode(value);

function uint(value) {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigUint64(0, BigInt(value));
  return data;
}

function element(id, ...parts) {
  const body = Buffer.concat(parts);
  return Buffer.concat([writeHeader(id, body.length, writeHeader(id, 0).length + 3), body]);
}

function head() {
  const video = element(
    MKV_ID.VIDEO,
    element(MKV_ID.PIXEL_WIDTH, uint(640)),
    element(MKV_ID.PIXEL_HEIGHT, uint(480)),
  );
  const track = element(
    MKV_ID.TRACK_ENTRY,
    element(MKV_ID.TRACK_NUMBER, uint(1)),
    element(MKV_ID.TRACK_UID, uint(1)),
    element(MKV_ID.TRACK_TYPE, uint(1)),
    element(MKV_ID.CODEC_ID, text('V_VP8')),
    video,
  );
  const info = element(MKV_ID.INFO, element(MKV_ID.TIMESTAMP_SCALE, uint(1_000_000)));
  return {
    ebml: element(
      MKV_ID.EBML,
      element(MKV_ID.DOC_TYPE, text('matroska')),
      element(MKV_ID.DOC_TYPE_VERSION, uint(4)),
      element(MKV_ID.DOC_TYPE_READ_VERSION, uint(2)),
    ),
    rest: Buffer.concat([info, element(MKV_ID.TRACKS, track)]),
  };
}

function clusterBody(index) {
  const parts = [element(MKV_ID.TIMESTAMP, uint(index * FRAMES_A_CLUSTER * FRAME_MS))];
  const payload = new Uint8Array(FRAME_BYTES).map((_, i) => (i * 31 + index) & 0xff);
  for (let i = 0; i < FRAMES_A_CLUSTER; i += 1) {
    const time = i * FRAME_MS;
    const start = Uint8Array.of(0x81, time >> 8, time & 0xff, i === 0 ? 0x80 : 0);
    parts.push(element(MKV_ID.SIMPLE_BLOCK, start, payload));
  }
  return Buffer.concat(parts);
}

/** The same media with unknown sizes, as producers send it, and with known ones. */
export function makeInput(bytes) {
  const { ebml, rest } = head();
  const clusterBytes = clusterBody(0).length;
  const bodies = Array.from({ length: Math.ceil(bytes / clusterBytes) }, (_, i) => clusterBody(i));
  const open = bodies.flatMap((body) => [writeHeader(MKV_ID.CLUSTER, undefined), body]);
  const sized = bodies.map((body) => element(MKV_ID.CLUSTER, body));
  return {
    frames: bodies.length * FRAMES_A_CLUSTER,
    live: new Uint8Array(
      Buffer.concat([ebml, writeHeader(MKV_ID.SEGMENT, undefined, 12), rest, ...open]),
    ),
    file: new Uint8Array(Buffer.concat([ebml, element(MKV_ID.SEGMENT, rest, ...sized)])),
  };
}
