import fc from 'fast-check';
import { describe, it } from 'vitest';
import { CONTROL_STEPS, FIRST_STEPS } from './model/control-steps.js';
import { HLS_STEPS } from './model/hls-step.js';
import { PUT_STEPS } from './model/put-step.js';
import { READ_STEPS } from './model/read-steps.js';
import { Real } from './model/real.js';
import { World } from './model/world.js';

/* What fails here prints its seed, path and replayPath, and the shortest sequence found. To see it
   again, put them into the options: { seed, path } below and { replayPath } of fc.commands. */

const SOAK = process.env['KVS_SOAK'] === '1';
const RUNS = Number(process.env['KVS_MODEL_RUNS'] ?? (SOAK ? 2000 : 25));

describe('the service and a naive model', () => {
  it(
    'answer any sequence of operations alike, restarts in the middle included',
    async () => {
      const steps = fc.commands([...CONTROL_STEPS, ...PUT_STEPS, ...READ_STEPS, ...HLS_STEPS], {
        maxCommands: 40,
        size: 'max',
      });
      const property = fc.asyncProperty(steps, async (commands) => {
        const world = new World();
        const real = await Real.open(world);
        try {
          for (const first of FIRST_STEPS) await first.run(world, real);
          await fc.asyncModelRun(() => ({ model: world, real }), commands);
        } finally {
          await real.close();
        }
      });
      await fc.assert(property, { numRuns: RUNS, endOnFailure: false });
    },
    Math.max(60_000, RUNS * 3000),
  );
});
