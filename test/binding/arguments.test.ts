import { describe, expect, it } from 'vitest';
import { loadBinding } from '../../lib/native/index.js';
import { deviceInfo, openSession, streamInfo, trackInfo } from './child/drive.cjs';
import { thrownBy } from './support.js';

type Bad = readonly [unknown, 'TypeError' | 'RangeError'];

const NOT_A_NUMBER: readonly Bad[] = [
  [undefined, 'TypeError'],
  [null, 'TypeError'],
  ['1', 'TypeError'],
  [1n, 'TypeError'],
  [{}, 'TypeError'],
  [Symbol('x'), 'TypeError'],
];
const INTEGER: readonly Bad[] = [
  ...NOT_A_NUMBER,
  [-1, 'RangeError'],
  [0.5, 'RangeError'],
  [NaN, 'RangeError'],
  [Infinity, 'RangeError'],
  [-Infinity, 'RangeError'],
  [2 ** 53, 'RangeError'],
  [1e300, 'RangeError'],
];
const TICKS_OR_NAN: readonly Bad[] = [
  ...NOT_A_NUMBER,
  [-0.001, 'RangeError'],
  [-Infinity, 'RangeError'],
  [2 ** 43 + 1, 'RangeError'],
  [1e300, 'RangeError'],
  [Infinity, 'RangeError'],
];
const TICKS: readonly Bad[] = [...TICKS_OR_NAN, [NaN, 'RangeError']];

/** For each kind of argument, values that it refuses. */
const REFUSED: Readonly<Record<string, readonly Bad[]>> = {
  ticks: TICKS,
  ticksOrNaN: TICKS_OR_NAN,
  ticksOrInfinity: TICKS.filter(([value]) => value !== Infinity),
  integer: INTEGER,
  uint32: [...INTEGER, [2 ** 32, 'RangeError']],
  uint16: [...INTEGER, [2 ** 16, 'RangeError']],
  double: [...NOT_A_NUMBER, [-1, 'RangeError'], [NaN, 'RangeError'], [Infinity, 'RangeError']],
  boolean: [undefined, null, 0, 1, 'true', {}].map((value): Bad => [value, 'TypeError']),
  string: [
    ...[undefined, null, 1, {}, Symbol('x')].map((value): Bad => [value, 'TypeError']),
    ['a\0b', 'RangeError'],
  ],
  bytes: [
    undefined,
    null,
    'bytes',
    [1, 2],
    new ArrayBuffer(8),
    new DataView(new ArrayBuffer(8)),
    new Uint16Array(8),
    new Int8Array(8),
    new Uint8ClampedArray(8),
  ].map((value): Bad => [value, 'TypeError']),
  object: [undefined, null, 1, 'info', true].map((value): Bad => [value, 'TypeError']),
  texts: [
    ...[undefined, null, 1, 'ab', {}, [1], [undefined]].map((value): Bad => [value, 'TypeError']),
    [['a\0b'], 'RangeError'],
  ],
  array: [undefined, null, 1, 'ab', {}].map((value): Bad => [value, 'TypeError']),
};

type Argument = readonly [name: string, kind: string, good: unknown];

const TIME: readonly Argument[] = [
  ['mono', 'ticks', 2000],
  ['wall', 'ticks', 1.7e12],
];
const BYTES = new Uint8Array(100);

