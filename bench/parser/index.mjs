// The parser against other Matroska readers: 64 MiB of 20 KB frames, fed 16 times in chunks of
// 64 KiB from memory that was there before.
//   npm run bench -- parser [--passes N] [--json]
import { parseArgs } from 'node:util';
import { FrameReader, readFrames } from '../../dist/parser/index.js';
import { makeInput } from './input.mjs';
import * as others from './others.mjs';

export const about = 'frames out of Matroska, against ebml-stream, ts-ebml and mediabunny';

const INPUT_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const ROUNDS = 3;
/** No further round after this long. */
const ENOUGH_SECONDS = 12;

/** Frames of all passes through one reader, without copying. */
function ours({ live }, passes, watch) {
  const reader = new FrameReader({ lend: true });
  let frames = 0;
  for (let pass = 0; pass < passes; pass += 1) {
    for (let at = 0; at < live.length; at += CHUNK_BYTES) {
      reader.push(live.subarray(at, Math.min(at + CHUNK_BYTES, live.length)));
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.kind === 'frame') frames += event.data.length > 0 ? 1 : 0;
      }
    }
    watch();
  }
  return frames;
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

/**
 * GB/s of the fastest of several rounds after one pass to warm up, for every reader alike: what
 * else the machine does then matters least.
 */
async function speedOf(name, read, input, passes) {
  check(name, await read(input, 1), input.frames);
  let best = 0;
  let spent = 0;
  for (let round = 0; round < ROUNDS && (round === 0 || spent < ENOUGH_SECONDS); round += 1) {
    const start = process.hrtime.bigint();
    const frames = await read(input, passes);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    check(name, frames, input.frames * passes);
    best = Math.max(best, (passes * input.live.length) / seconds / 1e9);
    spent += seconds;
  }
  return best;
}

/** Another reader, given the media again for each pass. */
async function again(load) {
  const read = await load();
  return async (input, passes) => {
    let frames = 0;
    for (let pass = 0; pass < passes; pass += 1) frames += await read(input, CHUNK_BYTES);
    return frames;
  };
}

export async function run({ args }) {
  const { values } = parseArgs({ args, options: { passes: { type: 'string', default: '16' } } });
  const passes = Number(values.passes);
  const input = makeInput(INPUT_BYTES);
  globalThis.gc?.();
  const baseline = process.memoryUsage().rss;
  let highest = baseline;
  const watch = () => (highest = Math.max(highest, process.memoryUsage().rss));
  const own = (media, count) => ours(media, count, watch);
  const gbPerSec = await speedOf('FrameReader', own, input, passes);
  const rssMB = (highest - baseline) / 1e6;
  const table = [
    ['reader', 'GB/s', 'times slower', 'note'],
    ['FrameReader', gbPerSec.toFixed(2), '1.0', `lent; ${rssMB.toFixed(1)} MB above the baseline`],
  ];
  const row = (name, speed, note) =>
    table.push([name, speed.toFixed(2), (gbPerSec / speed).toFixed(1), note]);
  const copied = await speedOf('readFrames', oursCopied, input, passes);
  row('readFrames', copied, 'for await, each frame a copy');
  const ratios = await compare(input, passes, gbPerSec, row);
  return { table, json: { gbPerSec, ...ratios, rssMB } };
}

async function compare(input, passes, gbPerSec, row) {
  const missing = others.install();
  if (missing !== undefined) {
    console.error(`other readers are left out: ${missing}`);
    return { vsEbmlStream: null, vsTsEbml: null, vsMediabunny: null };
  }
  const measure = async (name, load) => speedOf(name, await again(load), input, passes);
  const ebmlStream = await measure('ebml-stream', others.ebmlStream);
  row('ebml-stream', ebmlStream, '');
  const tsEbml = await measure('ts-ebml', others.tsEbml);
  row('ts-ebml', tsEbml, 'known sizes');
  const buffer = await measure('mediabunny', others.mediabunny);
  row('mediabunny', buffer, 'known sizes, from one buffer');
  const stream = await measure('mediabunny stream', others.mediabunnyStream);
  row('mediabunny stream', stream, 'known sizes');
  return {
    vsEbmlStream: gbPerSec / ebmlStream,
    vsTsEbml: gbPerSec / tsEbml,
    vsMediabunny: gbPerSec / Math.max(buffer, stream),
  };
}
