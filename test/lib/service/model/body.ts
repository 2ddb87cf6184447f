import fc from 'fast-check';
import { MKV_ID } from '../../../../lib/parser/index.js';
import { AAC, AVC } from '../hls.js';
import { element, header, simpleBlock, tags, uint, type Block } from '../../../support/mkv.js';
import { cluster, endOfFragment } from '../../../support/mkv.js';

/** A fragment as a producer sends it. */
export interface SentFragment {
  /** From the fragment before it, ms. */
  readonly step: number;
  readonly blocks: readonly { readonly time: number; readonly track: number; size: number }[];
  readonly tags: Readonly<Record<string, string>>;
  readonly size: 'known' | 'unknown';
  /** Whether an END_OF_FRAGMENT tag ends it. */
  readonly ended: boolean;
  /** Whether a new document with its header comes first. */
  readonly document: boolean;
}

/** How a body ends. */
export type Ending = 'end' | 'reset' | 'cut' | 'garbage' | 'backwards' | 'track' | 'tags';

export const sentFragment: fc.Arbitrary<SentFragment> = fc.record({
  step: fc.nat(3000),
  blocks: fc.array(
    fc.record({
      time: fc.nat(500),
      track: fc.constantFrom(1, 2),
      size: fc.oneof(fc.nat(300), fc.constant(70_000)),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  tags: fc.dictionary(fc.constantFrom('room', 'floor'), fc.string({ maxLength: 8 }), {
    maxKeys: 2,
  }),
  size: fc.constantFrom('known', 'unknown'),
  ended: fc.boolean(),
  document: fc.boolean(),
});

export const ending: fc.Arbitrary<Ending> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Ending>('end') },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Ending>('reset', 'cut', 'garbage', 'backwards', 'track', 'tags'),
  },
);

/** H.264 and AAC, as players of HLS need them. */
export const HEADER: Readonly<Uint8Array> = header({ codecs: [AVC, AAC] });
/** Two tracks of video, which they do not take. */
const OTHER_HEADER: Readonly<Uint8Array> = header({ tracks: [1, 2], codecPrivate: Buffer.of(7) });

/** What a stored fragment must give back. */
export interface BuiltFragment {
  readonly bytes: Uint8Array;
  readonly timecode: number;
  readonly duration: number;
  /** Bytes of the Cluster and of its tags. */
  readonly size: number;
  readonly frames: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** Whether players of HLS can be given what stands under its header. */
  readonly playable: boolean;
}

/** A frame as both sides write it down. */
export function frameText(time: number, track: number, data: Uint8Array): string {
  return `${String(time)} ${String(track)} ${Buffer.from(data.subarray(0, 8)).toString('hex')}+${String(data.length)}`;
}

/**
 * The bytes of a fragment; `mark` makes its content unlike any other's. `before`: whether what
 * stands before it is playable.
 */
export function build(
  sent: SentFragment,
  timecode: number,
  mark: number,
  before: boolean,
): BuiltFragment {
  const blocks: Required<Block>[] = sent.blocks.map(({ time, track, size }, index) => {
    const data = Buffer.alloc(8 + size, mark);
    data.writeUInt32BE(mark, 0);
    data.writeUInt32BE(index, 4);
    return { time, track, data };
  });
  const media =
    sent.size === 'unknown'
      ? cluster(timecode, blocks)
      : element(MKV_ID.CLUSTER, [uint(MKV_ID.TIMESTAMP, timecode), ...blocks.map(simpleBlock)]);
  const own = Object.keys(sent.tags).length === 0 ? new Uint8Array() : tags(sent.tags);
  return {
    bytes: Buffer.concat([
      sent.document ? OTHER_HEADER : new Uint8Array(),
      own,
      media,
      sent.ended ? endOfFragment() : new Uint8Array(),
    ]),
    timecode,
    duration: durationOf(blocks),
    size: media.length + own.length,
    frames: blocks.map(({ time, track, data }) => frameText(timecode + time, track, data)),
    tags: sent.tags,
    playable: before && !sent.document,
  };
}

/** To the end of the last frame, which lasts as long as those of its track do on average. */
function durationOf(blocks: readonly Required<Block>[]): number {
  const lengths = [1, 2].map((track) => {
    const times = blocks.filter((one) => one.track === track).map((one) => one.time);
    const span = Math.max(...times) - Math.min(...times);
    return times.length < 2 ? 0 : span + span / (times.length - 1);
  });
  return Math.round(Math.max(...lengths));
}

/** The bytes of each bad ending behind time code `last`. */
export function badEnd(kind: Ending, last: number): Uint8Array {
  const block = (track: number): Uint8Array => cluster(last, [{ time: 0, track }]);
  switch (kind) {
    case 'end':
      return new Uint8Array();
    case 'reset':
    case 'cut':
      return block(1).subarray(0, -2);
    case 'garbage':
      return Buffer.alloc(16);
    case 'backwards':
      return cluster(last - 1, [{ time: 0 }]);
    case 'track':
      return block(9);
    case 'tags':
      return tags({ a: '', b: '', c: '', d: '' });
  }
}

/** Whether a fragment that nothing has ended yet is lost to that ending. */
export function losesOpenFragment(kind: Ending): boolean {
  return kind === 'garbage' || kind === 'tags';
}

/** Ids of the Error acks. */
export const ERROR_OF: Readonly<Partial<Record<Ending, number>>> = {
  cut: 4000,
  garbage: 4006,
  backwards: 4004,
  track: 4010,
  tags: 4009,
};