const STREAM_METHODS: Readonly<Record<string, readonly Argument[]>> = {
  put: [
    ['frameData', 'bytes', BYTES],
    ['flags', 'uint32', 1],
    ['trackId', 'integer', 1],
    ['decodingTs', 'ticksOrNaN', NaN],
    ['presentationTs', 'ticks', 1.7e12],
    ['duration', 'ticks', 40],
    ...TIME,
  ],
  take: [['session', 'integer', 1], ['into', 'bytes', new Uint8Array(100)], ...TIME],
  parseAck: [['session', 'integer', 1], ['bytes', 'bytes', BYTES], ...TIME],
  answer: [
    ['call', 'integer', 99],
    ['result', 'uint32', 200],
    ['streamStatus', 'uint32', 1],
    ['retention', 'ticksOrInfinity', 0],
    ['expiration', 'ticksOrInfinity', Infinity],
    ...TIME,
  ],
  sessionEnded: [['session', 'integer', 99], ['result', 'uint32', 200], ...TIME],
  putMetadata: [
    ['name', 'string', 'name'],
    ['value', 'string', 'value'],
    ['persistent', 'boolean', false],
    ...TIME,
  ],
  putEvent: [
    ['events', 'uint32', 1],
    ['imagePrefix', 'string', 'prefix'],
    ['names', 'texts', ['name']],
    ['values', 'texts', ['value']],
    ...TIME,
  ],
  formatChanged: [['trackId', 'integer', 1], ['codecPrivateData', 'bytes', BYTES], ...TIME],
  stop: TIME,
  reset: TIME,
  resetConnection: [['hard', 'boolean', false], ...TIME],
  metrics: TIME,
};

const CLIENT_METHODS: Readonly<Record<string, readonly Argument[]>> = {
  createStream: [['info', 'object', streamInfo({ name: 'other' })], ...TIME],
  step: TIME,
  answer: [
    ['call', 'integer', 99],
    ['result', 'uint32', 200],
    ['expiration', 'ticksOrInfinity', Infinity],
    ...TIME,
  ],
  metrics: TIME,
};

const DEVICE_FIELDS: Readonly<Record<string, string>> = {
  name: 'string',
  clientId: 'string',
  streamCount: 'uint32',
  storageSize: 'integer',
  tagCount: 'uint32',
  seed0: 'uint32',
  seed1: 'uint32',
};
const TRACK_FIELDS: Readonly<Record<string, string>> = {
  trackId: 'integer',
  trackType: 'integer',
  codecId: 'string',
  trackName: 'string',
  codecPrivateData: 'bytes',
  pixelWidth: 'uint16',
  pixelHeight: 'uint16',
  samplingFrequency: 'double',
  channels: 'uint16',
  bitDepth: 'uint16',
};

/** The kind of a field of NativeStreamInfo, from a good value. */
function kindOfStreamField(name: string, good: unknown): string {
  if (typeof good === 'string') return 'string';
  if (typeof good === 'boolean') return 'boolean';
  if (name === 'tracks') return 'array';
  if (name === 'streamingType' || name === 'overflowPolicy') return 'integer';
  return /Duration|^retention|Latency|Staleness|Scale/.test(name) ? 'ticksOrInfinity' : 'uint32';
}

const construct: (...args: Parameters<typeof Reflect.construct>) => unknown = Reflect.construct;
const apply: (...args: Parameters<typeof Reflect.apply>) => unknown = Reflect.apply;

function call(object: object, method: string, args: readonly unknown[]): unknown {
  const found: unknown = Reflect.get(object, method);
  if (typeof found !== 'function') throw new TypeError(`no method ${method}`);
  return apply(found, object, args);
}

/** Tries every bad value in the place of each argument: an error of its class that names it. */
function tryArguments(
  args: readonly Argument[],
  act: (given: readonly unknown[]) => unknown,
): void {
  const good = args.map(([, , value]) => value);
  for (const [at, [name, kind]] of args.entries()) {
    for (const [value, error] of REFUSED[kind] ?? []) {
      const thrown = thrownBy(() => act(good.with(at, value)));
      expect([thrown.name, thrown.message], `${name} = ${String(value)}`).toEqual([
        error,
        expect.stringMatching(new RegExp(`^${name} must be `)),
      ]);
    }
  }
}

function tryFields(
  fields: Readonly<Record<string, string>>,
  act: (overrides: object) => unknown,
): void {
  for (const [name, kind] of Object.entries(fields)) {
    const refused = REFUSED[kind];
    if (refused === undefined) throw new TypeError(`no kind ${kind}`);
    for (const [value, error] of refused) {
      if (name === 'codecPrivateData' && value === undefined) continue; // none
      const thrown = thrownBy(() => act({ [name]: value }));
      expect([thrown.name, thrown.message], `${name} = ${String(value)}`).toEqual([
        error,
        expect.stringMatching(new RegExp(`^${name} must be `)),
      ]);
    }
  }
}

