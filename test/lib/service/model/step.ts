import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Real } from './real.js';
import type { World } from './world.js';

/** How long a step may take, ms. */
const PATIENCE = Number(process.env['KVS_MODEL_PATIENCE'] ?? 10_000);

/** One operation, done to the model and to the service; throws where their answers differ. */
export type Act = (world: World, real: Real) => Promise<void>;

/** A command of fast-check: any step may follow any other, since refusals are answers, too. */
export class Step implements fc.AsyncCommand<World, Real, true> {
  readonly #text: string;
  readonly #act: Act;

  constructor(name: string, parameters: unknown, act: Act) {
    this.#text = `${name}(${JSON.stringify(parameters)})`;
    this.#act = act;
  }

  check(): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** An answer that does not come is a failure like any other, so that it is made smaller, too. */
  async run(world: World, real: Real): Promise<void> {
    const ended = new AbortController();
    const late = sleep(PATIENCE, undefined, { signal: ended.signal }).then(() => {
      throw new Error(`no answer within ${String(PATIENCE)} ms`);
    });
    try {
      await Promise.race([this.#act(world, real), late]);
    } finally {
      ended.abort();
      late.catch(() => undefined);
    }
  }

  toString(): string {
    return this.#text;
  }
}

/** More names than an account may have streams. */
const NAMES = ['a', 'ab', 'b', 'c'] as const;

/** A name, mostly of the streams that are there from the start. */
export const streamName: fc.Arbitrary<string> = fc.constantFrom('a', 'a', 'a', 'b', 'b', ...NAMES);
