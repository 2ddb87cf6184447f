// Random calls at any turn against real sockets: each frame that was accepted has exactly one fate.
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  KinesisVideoProducer,
  KvsError,
  type Frame,
  type KinesisVideoStream,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { frameBytes } from '../../support/frames.js';
import { ack, allWell, ScriptedService, type AckScript } from '../../support/scripted-service.js';
import { CREDENTIALS } from '../../support/upload.js';

const START = 1_700_000_000_000;
const STEP = 40;
const RUNS = process.env['KVS_SOAK'] === '1' ? 500 : 15;
const SETTLED_MS = 10_000;

/** What the service does with fragments from here on. */
const FAULTS: Readonly<Record<string, AckScript>> = {
  none: allWell,
  silent: () => [],
  refuses: ({ timecode }) => [ack('ERROR', timecode, { ErrorId: 5000 })],
};

type Step = readonly [call: string, amount: number];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(
    fc.constantFrom(
      ...['put', 'put', 'put', 'write', 'write', 'stop', 'stop', 'start', 'reset', 'pause'],
      ...['resume', 'turn', 'turn', 'turn', 'end', 'destroy', 'none', 'silent', 'refuses'],
    ),
    fc.integer({ min: 1, max: 60 }),
  ),
  { minLength: 1, maxLength: 16 },
);

/** One stream, what was done with it, and what became of its frames. */
class Model {
  /** Numbers of frames that were taken while nothing was paused: each must be found again. */
  readonly accepted = new Set<number>();
  /** Those that were taken while it was paused: whether they are sent depends on the pre-roll. */
  readonly kept = new Set<number>();
  readonly rejected = new Set<number>();
  readonly acked = new Set<number>();
  pending = 0;
  #next = 0;
  readonly #stream: KinesisVideoStream;
  readonly #service: ScriptedService;

  constructor(stream: KinesisVideoStream, service: ScriptedService) {
    this.#stream = stream;
    this.#service = service;
    stream.on('error', () => undefined);
    stream.on('frameRefused', (_error, frame) => {
      this.rejected.add((frame.presentationTs - START) / STEP);
    });
    stream.on('fragmentAckReceived', ({ type, matched, timecode }) => {
      if (type === 'PERSISTED' && matched) this.acked.add(timecode);
    });
  }

  async run([call, amount]: Step): Promise<void> {
    const stream = this.#stream;
    const script = FAULTS[call];
    if (script !== undefined) this.#service.script = script;
    else if (call === 'put') for (let i = 0; i < amount; i += 1) this.#put();
    else if (call === 'write') for (let i = 0; i < amount; i += 1) this.#write();
    else if (call === 'stop') this.#wait(stream.stop({ timeoutMs: amount * 10 }));
    else if (call === 'turn') await new Promise((resolve) => setTimeout(resolve, amount / 10));
    else if (call === 'end') stream.end();
    else if (call === 'destroy') stream.destroy();
    else this.#call(call);
  }

  #call(call: string): void {
    const stream = this.#stream;
    // What is written is taken at some later turn: whether paused or not is then not known.
    if (call === 'pause' && stream.writableLength > 0) return;
    try {
      if (call === 'start') stream.start();
      else if (call === 'reset') stream.reset();
      else if (call === 'pause') stream.pause({ preRollMs: 400 });
      else stream.resume();
    } catch (error) {
      expect(error).toBeInstanceOf(KvsError);
    }
  }

  #frame(): Frame {
    const index = this.#next;
    this.#next += 1;
    // A key frame each: none is passed over for want of one.
    const presentationTs = START + index * STEP;
    return { frameData: frameBytes(index, 300), flags: 1, presentationTs, duration: STEP };
  }

  #accept(index: number): void {
    (this.#stream.paused ? this.kept : this.accepted).add(index);
  }

  #put(): void {
    const index = this.#next;
    try {
      this.#stream.putFrame(this.#frame());
      this.#accept(index);
    } catch (error) {
      expect(error).toBeInstanceOf(KvsError);
    }
  }

  #write(): void {
    if (this.#stream.writableEnded || this.#stream.destroyed) return;
    const index = this.#next;
    this.#accept(index);
    this.#stream.write(this.#frame(), (error) => {
      if (error instanceof Error) this.rejected.add(index);
    });
  }

  #wait(promise: Promise<void>): void {
    this.pending += 1;
    const settled = (): void => {
      this.pending -= 1;
    };
    promise.then(settled, settled);
  }

  /** What contradicts the promise that each accepted frame has one fate. */
  faults(): string[] {
    const { gaps } = this.#stream;
    const stored = new Set(this.#service.fragments.flatMap(({ frames }) => frames));
    const inGap = (index: number): boolean => {
      const time = START + index * STEP;
      return gaps.some(({ from, to }) => time >= from && (time < to || time === from));
    };
    const nowhere = [...this.accepted].filter(
      (index) => !stored.has(index) && !inGap(index) && !this.rejected.has(index),
    );
    const persisted = this.#service.fragments.filter(({ timecode }) => this.acked.has(timecode));
    const delivered = new Set(persisted.flatMap(({ frames }) => frames));
    const lost = gaps.reduce((sum, { frames }) => sum + frames, 0);
    const taken = this.accepted.size + this.kept.size;
    const over = lost + delivered.size + this.rejected.size - taken;
    return [
      ...nowhere.map((index) => `frame ${index} is nowhere`),
      ...(over > 0 ? [`${over} frames have two fates: ${lost} lost of ${taken}`] : []),
    ];
  }
}

function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS/.test(name)).length;
}

async function play(sequence: readonly Step[]): Promise<void> {
  const service = await ScriptedService.start();
  const producer = await KinesisVideoProducer.create({
    endpoint: service.endpoint,
    credentials: CREDENTIALS,
    limits: 'off',
  });
  const stream = await producer.createStream({ streamName: 'camera', nalAdaptationFlags: 0 });
  const model = new Model(stream, service);
  for (const step of sequence) await model.run(step);
  const began = performance.now();
  await producer.close({ timeoutMs: 300 }).catch(() => undefined);
  await eventually(() => {
    expect(model.pending).toBe(0);
  });
  expect(performance.now() - began).toBeLessThan(SETTLED_MS);
  expect(model.faults()).toEqual([]);
  await service.close();
}

it('any calls at any turn: each accepted frame has one fate, and nothing is left behind', async () => {
  const before = sockets();
  await fc.assert(fc.asyncProperty(steps, play), { numRuns: RUNS, endOnFailure: true });
  await eventually(() => {
    expect(sockets()).toBeLessThanOrEqual(before);
  });
}, 120_000);