describe('arguments', () => {
  const { NativeClient } = loadBinding();
  const { client, stream } = openSession(NativeClient);

  it.each(Object.keys(STREAM_METHODS))('NativeStream.%s names what does not fit', (method) => {
    tryArguments(STREAM_METHODS[method] ?? [], (given) => call(stream, method, given));
  });

  it.each(Object.keys(CLIENT_METHODS))('NativeClient.%s names what does not fit', (method) => {
    tryArguments(CLIENT_METHODS[method] ?? [], (given) => call(client, method, given));
  });

  it('new NativeClient names what does not fit', () => {
    const make = (...given: readonly unknown[]): unknown => construct(NativeClient, given);
    tryArguments([['info', 'object', deviceInfo()], ...TIME], (given) => make(...given));
    tryFields(DEVICE_FIELDS, (overrides) => make({ ...deviceInfo(), ...overrides }, 1, 1));
  });

  it('createStream names fields of the stream and its tracks', () => {
    const create = (info: object): unknown => call(client, 'createStream', [info, 2000, 1.7e12]);
    const good = streamInfo({ name: 'fields' });
    const kinds = Object.entries(good).map(([name, value]): [string, string] => [
      name,
      kindOfStreamField(name, value),
    ]);
    tryFields(Object.fromEntries(kinds), (overrides) => create({ ...good, ...overrides }));
    tryFields(TRACK_FIELDS, (overrides) =>
      create({ ...good, tracks: [{ ...trackInfo(), ...overrides }] }),
    );
    expect(thrownBy(() => create({ ...good, tracks: [7] })).message).toBe(
      'track must be an object',
    );
  });

  it('this must be what the method belongs to', () => {
    const strangers = [undefined, {}, client, Object.create(stream), new Uint8Array(4)];
    for (const stranger of strangers) {
      for (const method of Object.keys(STREAM_METHODS)) {
        const found: unknown = Reflect.get(stream, method);
        if (typeof found !== 'function') throw new TypeError('no function');
        expect(() => apply(found, stranger, [2000, 1.7e12])).toThrow(TypeError);
      }
    }
    const deadline: unknown = Reflect.get(client, 'deadline');
    if (typeof deadline !== 'function') throw new TypeError('no function');
    expect(() => apply(deadline, stream, [])).toThrow(TypeError);
  });

  it('only createStream makes streams', () => {
    const made: unknown = Reflect.get(stream, 'constructor');
    if (typeof made !== 'function') throw new TypeError('no constructor');
    expect(() => construct(made, [])).toThrow('a NativeStream must be made by createStream');
    expect(() => apply(NativeClient, undefined, [deviceInfo(), 1, 1])).toThrow(TypeError);
  });

  it('statuses of constructors are errors with a code', () => {
    expect(thrownBy(() => new NativeClient(deviceInfo({ streamCount: 0 }), 1, 1))).toMatchObject({
      message: 'STATUS_MIN_STREAM_COUNT',
      code: 0x52000002,
    });
    expect(thrownBy(() => new NativeClient(deviceInfo({ storageSize: 1 }), 1, 1))).toMatchObject({
      message: 'STATUS_INVALID_STORAGE_SIZE',
      code: 0x5200000a,
    });
    expect(thrownBy(() => client.createStream(streamInfo(), 2000, 1.7e12))).toMatchObject({
      message: 'STATUS_DUPLICATE_STREAM_NAME',
    });
    const four = [1, 2, 3, 4].map((trackId) => trackInfo({ trackId }));
    expect(
      thrownBy(() => client.createStream(streamInfo({ name: 'n', tracks: four }), 2000, 1.7e12)),
    ).toMatchObject({ message: 'STATUS_MAX_TRACK_COUNT_EXCEEDED' });
  });
});
