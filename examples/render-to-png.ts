// Renders the video of a stream: one PNG file for each frame, decoded by ffmpeg.
//
//   npm run build
//   node build-examples/render-to-png.js [--stream NAME] [--out DIR] [--frames N] [--file PATH]
//
// It reads from the earliest fragment and stops after N frames (250 by default), or when nothing has
// come for two seconds. The service is the one at AWS_ENDPOINT_URL_KINESIS_VIDEO; without
// it one is started for the while, and the package's clip is put into it. A file that is
// named is put into a given service's stream, too.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  applyVisitor,
  CompositeMkvElementVisitor,
  FOR_COPYING,
  FrameVisitor,
  OutputSegmentMerger,
  StreamingMkvReader,
} from 'kinesis-video/parser';
import { openMediaFile, sampleClip } from 'kinesis-video/sources';
import { getMedia, openService, putFile } from './shared/service.js';

const VIDEO = 1;
const DIGITS = 5;
const QUIET_MS = 2000;

/** What comes until nothing does: GetMedia goes on for as long as the stream does. */
async function* untilQuiet<T>(media: AsyncGenerator<T>): AsyncGenerator<T, void, undefined> {
  for (;;) {
    const timer = new AbortController();
    const next = media.next();
    const quiet = sleep(QUIET_MS, undefined, { signal: timer.signal });
    const step = await Promise.race([next, quiet.catch(() => undefined)]);
    timer.abort();
    if (step === undefined) {
      // It is ended by the caller's signal, and has nothing more to say.
      next.catch(() => undefined);
      return;
    }
    if (step.done === true) return;
    yield step.value;
  }
}

/** Whole fragments as one Matroska stream for a decoder, until `wanted` frames are in them. */
async function* untilFrames(
  media: AsyncIterable<Uint8Array>,
  wanted: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const parts: Uint8Array[] = [];
  let frames = 0;
  let done = false;
  const merger = new OutputSegmentMerger({
    write: (bytes) => void parts.push(bytes.slice()),
    tags: 'drop',
    times: 'fromZero',
    stopAtFirstNonMatching: true,
  });
  const counter = new FrameVisitor({
    lend: true,
    onFrame: ({ track }) => {
      if (track?.type === VIDEO) frames += 1;
    },
    onFragmentEnd: () => {
      done = frames >= wanted;
    },
  });
  const end = { visit: () => undefined, isDone: () => done };
  const visitor = new CompositeMkvElementVisitor(merger, counter, end);
  const reader = new StreamingMkvReader(FOR_COPYING);
  for await (const chunk of media) {
    reader.push(chunk);
    applyVisitor(reader, visitor);
    yield* parts.splice(0);
    if (visitor.isDone()) return;
  }
}

/** Decodes Matroska into `frame-00001.png` and so on; gives how many ffmpeg wrote. */
async function renderPngs(
  media: AsyncIterable<Uint8Array>,
  directory: string,
  wanted: number,
): Promise<number> {
  const input = ['-f', 'matroska', '-i', 'pipe:0', '-map', '0:v:0'];
  const output = ['-frames:v', String(wanted), '-fps_mode', 'passthrough'];
  const path = join(directory, `frame-%0${DIGITS}d.png`);
  const tell = ['-v', 'error', '-progress', 'pipe:1'];
  const ffmpeg = spawn('ffmpeg', [...tell, '-y', ...input, ...output, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let progress = '';
  ffmpeg.stdout.setEncoding('utf8').on('data', (text: string) => (progress += text));
  const closed = once(ffmpeg, 'close');
  // ffmpeg closes its input when it has enough: its exit code tells, not the pipe.
  const fed = pipeline(Readable.from(media), ffmpeg.stdin).catch((error: unknown) => error);
  const exit: readonly unknown[] = await closed.catch((cause: unknown) => {
    throw new Error('ffmpeg cannot be started; install it', { cause });
  });
  const fault = await fed;
  if (exit[0] !== 0) {
    throw new Error(`ffmpeg ended with exit code ${String(exit[0])}`, { cause: fault });
  }
  return Number(
    progress
      .match(/^frame=(\d+)/gm)
      ?.at(-1)
      ?.slice('frame='.length) ?? 0,
  );
}

const { values } = parseArgs({
  options: {
    stream: { type: 'string', default: 'render-example-stream' },
    out: { type: 'string', default: 'rendered' },
    frames: { type: 'string', default: '250' },
    file: { type: 'string' },
  },
});
const wanted = Number(values.frames);
if (!Number.isInteger(wanted) || wanted < 1) throw new RangeError('--frames: give 1 or more');
const service = await openService();
const stop = new AbortController();
try {
  const path = values.file ?? (service.own ? sampleClip() : undefined);
  if (path !== undefined) {
    await putFile(service.connection, values.stream, await openMediaFile(path));
  }
  await mkdir(values.out, { recursive: true });
  const media = getMedia(service.connection, values.stream, stop.signal);
  const written = await renderPngs(untilFrames(untilQuiet(media), wanted), values.out, wanted);
  console.log(`${written} frames of ${values.stream} rendered to ${values.out}`);
} finally {
  stop.abort();
  await service.close();
}
