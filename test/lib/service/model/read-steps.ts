import {
  GetMediaForFragmentListCommand,
  ListFragmentsCommand,
  type Fragment,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { GetMediaCommand, type StartSelector } from '@aws-sdk/client-kinesis-video-media';
import fc from 'fast-check';
import { expect } from 'vitest';
import { readMedia, type FragmentMetadata } from '../../../../lib/parser/index.js';
import { bytesOf } from '../helpers.js';
import { frameText } from './body.js';
import { upload } from './put-step.js';
import { outcome, type Real } from './real.js';
import { Step, streamName as name } from './step.js';
import { near, nearTime, picked, selectorOf, time, type Near } from './times.js';
import { Refusal, startingAt, within } from './world.js';
import type { ModelFragment, ModelStream, TimeName, World } from './world.js';

const listFragments = fc
  .record({
    name,
    time: fc.option(time),
    from: near,
    to: near,
    page: fc.integer({ min: 1, max: 5 }),
  })
  .map(
    (wanted) =>
      new Step('listFragments', wanted, async (world, real) => {
        const stream = world.streams.get(wanted.name);
        const kind = wanted.time ?? 'serverTime';
        const from = nearTime(stream, kind, wanted.from);
        const to = nearTime(stream, kind, wanted.to);
        const selector = wanted.time === null ? undefined : { kind, from, to };
        const told = await outcome(() => allFragments(real, wanted.name, wanted.page, selector));
        expect(told).toEqual(
          await outcome(() => {
            const { hours, fragments } = world.stream(wanted.name);
            if (selector !== undefined && to < from) throw new Refusal('InvalidArgumentException');
            const all = hours === 0 ? [] : fragments;
            return selector === undefined
              ? within(all, kind, 0, Infinity).map(listed)
              : within(all, kind, from, to).map(listed);
          }),
        );
      }),
  );

function listed(fragment: ModelFragment): Fragment {
  return {
    FragmentNumber: fragment.number.toString(),
    FragmentSizeInBytes: fragment.size,
    ProducerTimestamp: new Date(fragment.producerTime),
    ServerTimestamp: new Date(fragment.serverTime),
    FragmentLengthInMilliseconds: fragment.duration,
  };
}

async function allFragments(
  real: Real,
  name: string,
  page: number,
  selector: { kind: TimeName; from: number; to: number } | undefined,
): Promise<Fragment[]> {
  const found: Fragment[] = [];
  let token: string | undefined;
  do {
    const answer = await real.use.archive.send(
      new ListFragmentsCommand({
        StreamName: name,
        MaxResults: page,
        NextToken: token,
        ...(selector !== undefined && {
          FragmentSelector: {
            FragmentSelectorType: selectorOf(selector.kind),
            TimestampRange: {
              StartTimestamp: new Date(selector.from),
              EndTimestamp: new Date(selector.to),
            },
          },
        }),
      }),
    );
    expect(answer.Fragments?.length).toBeLessThanOrEqual(page);
    found.push(...(answer.Fragments ?? []));
    token = answer.NextToken;
  } while (token !== undefined);
  return found;
}

const UNKNOWN = 12345n;

const fragmentList = fc
  .record({
    name,
    picks: fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }),
    unknown: fc.boolean(),
  })
  .map(
    (wanted) =>
      new Step('fragmentList', wanted, async (world, real) => {
        const stream = world.streams.get(wanted.name);
        const some = wanted.picks.flatMap((pick) => picked(stream?.fragments ?? [], pick) ?? []);
        const numbers = some.map(({ number }) => number);
        if (wanted.unknown || numbers.length === 0) numbers.push(UNKNOWN);
        const told = await outcome(() => givenList(real, wanted.name, numbers));
        expect(told).toEqual(
          await outcome(() => {
            const { hours, fragments } = world.stream(wanted.name);
            const archive = hours === 0 ? [] : fragments;
            const found = archive.filter(({ number }) => numbers.includes(number));
            const missing = numbers.filter((one) => !found.some(({ number }) => number === one));
            return {
              frames: found.flatMap(({ frames }) => frames),
              missing: [...new Set(missing)].map(String).sort(),
            };
          }),
        );
      }),
  );

async function givenList(
  real: Real,
  name: string,
  numbers: readonly bigint[],
): Promise<{ frames: string[]; missing: string[] }> {
  const answer = await real.use.archive.send(
    new GetMediaForFragmentListCommand({ StreamName: name, Fragments: numbers.map(String) }),
  );
  const frames: string[] = [];
  const missing: string[] = [];
  for await (const event of readMedia(bytesOf(answer.Payload))) {
    if (event.kind === 'frame') {
      frames.push(frameText(event.timecodeMs, event.trackNumber, event.data));
    } else if (event.kind === 'error') {
      expect(event.error.status).toBe('STATUS_NOT_FOUND');
      missing.push(/cannot give fragment (\d+)/.exec(event.error.message)?.[1] ?? '');
    }
  }
  return { frames, missing: missing.sort() };
}

type Selector =
  | { readonly kind: 'EARLIEST' | 'NOW' }
  | { readonly kind: 'FRAGMENT_NUMBER' | 'CONTINUATION_TOKEN'; pick: number; off: number }
  | { readonly kind: 'TIME'; time: TimeName; near: Near };

