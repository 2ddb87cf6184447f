import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AckError } from '../../../lib/service/errors.js';
import { GUIDE_LIMITS, NO_LIMITS } from '../../../lib/service/limits.js';
import { MkvIngest, type WholeFragment } from '../../../lib/service/put/ingest.js';
import { cluster, endOfFragment, header, tags } from '../../support/mkv.js';

/* A fuzzer of what PutMedia does with its bytes: bodies of real clients, changed at random, in
   random pieces. What fails is made smaller, and its seed is printed. KVS_FUZZ_RUNS sets how many. */

const SOAK = process.env['KVS_SOAK'] === '1';
const RUNS = Number(process.env['KVS_FUZZ_RUNS'] ?? (SOAK ? 200_000 : 1500));
const MOST = 30_000;

const RECORDINGS = fileURLToPath(new URL('../../../../shared/recordings/', import.meta.url));
const GOLDEN = fileURLToPath(new URL('../../golden/mkv/', import.meta.url));

/** Bodies to begin with: written here, the project's own files, and what real clients sent. */
function corpus(): Uint8Array[] {
  const blocks = [
    { time: 0, data: new Uint8Array(300) },
    { time: 40, track: 2 },
  ];
  const own = Buffer.concat([
    header({ tracks: [1, 2] }),
    tags({ a: 'b' }),
    cluster(0, blocks),
    tags({ room: 'hall' }),
    endOfFragment(),
    cluster(2000, blocks),
    header(),
    cluster(4000, [{ time: 0 }]),
  ]);
  return [own, ...filesOf(GOLDEN, '.mkv'), ...filesOf(RECORDINGS, '.http').map(bodyOf)]
    .map((bytes) => bytes.subarray(0, MOST))
    .filter((bytes) => bytes.length > 50);
}

function filesOf(directory: string, end: string): Buffer[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(end))
    .sort()
    .map((name) => readFileSync(join(directory, name)));
}

/** The Matroska bytes of a recorded PutMedia; nothing of other calls. */
function bodyOf(recorded: Buffer): Buffer {
  const at = recorded.indexOf(Buffer.of(0x1a, 0x45, 0xdf, 0xa3));
  const parts: Buffer[] = [];
  if (at < 0) return Buffer.alloc(0);
  for (let line = recorded.lastIndexOf('\r\n', at - 3) + 2; ;) {
    const end = recorded.indexOf('\r\n', line);
    const size = Number.parseInt(recorded.toString('latin1', line, end), 16);
    if (end < 0 || !(size > 0)) return Buffer.concat(parts);
    parts.push(recorded.subarray(end + 2, end + 2 + size));
    line = end + 2 + size + 2;
  }
}

type Change =
  | { readonly kind: 'set'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut' | 'copy'; readonly at: number; readonly length: number; to: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array };

/** Pieces of Matroska that lead parsers astray: ids, and sizes from 0 to more than there can be. */
const PIECES = [
  ...['1a45dfa3', '18538067', '1f43b675', '1254c367', '1654ae6b', 'a3', 'a0', 'ec', 'bf', 'e7'],
  ...['80', 'ff', '01ffffffffffffff', '01fffffffffffffe', '0100000000000000', '4000', '08', '00'],
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));

const place = fc.nat(MOST);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: place, value: fc.nat(255) }),
  fc.record({
    kind: fc.constantFrom('cut' as const, 'copy' as const),
    ...{ at: place, length: fc.nat(2000), to: place },
  }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: place,
    bytes: fc.oneof(fc.constantFrom(...PIECES), fc.uint8Array({ maxLength: 12 })),
  }),
);

function changed(body: Uint8Array, changes: readonly Change[]): Uint8Array {
  let bytes = Buffer.from(body);
  for (const one of changes) {
    const at = one.at % (bytes.length + 1);
    if (one.kind === 'set') bytes.fill(one.value, at, Math.min(at + 1, bytes.length));
    else if (one.kind === 'insert') {
      bytes = Buffer.concat([bytes.subarray(0, at), one.bytes, bytes.subarray(at)]);
    } else {
      const part = bytes.subarray(at, at + one.length);
      const rest = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + one.length)]);
      const to = one.to % (bytes.length + 1);
      bytes =
        one.kind === 'cut'
          ? rest
          : Buffer.concat([bytes.subarray(0, to), part, bytes.subarray(to)]);
    }
  }
  return bytes;
}

/** Tells what an ingest finds, and checks that it tells it in an order that a store can take. */
class Watch {
  readonly told: string[] = [];
  #bytes: Buffer[] = [];
  #state: 'closed' | 'open' | 'timed' = 'closed';
  total = 0;

  fragmentStart(head: Uint8Array): void {
    expect(this.#state).toBe('closed');
    this.#state = 'open';
    this.#bytes = [];
    this.told.push(`start ${String(head.length)}`);
  }

  timecode(time: number): void {
    expect(this.#state).toBe('open');
    expect(time).toBeGreaterThanOrEqual(0);
    // So does a session.
    if (!Number.isSafeInteger(time)) throw new AckError(4007, 'no time');
    this.#state = 'timed';
    this.told.push(`time ${String(time)}`);
  }

  bytes(part: Uint8Array): void {
    expect(this.#state).not.toBe('closed');
    this.total += part.length;
    this.#bytes.push(Buffer.from(part));
  }

  fragmentEnd(whole: WholeFragment): void {
    expect(this.#state).toBe('timed');
    this.#state = 'closed';
    expect(Number.isSafeInteger(whole.duration) && whole.duration >= 0).toBe(true);
    const all = Buffer.concat(this.#bytes);
    expect(all.subarray(0, 4).toString('hex')).toBe('1f43b675');
    const sum = `${String(all.length)} ${all.toString('latin1')}`;
    this.told.push(`end ${String(whole.duration)} ${String(whole.tags.length)} ${sum}`);
  }
}

function ingest(pieces: readonly Uint8Array[], limits: typeof NO_LIMITS): string[] {
  const watch = new Watch();
  const reader = new MkvIngest(watch, limits);
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  try {
    for (const piece of pieces) reader.push(piece);
    reader.end();
  } catch (error) {
    if (!(error instanceof AckError)) throw error;
  }
  expect(watch.total).toBeLessThanOrEqual(size);
  return watch.told;
}

function split(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = places.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

describe('fuzzing the ingest', () => {
  it(
    'finds the same in any pieces, and nothing but fragments and Error acks',
    () => {
      const bodies = corpus();
      fc.assert(
        fc.property(
          fc.nat(bodies.length - 1),
          fc.array(change, { maxLength: 6 }),
          fc.array(place, { maxLength: 6 }),
          fc.boolean(),
          (index, changes, places, guide) => {
            const body = changed(bodies[index] ?? new Uint8Array(), changes);
            const limits = guide ? GUIDE_LIMITS : NO_LIMITS;
            // Where the body goes wrong within one piece, what came before in it is told all the same.
            expect(ingest(split(body, places), limits)).toEqual(ingest([body], limits));
          },
        ),
        { numRuns: RUNS },
      );
    },
    Math.max(60_000, RUNS * 20),
  );
});
