import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileLib, type CompiledLib } from '../../support/compiled.js';
import { Expectation } from '../../support/power/expectation.js';
import { powerLibrary } from '../../support/power/library.js';
import { fastFolder, putState } from '../../support/power/place.js';
import { faultsOf } from '../../support/power/store-check.js';
import { recordStore, type FreshRecording } from '../../support/power/store-recording.js';
import type { SaidAt } from '../../support/power/told.js';

/* `kill -9` before each call of each step. What a killed process has written the next one sees, so
   that the directory is put together from the recording, call by call; that the recording is
   complete, and what a process leaves that is really killed, are tests of power-loss.test.ts. */

const STEPS = ['start', 'begin', 'append', 'commit', 'roll', 'expire', 'rewrap', 'delete', 'close'];
const library = powerLibrary();
const where = library.kind === 'built' ? 'kill -9' : `kill -9 (${library.why})`;

/** The step that was under way before a call. */
function stepAt(said: readonly SaidAt[], at: number): string | undefined {
  const last = said.findLast((one) => one.at < at && one.said.event === 'step');
  return last?.said.event === 'step' ? last.said.name : undefined;
}

describe.skipIf(library.kind === 'missing')(where, () => {
  let lib: CompiledLib | undefined;
  let recording: FreshRecording | undefined;
  beforeAll(async () => {
    if (library.kind === 'missing') return;
    lib = await compileLib();
    recording = await recordStore({ lib, library: library.path, rounds: [0, 'steps'] });
  }, 120_000);
  afterAll(async () => {
    recording?.remove();
    await lib?.remove();
  });

  it.each(STEPS)(
    'at %s, before each call: nothing acknowledged is lost, and the store goes on',
    async (step) => {
      if (recording === undefined) throw new Error('nothing was recorded');
      const { disk, said } = recording;
      const points = disk.points.filter((at) => stepAt(said, at) === step);
      expect(points.length).toBeGreaterThan(0);
      const folder = fastFolder();
      const bad: string[] = [];
      for (const at of points) {
        const directory = join(folder, 'data');
        putState(directory, disk.whole(at));
        const faults = await faultsOf(directory, Expectation.at(said, at), 'write');
        bad.push(...faults.map((fault) => `call ${at}: ${fault}`));
        rmSync(directory, { recursive: true });
      }
      rmSync(folder, { recursive: true });
      expect(bad).toEqual([]);
    },
    120_000,
  );
});