const selector: fc.Arbitrary<Selector> = fc.oneof(
  fc.record({ kind: fc.constantFrom('EARLIEST' as const, 'NOW' as const) }),
  fc.record({
    kind: fc.constantFrom('FRAGMENT_NUMBER' as const, 'CONTINUATION_TOKEN' as const),
    pick: fc.nat(20),
    off: fc.constantFrom(0, 0, 0, -1, 1),
  }),
  fc.record({ kind: fc.constant('TIME' as const), time, near }),
);

/** What the service is asked for, and the fragments that it must begin with. */
function resolve(
  stream: ModelStream,
  wanted: Selector,
): { readonly ask: StartSelector; readonly first: readonly ModelFragment[] | undefined } {
  const { fragments } = stream;
  switch (wanted.kind) {
    case 'EARLIEST':
      return { ask: { StartSelectorType: wanted.kind }, first: [...fragments] };
    case 'NOW':
      return { ask: { StartSelectorType: wanted.kind }, first: fragments.slice(-1) };
    case 'FRAGMENT_NUMBER':
    case 'CONTINUATION_TOKEN': {
      const number = (picked(fragments, wanted.pick)?.number ?? UNKNOWN) + BigInt(wanted.off);
      const StartSelectorType = wanted.kind;
      if (StartSelectorType === 'CONTINUATION_TOKEN') {
        return {
          ask: { StartSelectorType, ContinuationToken: number.toString() },
          first: fragments.filter((one) => one.number > number),
        };
      }
      const known = fragments.some((one) => one.number === number);
      return {
        ask: { StartSelectorType, AfterFragmentNumber: number.toString() },
        first: known ? fragments.filter((one) => one.number >= number) : undefined,
      };
    }
    case 'TIME': {
      const at = nearTime(stream, wanted.time, wanted.near);
      return {
        ask: { StartSelectorType: selectorOf(wanted.time), StartTimestamp: new Date(at) },
        first: startingAt(fragments, wanted.time, at),
      };
    }
  }
}

/** Reads what is stored; then one more fragment is sent, and must come next and at once. */
const getMedia = fc.record({ name, selector }).map(
  (wanted) =>
    new Step('getMedia', wanted, async (world, real) => {
      const stream = world.streams.get(wanted.name);
      const { ask, first } =
        stream === undefined
          ? { ask: { StartSelectorType: 'NOW' as const }, first: [] }
          : resolve(stream, wanted.selector);
      const answer = await outcome(() =>
        real.use.media.send(new GetMediaCommand({ StreamName: wanted.name, StartSelector: ask })),
      );
      if (stream === undefined || typeof answer === 'string') {
        expect(answer).toBe('ResourceNotFoundException');
        return;
      }
      const payload = bytesOf(answer.Payload);
      if (first === undefined) await expectNotFound(payload);
      else await expectMedia({ world, real, stream, payload }, first);
    }),
);

async function expectNotFound(payload: AsyncIterable<Uint8Array>): Promise<void> {
  const told: string[] = [];
  for await (const event of readMedia(payload)) {
    told.push(event.kind === 'error' ? (event.error.status ?? '') : event.kind);
  }
  expect(told.filter((kind) => kind !== 'fragmentEnd')).toEqual(['STATUS_NOT_FOUND']);
}

interface Reading {
  readonly world: World;
  readonly real: Real;
  readonly stream: ModelStream;
  readonly payload: AsyncIterable<Uint8Array>;
}

async function expectMedia(
  { world, real, stream, payload }: Reading,
  stored: readonly ModelFragment[],
): Promise<void> {
  await upload(world, real, {
    name: stream.name,
    fragments: [
      {
        ...{ step: 10 ** 7, blocks: [{ time: 0, track: 1, size: 1 }], tags: {} },
        ...{ size: 'known', ended: true, document: false },
      },
    ],
    ending: 'end',
    start: undefined,
    chunk: 1000,
  });
  const expected = [...stored, ...stream.fragments.slice(-1)];
  const count = expected.reduce((sum, { frames }) => sum + frames.length, 0);
  const frames: string[] = [];
  const fragments: FragmentMetadata[] = [];
  for await (const event of readMedia(payload)) {
    if (event.kind !== 'frame') continue;
    frames.push(frameText(event.timecodeMs, event.trackNumber, event.data));
    if (event.fragment !== undefined && fragments.at(-1) !== event.fragment) {
      fragments.push(event.fragment);
    }
    if (frames.length >= count) break;
  }
  expect(frames).toEqual(expected.flatMap((one) => one.frames));
  expect(
    fragments.map((one) => ({
      number: one.fragmentNumber,
      server: one.serverTimestampMs,
      producer: one.producerTimestampMs,
      tags: Object.fromEntries(one.tags.map((tag) => [tag.name, tag.value])),
    })),
  ).toEqual(
    expected.map((one) => ({
      number: one.number.toString(),
      server: one.serverTime,
      producer: one.producerTime,
      tags: one.tags,
    })),
  );
  // What stands behind the newest fragment has not been read.
  const tokens = fragments.slice(0, -1).map((one) => one.continuationToken);
  expect(tokens).toEqual(expected.slice(0, -1).map((one) => one.number.toString()));
}

/** Arbitrary reading calls. */
export const READ_STEPS: readonly fc.Arbitrary<Step>[] = [
  ...[listFragments, fragmentList, getMedia, getMedia],
];
