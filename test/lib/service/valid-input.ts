import type { Field, Fields } from '../../../lib/service/api/fields.js';

/** Values that keep every rule, so that only the breach is wrong. */
export function valid(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, field]) => field.required === true)
      .map(([name, field]) => [name, validValue(field)]),
  );
}

export function validValue(field: Field): unknown {
  switch (field.type) {
    case 'string':
      if (field.values !== undefined) return field.values[0];
      if (field.pattern?.source.startsWith('arn') === true) {
        return 'arn:aws:kinesisvideo:us-west-2:000000000000:stream/nobody/1';
      }
      return '1';
    case 'integer':
      return field.min ?? 1;
    case 'timestamp':
      return 1;
    case 'object':
      return valid(field.fields);
    case 'list':
      return [validValue(field.of)];
    case 'map':
      return { k: 'v' };
  }
}
