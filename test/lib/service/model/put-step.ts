import fc from 'fast-check';
import { expect } from 'vitest';
import { RawPutMedia } from '../../../support/put-media.js';
import { ERROR_OF, HEADER, badEnd, build, ending, losesOpenFragment } from './body.js';
import { sentFragment, type BuiltFragment, type Ending, type SentFragment } from './body.js';
import type { Real } from './real.js';
import { Step, streamName as name } from './step.js';
import type { ModelStream, World } from './world.js';

/** What one PutMedia call sends. */
export interface Upload {
  readonly name: string;
  readonly fragments: readonly SentFragment[];
  readonly ending: Ending;
  /** Time codes count from here; absolute ones are ms since 1970. */
  readonly start: number | undefined;
  /** Bytes of a chunk. */
  readonly chunk: number;
}

let marks = 0;

/** Sends a body, compares the acks, and tells the model what is stored now. */
export async function upload(world: World, real: Real, wanted: Upload): Promise<void> {
  const stream = world.streams.get(wanted.name);
  if (wanted.ending === 'reset' && stream?.hours === 0) {
    // Nothing tells when a fragment that is not retained can be read, once the connection is gone.
    await upload(world, real, { ...wanted, ending: 'cut' });
    return;
  }
  const put = open(real, wanted, stream);
  if (stream === undefined) {
    await put.until(({ text }) => text.endsWith('}'));
    expect(put.status).toBe(404);
    put.destroy();
    return;
  }
  const built = buildAll(wanted);
  const last = built.at(-1)?.timecode ?? 0;
  const loses = losesOpenFragment(wanted.ending) && wanted.fragments.at(-1)?.ended !== true;
  const whole = loses ? built.slice(0, -1) : built;
  sendChunks(
    put,
    Buffer.concat([HEADER, ...built.map(({ bytes }) => bytes), badEnd(wanted.ending, last)]),
    wanted.chunk,
  );
  if (wanted.ending === 'reset') await untilStored(put, whole.length, stream);
  else if (wanted.ending === 'end' || wanted.ending === 'cut') put.end();
  if (wanted.ending === 'reset') put.reset();
  else await put.untilEnded();
  put.destroy();
  checkAcks(put, wanted, whole, stream);
  take(world, stream, put, whole, wanted.start ?? 0);
}

function open(real: Real, { start, name }: Upload, stream: ModelStream | undefined): RawPutMedia {
  return new RawPutMedia(real.use.service.endpoint, {
    ...(start === undefined && stream !== undefined
      ? { 'x-amzn-stream-arn': stream.arn }
      : { 'x-amzn-stream-name': name }),
    'x-amzn-fragment-timecode-type': start === undefined ? 'ABSOLUTE' : 'RELATIVE',
    'x-amzn-producer-start-timestamp': ((start ?? 0) / 1000).toFixed(3),
  });
}

function buildAll({ fragments, start }: Upload): BuiltFragment[] {
  // Relative time codes begin at 0; one more, since an ending may go back by one.
  let timecode = start === undefined ? Date.UTC(2026, 0, 1) : 1;
  let playable = true;
  return fragments.map((sent) => {
    timecode += sent.step;
    marks += 1;
    const built = build(sent, timecode, marks, playable);
    ({ playable } = built);
    return built;
  });
}

function sendChunks(put: RawPutMedia, body: Uint8Array, size: number): void {
  for (let at = 0; at < body.length; at += size) put.send(body.subarray(at, at + size));
}

function untilStored(put: RawPutMedia, count: number, { hours }: ModelStream): Promise<void> {
  return put.until((self) => self.count(hours > 0 ? 'PERSISTED' : 'RECEIVED') >= count);
}

function checkAcks(
  put: RawPutMedia,
  { ending }: Upload,
  whole: readonly BuiltFragment[],
  { hours }: ModelStream,
): void {
  const times = whole.map(({ timecode }) => timecode);
  const timesOf = (type: string): unknown[] =>
    put.acks.filter((ack) => ack.EventType === type).map((ack) => ack.FragmentTimecode);
  expect(timesOf('RECEIVED')).toEqual(times);
  expect(timesOf('PERSISTED')).toEqual(hours > 0 ? times : []);
  expect(timesOf('BUFFERING').slice(0, times.length)).toEqual(times);
  for (const number of numbersOf(put, 'RECEIVED')) {
    const types = put.acks.filter((ack) => ack.FragmentNumber === number);
    expect(types.map((ack) => ack.EventType)).toEqual(
      hours > 0 ? ['BUFFERING', 'RECEIVED', 'PERSISTED'] : ['BUFFERING', 'RECEIVED'],
    );
  }
  const errors = put.acks.filter((ack) => ack.EventType === 'ERROR').map((ack) => ack.ErrorId);
  const error = ERROR_OF[ending];
  expect(errors).toEqual(error === undefined ? [] : [error]);
}

function numbersOf(put: RawPutMedia, type: string): string[] {
  return put.acks
    .filter((ack) => ack.EventType === type)
    .map((ack) => ack.FragmentNumber ?? 'none');
}

/** Numbers have the recorded form and only grow, whatever the clock does. */
function take(
  world: World,
  stream: ModelStream,
  put: RawPutMedia,
  whole: readonly BuiltFragment[],
  start: number,
): void {
  for (const [index, text] of numbersOf(put, 'RECEIVED').entries()) {
    const { timecode, duration, size, frames, tags, playable } = whole[index] ?? unknown(index);
    expect(text).toMatch(/^\d{47}$/);
    const number = BigInt(text);
    const sequence = BigInt.asUintN(64, number >> 92n);
    expect(sequence).toBeGreaterThan(stream.sequence);
    expect(BigInt.asUintN(64, number >> 28n)).toBe(BigInt(world.wall));
    stream.sequence = sequence;
    stream.fragments.push({
      ...{ number, duration, size, frames, tags, playable },
      producerTime: start + timecode,
      serverTime: world.wall,
    });
  }
}

function unknown(index: number): never {
  throw new Error(`fragment ${String(index)} was acknowledged but not sent`);
}

const put = fc
  .record({
    name,
    fragments: fc.array(sentFragment, { minLength: 1, maxLength: 4 }),
    ending,
    start: fc.option(
      fc.nat(10_000).map((ms) => Date.UTC(2026, 0, 1) + ms),
      { nil: undefined },
    ),
    chunk: fc.constantFrom(7, 1000, 1_000_000),
  })
  .map(
    (wanted) => new Step('put', wanted, async (world, real) => upload(world, real, tamed(wanted))),
  );

/** Large bodies in chunks of seven bytes would only test the patience. */
function tamed(wanted: Upload): Upload {
  const large = wanted.fragments.some(({ blocks }) => blocks.some(({ size }) => size > 1000));
  return large && wanted.chunk < 1000 ? { ...wanted, chunk: 1000 } : wanted;
}

/** Arbitrary PutMedia calls. */
export const PUT_STEPS: readonly fc.Arbitrary<Step>[] = [put, put, put];
