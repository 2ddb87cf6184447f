import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KvsError } from '../../../lib/base/errors.js';
import {
  FrameReader,
  MKV_ID,
  parseBlock,
  StreamingMkvReader,
  writeHeader,
} from '../../../lib/parser/index.js';
import { cut, dump, golden, goldenNames, join } from './helpers.js';

/** Lines of all events, the fault at the end as a line, too. */
function outcome(chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  try {
    lines.push(...dump(chunks));
  } catch (error) {
    if (!(error instanceof KvsError)) throw error;
    lines.push(error.message);
  }
  return lines;
}

function chop(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = cuts.map((part) => Math.floor(part * bytes.length)).sort((a, b) => a - b);
  return cut(bytes, ...at);
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });

describe('random input', () => {
  it('gives events or a KvsError, the same in any chunking', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (bytes, at) => {
        expect(outcome(chop(bytes, at))).toEqual(outcome([bytes]));
      }),
      { numRuns: 2000 },
    );
  });

  it.each(goldenNames())('damaged %s gives the same outcome in any chunking', (name) => {
    const bytes = golden(name);
    const damage = fc.array(
      fc.record({ at: fc.nat(bytes.length - 1), value: fc.integer({ min: 0, max: 255 }) }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(damage, cuts, (spots, at) => {
        const bad = bytes.slice();
        for (const { at: index, value } of spots) bad[index] = value;
        expect(outcome(chop(bad, at))).toEqual(outcome([bad]));
        const frames = new FrameReader({ lend: true });
        for (const chunk of chop(bad, at)) frames.push(chunk);
        frames.end();
        try {
          while (frames.next() !== undefined);
        } catch (error) {
          expect(error).toBeInstanceOf(KvsError);
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** A tree of elements: the reader must give back exactly this. */
interface Node {
  readonly id: number;
  readonly width: number;
  readonly body: Uint8Array | readonly Node[];
  /** Masters only. */
  readonly open: boolean;
}

const width = fc.integer({ min: 1, max: 8 });
const leaf = (id: number): fc.Arbitrary<Node> =>
  fc.record({
    id: fc.constant(id),
    width: fc.integer({ min: 2, max: 8 }),
    body: fc.uint8Array({ maxLength: 300 }),
    open: fc.constant(false),
  });
const master = (id: number, child: fc.Arbitrary<Node>): fc.Arbitrary<Node> =>
  fc.record({
    id: fc.constant(id),
    width,
    body: fc.array(child, { maxLength: 6 }),
    open: fc.boolean(),
  });
const simpleTag = fc.letrec<{ tag: Node }>((tie) => ({
  tag: master(
    MKV_ID.SIMPLE_TAG,
    fc.oneof({ maxDepth: 3 }, leaf(MKV_ID.TAG_NAME), leaf(MKV_ID.CRC32), tie('tag')),
  ).map((node) => ({ ...node, open: false })),
})).tag;
const cluster = master(
  MKV_ID.CLUSTER,
  fc.oneof(leaf(MKV_ID.SIMPLE_BLOCK), leaf(0x4abc), leaf(MKV_ID.VOID)),
);
const tags = master(MKV_ID.TAGS, master(MKV_ID.TAG, simpleTag));
const tree = fc.array(master(MKV_ID.SEGMENT, fc.oneof(cluster, tags)), { maxLength: 3 });

function write(node: Node): Uint8Array {
  const idWidth = writeHeader(node.id, undefined).length - 1;
  const body = node.body instanceof Uint8Array ? node.body : join(...node.body.map(write));
  const size = node.open ? undefined : body.length;
  const shortest = writeHeader(node.id, size).length;
  return join(writeHeader(node.id, size, Math.max(shortest, idWidth + node.width)), body);
}

/** The reader's events put back together as a tree. */
function readBack(chunks: readonly Uint8Array[]): unknown[] {
  const reader = new StreamingMkvReader({ capture: () => 'whole', maxCaptureBytes: 400 });
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  const root: unknown[] = [];
  const open = [root];
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    if (event.kind === 'masterStart') {
      const body: unknown[] = [];
      open.at(-1)?.push([event.id, event.size === undefined, body]);
      open.push(body);
    } else if (event.kind === 'masterEnd') open.pop();
    else if (event.kind === 'element') open.at(-1)?.push([event.id, [...event.data]]);
    else if (event.kind === 'skipped') open.at(-1)?.push([event.id, event.size]);
  }
  expect(reader.finished).toBe(true);
  return root;
}

function expected(nodes: readonly Node[]): unknown[] {
  return nodes.map(({ id, body, open }) => {
    if (!(body instanceof Uint8Array)) return [id, open, expected(body)];
    return id === 0x4abc ? [id, body.length] : [id, [...body]];
  });
}

describe('random trees', () => {
  it('come back as they were written, in any chunking', () => {
    fc.assert(
      fc.property(tree, cuts, (nodes, at) => {
        const bytes = join(...nodes.map(write));
        expect(readBack(chop(bytes, at))).toEqual(expected(nodes));
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseBlock', () => {
  it('gives views of the block or a KvsError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (data) => {
        try {
          const block = parseBlock(data);
          const total = block.frames.reduce((sum, frame) => sum + frame.length, 0);
          expect(total).toBeLessThan(data.length);
          for (const frame of block.frames) expect(frame.buffer).toBe(data.buffer);
          expect(block.frames.at(-1)?.byteOffset).toBe(
            data.byteOffset + data.length - (block.frames.at(-1)?.length ?? 0),
          );
        } catch (error) {
          if (!(error instanceof KvsError)) throw error;
          expect(error.status).toBe('STATUS_MKV_INVALID_FRAME_DATA');
        }
      }),
      { numRuns: 3000 },
    );
  });
});
