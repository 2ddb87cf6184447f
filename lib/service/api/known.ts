import { isObject, type Field, type Fields } from './fields.js';

/**
 * The members that an operation's table has, at every depth; what else a client sends is dropped
 * before anything looks at it, so that nothing can be decided by a value that is not acted upon.
 * Values of a wrong type stay as they are, for the message that refuses them. @internal
 */
export function knownValues(
  fields: Fields,
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) =>
      Object.hasOwn(values, name) ? [[name, knownValue(field, values[name])]] : [],
    ),
  );
}

function knownValue(field: Field, value: unknown): unknown {
  if (field.type === 'object' && isObject(value)) return knownValues(field.fields, value);
  if (field.type === 'list' && Array.isArray(value)) {
    return value.map((item) => knownValue(field.of, item));
  }
  return value;
}
