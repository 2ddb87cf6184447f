// What callers in JavaScript can get wrong: options of a type that is not theirs.
import { afterEach, describe, expect, it } from 'vitest';
import { KinesisVideoProducer, KvsError } from '../../../lib/index.js';
import { anything } from '../../support/anything.js';
import { CREDENTIALS } from '../../support/upload.js';

const NONE = { endpoint: 'http://127.0.0.1:9', credentials: CREDENTIALS };

describe('options of a producer', () => {
  it.each([
    ['deviceInfo', null, /deviceInfo is null; give an object/],
    ['deviceInfo', 'door', /deviceInfo is 'door'; give an object/],
    ['clientCallbackProvider', 7, /clientCallbackProvider is 7; give an object/],
    ['streamCallbackProvider', () => 1, /streamCallbackProvider is a function/],
    ['callbackProvider', {}, /callbackProvider is an object that does not fit.*describeStream\(\)/],
    ['transport', {}, /transport is an object that does not fit; give an object with open\(\)/],
    ['ca', 7, /ca is 7; give PEM/],
    ['ca', [7], /ca is an object that does not fit; give PEM/],
    [
      'logger',
      { warn: () => undefined },
      /give an object with debug\(\), info\(\), warn\(\), error/,
    ],
    ['limits', 'on', /limits is 'on'; give 'off', or leave it out/],
    ['meterProvider', 5n, /meterProvider is 5; give an object with getMeter\(\)/],
    ['clock', Date, /clock is a function; give an object with mono\(\), wall\(\)/],
    ['region', '', /region is ''; give text/],
    ['endpoint', Symbol('x'), /endpoint is Symbol\(x\); give text/],
    ['useFipsEndpoint', 'no', /useFipsEndpoint is 'no'; give true or false/],
    ['httpsAgent', true, /httpsAgent is true; give an object/],
  ])('%s that does not fit is refused, %#', async (name, value, text) => {
    const options = { region: 'us-west-2', credentials: CREDENTIALS, [name]: value };
    const making = KinesisVideoProducer.create(anything(options));
    await expect(making).rejects.toMatchObject({ status: 'STATUS_INVALID_ARG' });
    await expect(making).rejects.toBeInstanceOf(KvsError);
    await expect(making).rejects.toThrowError(text);
  });

  it('are an object', async () => {
    await expect(KinesisVideoProducer.create(anything(null))).rejects.toThrowError(/are no object/);
  });
});

describe('what the calls of a producer take', () => {
  let producer: KinesisVideoProducer;

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
  });

  it.each([
    [null, /the definition is null; give an object/],
    [{ tags: 'a=b' }, /tags is a=b; give an object of names and values/],
    [{ tags: ['a'] }, /tags is a; give an object of names and values/],
    [{ tracks: {} }, /tracks is \[object Object\]; give a list/],
    [{ tracks: [null] }, /tracks\[0\] is null; give an object/],
    [{ callbacks: 7 }, /callbacks is 7; give an object/],
    [{ retentionPeriod: Symbol('x') }, /retentionPeriod is Symbol\(x\)/],
    [{ streamingType: Symbol('x') }, /streamingType is 'Symbol\(x\)'; give REALTIME/],
    [{ nalAdaptationFlags: Symbol('x') }, /nalAdaptationFlags is Symbol\(x\)/],
  ])('createStream refuses definition %#', async (definition, text) => {
    producer = await KinesisVideoProducer.create(NONE);
    const making = producer.createStream(anything(definition));
    await expect(making).rejects.toBeInstanceOf(KvsError);
    await expect(making).rejects.toThrowError(text);
    expect(producer.getMetrics().streams).toBe(0);
  });

  it('stop refuses a time limit that is none, and does not wait for ever', async () => {
    producer = await KinesisVideoProducer.create(NONE);
    const stream = await producer.createStream({ nalAdaptationFlags: 0 });
    stream.putFrame({ frameData: Uint8Array.of(1), flags: 1, presentationTs: Date.now() });
    for (const timeoutMs of ['100', NaN, null]) {
      const stopping = stream.stop(anything({ timeoutMs }));
      await expect(stopping).rejects.toThrowError(
        /stop: timeoutMs is (the text .100.|NaN|null); give a number/,
      );
    }
  });
});
