// The parser against other Matroska readers: 64 MiB of 20 KB frames, fed 16 times in chunks of
// 64 KiB from memory that was there before.
//   npm run bench -- parser [--passes N] [--json]
import { parseArgs } from 'node:util';
import { FrameReader, readFrames } from '../../dist/parser/index.js';
import { FRAME_BYTES, makeInput } from './input.mjs';
import * as others from './others.mjs';

export const about = 'frames out of Matroska, against ebml-stream, ts-ebml and mediabunny';

const INPUT_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const ROUNDS = 5;

/** Frames of all passes through one reader, without copying: those across chunks in pieces. */
function ours({ live }, passes, afterPass = () => undefined) {
  return readAll(new FrameReader({ lend: true, pieces: true }), live, passes, afterPass);
}

/** The same, but frames across chunks are joined. */
function oursJoined({ live }, passes) {
  return readAll(new FrameReader({ lend: true }), live, passes, () => undefined);
}

function readAll(reader, live, passes, afterPass) {
  let frames = 0;
  for (let pass = 0; pass < passes; pass += 1) {
    for (let at = 0; at < live.length; at += CHUNK_BYTES) {
      reader.push(live.subarray(at, Math.min(at + CHUNK_BYTES, live.length)));
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.kind === 'frame') frames += bytesOf(event) === FRAME_BYTES ? 1 : 0;
      }
    }
    afterPass();
  }
  return frames;
}

/** Reading `data` of a frame in pieces would join them. */
function bytesOf(frame) {
  if (frame.pieces === undefined) return frame.data.length;
  let sum = 0;
  for (const piece of frame.pieces) sum += piece.length;
  return sum;
}

/** The same through `for await`, each frame its own copy. */
async function oursCopied({ live }, passes) {
  const chunks = function* () {
    for (let pass = 0; pass < passes; pass += 1) {
      for (let at = 0; at < live.length; at += CHUNK_BYTES) {
        yield live.subarray(at, Math.min(at + CHUNK_BYTES, live.length));
      }
    }
  };
  let frames = 0;
  for await (const frame of readFrames(chunks())) frames += frame.data.length > 0 ? 1 : 0;
  return frames;
}

function check(name, frames, expected) {
  if (frames !== expected) throw new Error(`${name} found ${frames} frames of ${expected}`);
}

/** One measured round of a reader; gives GB/s. */
async function round({ name, read }, input, passes) {
  const start = process.hrtime.bigint();
  const frames = await read(input, passes);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  check(name, frames, input.frames * passes);
  return (passes * input.live.length) / seconds / 1e9;
}

/**
 * GB/s of the fastest round of each reader after one pass to warm up. Rounds go in turns, so that
 * whatever else the machine does meets all of them alike.
 */
async function speedsOf(readers, input, passes) {
  const best = new Map(readers.map(({ name }) => [name, 0]));
  for (const { name, read } of readers) check(name, await read(input, 1), input.frames);
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    for (const reader of readers) {
      const speed = await round(reader, input, passes);
      best.set(reader.name, Math.max(best.get(reader.name), speed));
    }
  }
  return best;
}

/** Another reader, given the media again for each pass. */
async function again(name, load, note) {
  const readOnce = await load();
  const read = async (input, passes) => {
    let frames = 0;
    for (let pass = 0; pass < passes; pass += 1) frames += await readOnce(input, CHUNK_BYTES);
    return frames;
  };
  return { name, read, note };
}

async function otherReaders() {
  const missing = others.install();
  if (missing !== undefined) {
    console.error(`other readers are left out: ${missing}`);
    return [];
  }
  return Promise.all([
    again('ebml-stream', others.ebmlStream, ''),
    again('ts-ebml', others.tsEbml, 'known sizes'),
    again('mediabunny', others.mediabunny, 'known sizes, from one buffer'),
    again('mediabunny stream', others.mediabunnyStream, 'known sizes'),
  ]);
}

/** How far our memory goes above what was there, before any other reader is loaded. */
function memoryOf(input, passes) {
  globalThis.gc?.();
  const baseline = process.memoryUsage().rss;
  let highest = baseline;
  ours(input, passes, () => (highest = Math.max(highest, process.memoryUsage().rss)));
  return (highest - baseline) / 1e6;
}

export async function run({ args }) {
  const { values } = parseArgs({ args, options: { passes: { type: 'string', default: '16' } } });
  const passes = Number(values.passes);
  const input = makeInput(INPUT_BYTES);
  const rssMB = memoryOf(input, passes);
  const readers = [
    {
      name: 'FrameReader',
      read: ours,
      note: `no copies; ${rssMB.toFixed(1)} MB above the baseline`,
    },
    { name: 'FrameReader joined', read: oursJoined, note: 'frames across chunks joined' },
    { name: 'readFrames', read: oursCopied, note: 'for await, each frame a copy' },
    ...(await otherReaders()),
  ];
  const speeds = await speedsOf(readers, input, passes);
  const gbPerSec = speeds.get('FrameReader');
  const rows = readers.map(({ name, note }) => {
    const speed = speeds.get(name);
    return [name, speed.toFixed(2), (gbPerSec / speed).toFixed(1), note];
  });
  const times = (...names) => {
    const fastest = Math.max(...names.map((name) => speeds.get(name) ?? 0));
    return fastest === 0 ? null : gbPerSec / fastest;
  };
  return {
    table: [['reader', 'GB/s', 'times slower', 'note'], ...rows],
    json: {
      gbPerSec,
      vsEbmlStream: times('ebml-stream'),
      vsTsEbml: times('ts-ebml'),
      vsMediabunny: times('mediabunny', 'mediabunny stream'),
      rssMB,
    },
  };
}
