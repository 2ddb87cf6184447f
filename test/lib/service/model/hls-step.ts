import { GetHLSStreamingSessionURLCommand } from '@aws-sdk/client-kinesis-video-archived-media';
import fc from 'fast-check';
import { expect } from 'vitest';
import { outcome, type Real } from './real.js';
import { Step, streamName as name } from './step.js';
import { near, nearTime, selectorOf, time } from './times.js';
import { HOUR, Refusal, startingAt, within } from './world.js';
import type { ModelFragment, ModelStream, TimeName, World } from './world.js';

/** What a session on demand is asked to show, ms since 1970. */
interface Range {
  readonly kind: TimeName;
  readonly from: number;
  readonly to: number;
}

const hlsSession = fc
  .record({ name, range: fc.option(fc.record({ time, from: near, to: near })) })
  .map(
    (wanted) =>
      new Step('hlsSession', wanted, async (world, real) => {
        const stream = world.streams.get(wanted.name);
        const range = wanted.range && {
          kind: wanted.range.time,
          from: nearTime(stream, wanted.range.time, wanted.range.from),
          to: nearTime(stream, wanted.range.time, wanted.range.to),
        };
        expect(await outcome(() => begin(real, wanted.name, range))).toEqual(
          await outcome(() => expected(world, wanted.name, range)),
        );
      }),
  );

/** Begins a session; the player that opens it is known, and told what is not served yet. */
async function begin(real: Real, stream: string, range: Range | null): Promise<number> {
  const { service, archive } = real.use;
  const answer = await archive.send(
    new GetHLSStreamingSessionURLCommand({
      StreamName: stream,
      ...(range !== null && {
        PlaybackMode: 'ON_DEMAND',
        HLSFragmentSelector: {
          FragmentSelectorType: selectorOf(range.kind),
          TimestampRange: {
            StartTimestamp: new Date(range.from),
            EndTimestamp: new Date(range.to),
          },
        },
      }),
    }),
  );
  const url = answer.HLSStreamingSessionURL ?? '';
  expect(url.startsWith(`${service.endpoint}/hls/v1/getHLSMasterPlaylist.m3u8?`)).toBe(true);
  return (await fetch(url)).status;
}

function expected(world: World, name: string, range: Range | null): number {
  const stream = world.stream(name);
  if (stream.hours === 0) throw new Refusal('NoDataRetentionException');
  const shown = range === null ? newest(world, stream) : firstWithin(world, stream, range);
  if (shown === undefined) throw new Refusal('ResourceNotFoundException');
  if (!shown.playable) throw new Refusal('UnsupportedStreamMediaTypeException');
  return 501;
}

/** A live stream is one that has got a fragment within the last 30 seconds. */
function newest({ wall }: World, { fragments }: ModelStream): ModelFragment | undefined {
  return within(fragments, 'serverTime', wall - 30_000, Infinity).at(-1);
}

/** The fragment that holds the beginning, or else the first that begins within the range. */
function firstWithin(
  { wall }: World,
  { fragments, hours }: ModelStream,
  { kind, from, to }: Range,
): ModelFragment | undefined {
  const good = to > from && to - from <= 24 * HOUR;
  const inTime = kind === 'producerTime' || (to <= wall && from >= wall - hours * HOUR);
  if (!good || !inTime) throw new Refusal('InvalidArgumentException');
  const [first] = startingAt(fragments, kind, from);
  return first !== undefined && first[kind] <= to ? first : undefined;
}

/** Arbitrary calls of GetHLSStreamingSessionURL. */
export const HLS_STEPS: readonly fc.Arbitrary<Step>[] = [hlsSession];
