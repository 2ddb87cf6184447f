import { dirname } from 'node:path';
import { ALL, contentOf, someSectors, type Change, type Sectors } from './file-content.js';
import type { Op } from './log.js';
import type { Random } from './random.js';

/* What a disk may hold after the power failed: everything that was flushed, and of the rest anything. */

/**
 * What a file system promises of names. `journal`: changes of names and lengths reach the disk in
 * their order, and a flush of a file takes all along up to its own last one, which is the flush
 * itself where the file has grown (ext4, XFS). `posix`: a name is durable when its directory was
 * flushed, and not before; in no order.
 */
export type FileSystem = 'journal' | 'posix';

interface Node {
  readonly kind: 'file' | 'directory';
  readonly changes: Change[];
  /** When it was flushed. */
  readonly syncs: number[];
  /** Bytes of it now, and at its last flush, while the log is read. */
  size: number;
  flushedSize: number;
}

type Names = Map<string, Node>;

/** A change of names, or of a file's length by itself. */
interface Meta {
  readonly at: number;
  readonly apply: (names: Names) => void;
  /** Paths that it is about. */
  readonly paths: readonly string[];
  /** What has to be flushed for it to be durable: the directories of its paths, or the file. */
  readonly holders: readonly Node[];
  /** Files and directories whose flush takes it along in a journal. */
  readonly about: readonly Node[];
}

/** Files by path, and directories, each behind the one that it is in. */
export interface DiskState {
  readonly directories: readonly string[];
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Which changes of names are there, and how the bytes of files are. */
interface Outcome {
  readonly at: number;
  readonly has: (meta: Meta) => boolean;
  readonly sectors: (pending: number) => Sectors;
}

/** A recorded run as changes of a disk. A point `at` of it is the moment before call `at`. */
export class RecordedDisk {
  /** Moments before which something changed on the disk, the beginning and the end. */
  readonly points: readonly number[];
  readonly #metas: Meta[] = [];
  readonly #root: Node = newNode('directory');
  readonly #names: Names = new Map<string, Node>([['.', this.#root]]);
  /** Truncates by their change of metadata. */
  readonly #lengths = new Map<Change, Meta>();
  /** Flushes that took the whole journal along. */
  readonly #commits: number[] = [];

  constructor(ops: readonly Op[]) {
    const points = new Set([0, ops.length]);
    let open = new Map<number, Node>();
    for (const [at, op] of ops.entries()) {
      if (op.kind === 'process') open = new Map<number, Node>();
      else this.#take(at, op, open);
      // What was told since the last change counts, too: the moment is the one before the next.
      if (isChange(op)) points.add(at);
    }
    this.points = [...points].sort((a, b) => a - b);
  }

  /** The disk as a process sees it that goes on after `kill -9`: everything arrived. */
  whole(at: number): DiskState {
    return this.#build({ at, has: (meta) => meta.at < at, sectors: () => ALL });
  }

  /** What the disk may hold when the power fails at this moment. */
  afterPowerLoss(at: number, fileSystem: FileSystem, random: Random): DiskState {
    const kept = fileSystem === 'journal' ? this.#prefix(at, random) : this.#subset(at, random);
    const sectors = (pending: number): Sectors => someSectors(pending, random);
    return this.#build({ at, has: (meta) => kept.has(meta), sectors });
  }

  #take(at: number, op: Exclude<Op, { kind: 'process' }>, open: Map<number, Node>): void {
    switch (op.kind) {
      case 'open':
        return this.#open(at, op, open);
      case 'close':
        open.delete(op.fd);
        return;
      case 'write':
        return write(at, known(open.get(op.fd)), op);
      case 'sync':
        return this.#sync(at, known(open.get(op.fd)));
      case 'truncate':
        return this.#truncate(at, known(open.get(op.fd)), op.size);
      case 'rename':
        return this.#rename(at, op.path, op.to);
      case 'unlink':
      case 'rmdir':
        return this.#remove(at, op.path);
      case 'mkdir':
        return this.#add(at, op.path, newNode('directory'));
      case 'told':
    }
  }

