import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileLib, type CompiledLib } from '../../support/compiled.js';
import type { FileSystem } from '../../support/power/disk.js';
import { Expectation } from '../../support/power/expectation.js';
import { giveOrder, makeControl, type Order } from '../../support/power/faults.js';
import { powerLibrary } from '../../support/power/library.js';
import { newFaults } from '../../support/power/not-yet.js';
import { fastFolder, putState } from '../../support/power/place.js';
import { Random } from '../../support/power/random.js';
import { faultsOf } from '../../support/power/store-check.js';
import { openRecording, recordStore } from '../../support/power/store-recording.js';
import type { FreshRecording, StoreRecording } from '../../support/power/store-recording.js';

/* The power fails at any moment: every call that changed the data directory is recorded under load,
   the disk is put together as it may be after each of them, and the store is opened on it. */

const SOAK = process.env['KVS_SOAK'] === '1';
const STATES = Number(process.env['KVS_POWER_STATES'] ?? (SOAK ? 20_000 : 2000));
const STATES_OF_A_RECORDING = 10_000;
const KEPT = fileURLToPath(new URL('../../../build-core/power/', import.meta.url));
const library = powerLibrary();
const where = library.kind === 'built' ? 'power loss' : `power loss (${library.why})`;

interface Bad {
  readonly state: number;
  readonly at: number;
  readonly faults: readonly string[];
}

/** Opens the store on so many states; gives those on which something is wrong, the first few. */
async function tryStates(
  recording: StoreRecording,
  states: Iterable<number>,
  fileSystem: FileSystem = 'journal',
): Promise<Bad[]> {
  const folder = fastFolder();
  const bad: Bad[] = [];
  try {
    for (const state of states) {
      const { points } = recording.disk;
      const at = points[state % points.length] ?? 0;
      const directory = join(folder, 'data');
      putState(directory, recording.disk.afterPowerLoss(at, fileSystem, new Random(state)));
      const expected = Expectation.at(recording.said, at);
      const found = await faultsOf(directory, expected, state % 8 === 0 ? 'write' : 'look');
      const faults = newFaults(found);
      rmSync(directory, { recursive: true });
      if (faults.length > 0) bad.push({ state, at, faults: faults.slice(0, 5) });
      if (bad.length === 5) break;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return bad;
}

function* numbersFrom(first: number, count: number): Generator<number> {
  for (let state = first; state < first + count; state += 1) yield state;
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

describe.skipIf(library.kind === 'missing')(where, () => {
  let lib: CompiledLib | undefined;
  beforeAll(async () => {
    lib = await compileLib();
  });
  afterAll(async () => {
    await lib?.remove();
  });

  async function recorded(rounds: readonly number[], control?: string): Promise<FreshRecording> {
    if (lib === undefined || library.kind === 'missing') throw new Error('not compiled');
    const options = { lib, library: library.path, rounds };
    return recordStore({ ...options, ...(control !== undefined && { control }) });
  }

  it('no call that changes the disk escapes the recording', async () => {
    const recording = await recorded([0, 1, 2]);
    try {
      const { files } = recording.disk.whole(recording.length);
      expect([...files.keys()].sort()).toEqual(filesBelow(recording.directory));
      for (const [path, bytes] of files) {
        expect(readFileSync(join(recording.directory, path)).equals(bytes), path).toBe(true);
      }
    } finally {
      recording.remove();
    }
  });

  it(
    `on ${STATES} states of the disk nothing acknowledged is lost, nothing is damaged, numbers grow`,
    async () => {
      for (let first = 0; first < STATES; first += STATES_OF_A_RECORDING) {
        const recording = await recorded([0, 1, 2]);
        try {
          const count = Math.min(STATES_OF_A_RECORDING, STATES - first);
          const bad = await tryStates(recording, numbersFrom(first, count));
          if (bad.length > 0) expect.fail(keep(recording, bad));
        } finally {
          recording.remove();
        }
      }
    },
    Math.max(300_000, STATES * 150),
  );

  it.runIf(process.env['KVS_POWER_LOG'] !== undefined)(
    'a state of a recording that was kept',
    async () => {
      const recording = openRecording(process.env['KVS_POWER_LOG'] ?? '');
      expect(await tryStates(recording, [Number(process.env['KVS_POWER_STATE'])])).toEqual([]);
    },
  );

  it.each<{ name: string; order: Order; fault: RegExp }>([
    {
      name: 'those of media',
      order: { kinds: ['sync'], action: 'lie', path: '.media' },
      fault: /cannot be read|other bytes|is lost/,
    },
    {
      name: 'all of them',
      order: { kinds: ['sync'], action: 'lie' },
      fault: /is lost|is gone|given before|does not open after it held/,
    },
  ])(
    'finds it where flushes are left out: $name',
    async ({ order, fault }) => {
      const control = join(fastFolder(), 'control');
      makeControl(control);
      giveOrder(control, order);
      const recording = await recorded([0], control);
      try {
        const bad = await tryStates(recording, numbersFrom(0, 2000));
        expect(bad.flatMap(({ faults }) => faults).join('\n')).toMatch(fault);
      } finally {
        recording.remove();
        rmSync(join(control, '..'), { recursive: true });
      }
    },
    120_000,
  );
});

/** Keeps a recording in which something is wrong; gives what is, and how to see it again. */
function keep(recording: FreshRecording, bad: readonly Bad[]): string {
  mkdirSync(KEPT, { recursive: true });
  const log = join(KEPT, `failed-${Date.now()}.log`);
  copyFileSync(recording.log, log);
  const again = `KVS_POWER_LOG=${log} KVS_POWER_STATE=${bad[0]?.state ?? 0}`;
  const lines = bad.map(({ state, at, faults }) => {
    return `state ${state}, power lost before call ${at}:\n  ${faults.join('\n  ')}`;
  });
  return `${lines.join('\n')}\nagain: ${again} npx vitest run test/lib/service/power-loss.test.ts`;
}
