import { createHash } from 'node:crypto';
import { cpSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fsck, startService, type KvsService } from '../../../lib/service/index.js';
import { fastFolder } from '../../support/power/place.js';
import { createStream } from './helpers.js';
import { putTimes, readableOf, type Acked } from './watched-service.js';

/* Each file of a data directory is harmed by itself, in each way. What is lost is what stood there;
   it is said, everything else is served, and nothing is served that was not sent. */

const SOAK = process.env['KVS_SOAK'] === '1';
const STREAMS = ['one', 'two'];
const INDEX = /^index\//;
const MEDIA = /\.media$/;
/** Files that hold nothing: LevelDB's log in words, and its lock. */
const IDLE = /^index\/(LOG|LOG\.old|LOCK)$/;
/** Without its keys a service has nothing to read or show with. */
const SECRETS = /^(master-keys\.json|hls-token\.key)$/;

/** What the service does not do yet; each goes from here when it does. */
const NOT_YET: readonly RegExp[] = [
  // A damaged table of the index is met after the start, where nothing makes it anew.
  /^index\/\d+\.ldb /,
  // A file of media that holds nothing but zeros is written on, and readers wait for what is in it.
  /\.media zeroed$/,
];

type Harm = readonly [name: string, harm: (path: string) => void];

/** Ways in which a file is harmed; the last ones in the soak alone. */
const HARMS: readonly Harm[] = [
  [
    'deleted',
    (path): void => {
      rmSync(path);
    },
  ],
  [
    'cut in half',
    (path): void => {
      truncateSync(path, Math.floor(readFileSync(path).length / 2));
    },
  ],
  [
    'zeroed',
    (path): void => {
      writeFileSync(path, Buffer.alloc(readFileSync(path).length));
    },
  ],
  flipAt(0.5),
  [
    'emptied',
    (path): void => {
      truncateSync(path, 0);
    },
  ],
  ...[0, 0.02, 0.1, 0.25, 0.4, 0.6, 0.75, 0.9, 0.99].map(flipAt),
];
const DONE = SOAK ? HARMS : HARMS.slice(0, 4);

function flipAt(share: number): Harm {
  return [
    `with a bit flipped at ${share}`,
    (path): void => {
      const bytes = readFileSync(path);
      const at = Math.floor(bytes.length * share);
      if (bytes.length > 0) bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
      writeFileSync(path, bytes);
    },
  ];
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

/** A hash of every name and byte below a directory. */
function hashOf(directory: string): string {
  const hash = createHash('sha256');
  for (const path of filesBelow(directory)) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(directory, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** What a directory still gives, and what was said of it. */
interface Found {
  /** Streams of which all that was acknowledged is served. */
  readonly complete: readonly string[];
  /** Faults that fsck names; warnings and errors of the start. */
  readonly said: readonly string[];
  /** Whether fsck changed a byte. */
  readonly changed: boolean;
}

describe('harm on purpose', () => {
  const acked = new Map<string, Acked>();
  let folder = '';
  let whole = '';

  beforeAll(async () => {
    folder = fastFolder();
    whole = join(folder, 'whole');
    // Twice, so that the index has tables besides its log.
    for (const round of [0, 1]) {
      const service = await startService({ dataDir: whole, limits: 'off' });
      for (const [index, name] of STREAMS.entries()) {
        if (round === 0) await createStream(service, name);
        const times = [1, 2, 3].map((at) => (index * 100 + round * 10 + at) * 1000);
        const told = await putTimes(service, name, times);
        expect(told.size).toBe(times.length);
        acked.set(name, new Map([...(acked.get(name) ?? []), ...told]));
      }
      await service.close();
    }
  }, 60_000);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Looks at a directory with fsck, which changes nothing of it, and then starts a service on it. */
  async function look(dataDir: string): Promise<Found> {
    const said: string[] = [];
    const before = hashOf(dataDir);
    try {
      said.push(...(await fsck(dataDir)).faults);
    } catch (error) {
      said.push(String(error));
    }
    const changed = hashOf(dataDir) !== before;
    const log = (level: string, message: string): void => {
      if (level === 'warn' || level === 'error') said.push(message);
    };
    const service = await startService({ dataDir, limits: 'off', log });
    try {
      const complete: string[] = [];
      for (const name of STREAMS) if (await isComplete(service, name)) complete.push(name);
      return { complete, said, changed };
    } finally {
      await service.close();
    }
  }

  async function isComplete(service: KvsService, name: string): Promise<boolean> {
    const all = acked.get(name) ?? new Map<string, number>();
    return (await readableOf(service, name, all)) === all.size;
  }

  /** Harms each of these files in each way; gives what is not as it must be. */
  async function harmEach(
    files: readonly string[],
    check: (found: Found) => string | undefined,
  ): Promise<string[]> {
    const wrong: string[] = [];
    const dataDir = join(folder, 'harmed');
    for (const path of files) {
      for (const [name, harm] of DONE) {
        if (NOT_YET.some((known) => known.test(`${path} ${name}`))) continue;
        cpSync(whole, dataDir, { recursive: true });
        harm(join(dataDir, path));
        try {
          const found = await look(dataDir);
          const why = check(found);
          if (found.changed) wrong.push(`${path} ${name}: fsck changed something`);
          if (why !== undefined) wrong.push(`${path} ${name}: ${why}; ${found.said.join('; ')}`);
        } catch (error) {
          wrong.push(`${path} ${name}: ${String(error)}`);
        }
        rmSync(dataDir, { recursive: true, force: true });
      }
    }
    return wrong;
  }

  function all({ complete }: Found): string | undefined {
    return complete.length === STREAMS.length ? undefined : `only [${complete.join()}] is whole`;
  }

  it('a directory that nothing happened to is whole', async () => {
    const dataDir = join(folder, 'harmed');
    cpSync(whole, dataDir, { recursive: true });
    expect(await look(dataDir)).toMatchObject({ complete: STREAMS, said: [] });
    rmSync(dataDir, { recursive: true });
  });

  it('a file of the index: everything is served', async () => {
    const files = filesBelow(whole).filter((path) => INDEX.test(path) && !IDLE.test(path));
    expect(files.length).toBeGreaterThan(2);
    expect(await harmEach(files, all)).toEqual([]);
  }, 600_000);

  it('a file of media: everything of other streams is served, and it is said', async () => {
    const files = filesBelow(whole).filter((path) => MEDIA.test(path));
    expect(files.length).toBeGreaterThanOrEqual(STREAMS.length);
    const wrong = await harmEach(files, ({ complete, said }) => {
      if (complete.length < STREAMS.length - 1) return `only [${complete.join()}] is whole`;
      return complete.length === STREAMS.length || said.length > 0 ? undefined : 'nothing is said';
    });
    expect(wrong).toEqual([]);
  }, 600_000);

  it('finds it when media are lost', async () => {
    const [path = ''] = filesBelow(whole).filter((file) => MEDIA.test(file));
    expect((await harmEach([path], all)).length).toBeGreaterThan(0);
  }, 600_000);

  it('any other file: everything is served', async () => {
    const other = (path: string): boolean =>
      !INDEX.test(path) && !MEDIA.test(path) && !SECRETS.test(path);
    expect(await harmEach(filesBelow(whole).filter(other), all)).toEqual([]);
  }, 600_000);
});
