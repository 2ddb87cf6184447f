import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Field } from '../../../lib/service/api/fields.js';
import { OPERATIONS } from '../../../lib/service/api/operations.js';
import type { Operation } from '../../../lib/service/api/operation.js';
import { startService, type KvsService } from '../../../lib/service/index.js';
import { rm } from 'node:fs/promises';
import { createStream, temporaryDirectory } from './helpers.js';
import { valid, validValue } from './valid-input.js';

/* Every rule of the table is broken once, over HTTP; the answer must name value, field and rule. */

interface Breach {
  readonly path: string;
  readonly value: unknown;
  readonly says: RegExp;
}

function breaches(field: Field): Breach[] {
  const at = (value: unknown, says: RegExp): Breach => ({ path: '', value, says });
  switch (field.type) {
    case 'string':
      return stringBreaches(field).map(([value, says]) => at(value, says));
    case 'integer': {
      const { min = 0, max = 0 } = field;
      return [
        at(min - 1, /greater than or equal to/),
        at(max + 1, /less than or equal to/),
        at(1.5, /must be an integer/),
        at('1', /must be an integer/),
      ];
    }
    case 'timestamp':
      return [at('yesterday', /time stamp/), at(-1, /time stamp/)];
    case 'object':
      return [
        at('text', /must be an object/),
        ...Object.entries(field.fields).flatMap(([name, inner]) =>
          breaches(inner).map((one) => ({ ...one, path: join(name, one.path) })),
        ),
      ];
    case 'list':
      return [
        at('text', /must be a list/),
        at([], /at least/),
        at(
          Array.from({ length: (field.max ?? 0) + 1 }, () => '1'),
          /at most/,
        ),
        at([null], /must not be null/),
      ];
    case 'map':
      return [
        at('text', /must be a map/),
        at({ '': 'v' }, /greater than or equal to 1/),
        at({ k: 'x'.repeat(257) }, /less than or equal to 256/),
        at({ k: 1 }, /must be a string/),
      ];
  }
}

function stringBreaches(field: Extract<Field, { type: 'string' }>): (readonly [unknown, RegExp])[] {
  const found: (readonly [unknown, RegExp])[] = [[7, /must be a string/]];
  if (field.values !== undefined) return [...found, ['NONSENSE', /enum value set: \[/]];
  if ((field.min ?? 0) > 0) found.push(['', /length greater than or equal to/]);
  if (field.max !== undefined) found.push(['a'.repeat(field.max + 1), /length less than or equal/]);
  if (field.pattern !== undefined) found.push(['no such/thing?', /regular expression pattern/]);
  return found;
}

/** A body in which nothing but what stands at the path can be wrong. */
function around({ fields }: Operation, path: string): Record<string, unknown> {
  const [name = '', ...rest] = path.split('.');
  const field = fields[name];
  if (field?.type !== 'object' || rest.length === 0) return valid(fields);
  return { ...valid(fields), [name]: validValue(field) };
}

function withValue(target: Record<string, unknown>, path: string, value: unknown): object {
  const [name = '', ...rest] = path.split('.');
  if (rest.length === 0) return { ...target, [name]: value };
  const inner = target[name];
  const next = typeof inner === 'object' && inner !== null ? { ...inner } : {};
  return { ...target, [name]: withValue(next, rest.join('.'), value) };
}

function join(name: string, path: string): string {
  return path === '' ? name : `${name}.${path}`;
}

function fieldOf(path: string): string {
  return path
    .split('.')
    .map((name) => name.charAt(0).toLowerCase() + name.slice(1))
    .join('.');
}

const CASES = OPERATIONS.filter((operation) => operation.input === 'json').flatMap((operation) =>
  Object.entries(operation.fields).flatMap(([name, field]) =>
    breaches(field).map((one) => ({
      operation,
      path: join(name, one.path),
      value: one.value,
      says: one.says,
    })),
  ),
);

const MISSING = OPERATIONS.filter((operation) => operation.input === 'json').flatMap((operation) =>
  Object.entries(operation.fields)
    .filter(([, field]) => field.required === true)
    .map(([name]) => ({ operation, name })),
);

describe('conformance to the table of operations', () => {
  let service: KvsService | undefined;
  let dataDir = '';
  beforeAll(async () => {
    dataDir = await temporaryDirectory();
    service = await startService({ dataDir, limits: 'off' });
    await createStream(service, 'cam');
  });
  afterAll(async () => {
    await service?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function post(
    operation: Operation,
    body: object,
  ): Promise<{ status: number; type: string; text: string }> {
    const answer = await fetch(`${service?.endpoint ?? ''}${operation.path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return {
      status: answer.status,
      type: answer.headers.get('x-amzn-errortype') ?? '',
      text: await answer.text(),
    };
  }

  it('breaks each rule and is told which', async () => {
    expect(CASES.length).toBeGreaterThan(120);
    for (const { operation, path, value, says } of CASES) {
      const what = `${operation.name} ${path} ${JSON.stringify(value).slice(0, 40)}`;
      const answer = await post(operation, withValue(around(operation, path), path, value));
      // The guide has an exception of its own for the ARN in operations on tags.
      const ofFormat = path === 'StreamARN' && typeof value === 'string';
      const type =
        ofFormat && operation.errors.includes('InvalidResourceFormatException')
          ? 'InvalidResourceFormatException'
          : 'InvalidArgumentException';
      expect([answer.status, answer.type], what).toEqual([400, type]);
      expect(answer.text, what).toMatch(says);
      expect(answer.text, what).toContain(`at '${fieldOf(path)}`);
      expect(operation.errors, what).toContain('InvalidArgumentException');
    }
  });

  it('leaves out each value that is required', async () => {
    for (const { operation, name } of MISSING) {
      const values = { ...valid(operation.fields), [name]: undefined };
      const answer = await post(operation, values);
      expect(answer.type, `${operation.name} without ${name}`).toBe('InvalidArgumentException');
      expect(answer.text).toContain(`at '${fieldOf(name)}' failed to satisfy constraint`);
    }
  });

  it.each(OPERATIONS.filter((one) => one.errors.includes('ResourceNotFoundException')))(
    '$name of a stream that does not exist',
    async (operation) => {
      if (operation.input !== 'json') return;
      const byArn =
        'ResourceARN' in operation.fields || operation.fields['StreamName'] === undefined;
      const values = byArn
        ? valid(operation.fields)
        : { ...valid(operation.fields), StreamName: 'nobody' };
      const answer = await post(operation, values);
      expect([answer.status, answer.type]).toEqual([404, 'ResourceNotFoundException']);
    },
  );

  it('puts no control characters and no endless values into its answers', async () => {
    const operation = OPERATIONS.find((one) => one.name === 'DescribeStream');
    if (operation === undefined) throw new Error('no DescribeStream');
    const forged = await post(operation, { StreamName: 'a\r\nx-evil: 1\u0000' });
    expect(forged.text).toContain("'a??x-evil: 1?'");
    const long = await post(operation, { StreamName: 'x/'.repeat(100_000) });
    expect(long.text.length).toBeLessThan(2000);
  });
});