  #sync(at: number, node: Node): void {
    node.syncs.push(at);
    if (node.size !== node.flushedSize) this.#commits.push(at);
    node.flushedSize = node.size;
  }

  #open(
    at: number,
    { fd, path, effect }: Extract<Op, { kind: 'open' }>,
    open: Map<number, Node>,
  ): void {
    const name = path === '' ? '.' : path;
    if (effect === 'created') this.#add(at, name, newNode('file'));
    const node = known(this.#names.get(name));
    if (effect === 'truncated') this.#truncate(at, node, 0);
    open.set(fd, node);
  }

  #add(at: number, path: string, node: Node): void {
    // The data directory itself is there from the beginning.
    if (path === '') return;
    const parent = known(this.#names.get(dirname(path)));
    const apply = (names: Names): void => void names.set(path, node);
    this.#change({ at, apply, paths: [path], holders: [parent], about: [parent, node] });
  }

  #remove(at: number, path: string): void {
    const parent = known(this.#names.get(dirname(path)));
    const node = known(this.#names.get(path));
    const apply = (names: Names): void => void names.delete(path);
    this.#change({ at, apply, paths: [path], holders: [parent], about: [parent, node] });
  }

  #rename(at: number, from: string, to: string): void {
    const holders = [from, to].map((path) => known(this.#names.get(dirname(path))));
    const node = known(this.#names.get(from));
    const below = [...this.#names.keys()].filter((path) => path.startsWith(`${from}/`));
    const apply = (names: Names): void => {
      for (const path of [from, ...below]) {
        const moved = names.get(path);
        names.delete(path);
        if (moved !== undefined) names.set(to + path.slice(from.length), moved);
      }
    };
    this.#change({ at, apply, paths: [from, to], holders, about: [...holders, node] });
  }

  #truncate(at: number, node: Node, size: number): void {
    const change = { kind: 'truncate', at, size } as const;
    const meta = { at, apply: (): void => undefined, paths: [], holders: [node], about: [node] };
    node.changes.push(change);
    node.size = size;
    this.#lengths.set(change, meta);
    this.#change(meta);
  }

  #change(meta: Meta): void {
    this.#metas.push(meta);
    meta.apply(this.#names);
  }

  /** Changes of names that are on the disk: a beginning of the journal, as long as it must be. */
  #prefix(at: number, random: Random): ReadonlySet<Meta> {
    const past = this.#metas.filter((meta) => meta.at < at);
    const committed = this.#commits.findLast((commit) => commit < at) ?? -1;
    const forced = past.findLastIndex(
      ({ about, at: from }) =>
        from < committed || about.some((node) => flushedBetween(node, from, at)),
    );
    return new Set(past.slice(0, random.between(forced + 1, past.length)));
  }

  /** The same where only flushed directories are sure, and the rest comes in any order. */
  #subset(at: number, random: Random): ReadonlySet<Meta> {
    const share = [0, 0.5, 0.9][random.below(3)] ?? 0;
    const missing = new Set<string>();
    const kept = new Set<Meta>();
    for (const meta of this.#metas) {
      if (meta.at >= at) break;
      const sure = meta.holders.every((node) => flushedBetween(node, meta.at, at));
      const possible = !meta.paths.some((path) => dependsOn(path, missing));
      if (possible && (sure || random.chance(share))) kept.add(meta);
      else for (const path of meta.paths) missing.add(path);
    }
    return kept;
  }

  #build(outcome: Outcome): DiskState {
    const names: Names = new Map<string, Node>([['.', this.#root]]);
    for (const meta of this.#metas) if (outcome.has(meta)) meta.apply(names);
    const files = new Map<string, Uint8Array>();
    const directories: string[] = [];
    for (const [path, node] of names) {
      if (!isReachable(path, names)) continue;
      if (node.kind === 'directory') directories.push(path);
      else files.set(path, this.#content(node, outcome));
    }
    return { directories: directories.sort(), files };
  }

  #content({ changes, syncs }: Node, { at, has, sectors }: Outcome): Uint8Array {
    const flushed = syncs.findLast((sync) => sync < at) ?? -1;
    const past = changes.filter((change) => {
      const meta = this.#lengths.get(change);
      return change.at < at && (meta === undefined || change.at < flushed || has(meta));
    });
    const pending = past.filter((change) => change.kind === 'write' && change.at > flushed);
    return contentOf(past, flushed, sectors(pending.length));
  }
}

function newNode(kind: Node['kind']): Node {
  return { kind, changes: [], syncs: [], size: 0, flushedSize: 0 };
}

function write(at: number, node: Node, { offset, bytes }: Extract<Op, { kind: 'write' }>): void {
  node.changes.push({ kind: 'write', at, offset, bytes });
  node.size = Math.max(node.size, offset + bytes.length);
}

function known(node: Node | undefined): Node {
  if (node === undefined) throw new Error('the log names a file that it never saw made');
  return node;
}

function isChange(op: Op): boolean {
  switch (op.kind) {
    case 'process':
    case 'close':
    case 'told':
      return false;
    case 'open':
      return op.effect !== 'none';
    default:
      return true;
  }
}

function flushedBetween(node: Node, from: number, to: number): boolean {
  return node.syncs.some((sync) => sync > from && sync < to);
}

/** Whether a path, or a directory above it, is one whose change did not arrive. */
function dependsOn(path: string, missing: ReadonlySet<string>): boolean {
  for (let at = path; at !== '.'; at = dirname(at)) if (missing.has(at)) return true;
  return false;
}

function isReachable(path: string, names: Names): boolean {
  for (let at = path; at !== '.'; at = dirname(at)) if (!names.has(at)) return false;
  return true;
}
