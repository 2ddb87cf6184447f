/** A rule for one value of a request, as the guide's API reference states it. @internal */
export type Field =
  | {
      readonly type: 'string';
      readonly min?: number;
      readonly max?: number;
      readonly pattern?: RegExp;
      readonly values?: readonly string[];
      readonly required?: boolean;
      /** HTTP header that carries the value, for operations without a JSON body. */
      readonly header?: string;
    }
  | {
      readonly type: 'integer';
      readonly min?: number;
      readonly max?: number;
      readonly required?: boolean;
    }
  | { readonly type: 'timestamp'; readonly required?: boolean; readonly header?: string }
  | { readonly type: 'object'; readonly fields: Fields; readonly required?: boolean }
  | {
      readonly type: 'list';
      readonly of: Field;
      readonly min?: number;
      readonly max?: number;
      readonly required?: boolean;
    }
  | {
      readonly type: 'map';
      readonly key: Field;
      readonly value: Field;
      readonly required?: boolean;
    };

/** @internal */
export type StringField = Extract<Field, { type: 'string' }>;
/** @internal */
export type MapField = Extract<Field, { type: 'map' }>;

/** The values of a request by name. @internal */
export type Fields = Readonly<Record<string, Field>>;

/** The last time whose milliseconds are exact; times are kept as such. */
const LAST_SECOND = Math.floor(Number.MAX_SAFE_INTEGER / 1000) - 1;

/** What is wrong with a request: one sentence for each fault, in the order of the table. @internal */
export function faultsOf(fields: Fields, values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = name.charAt(0).toLowerCase() + name.slice(1);
    return faultsOfValue(field, values[name], path);
  });
}

function faultsOfValue(field: Field, value: unknown, path: string): string[] {
  if (value === undefined || value === null) {
    return field.required === true ? [fault(value, path, 'Member must not be null')] : [];
  }
  switch (field.type) {
    case 'string':
      return faultsOfString(field, value, path);
    case 'integer':
      return faultsOfInteger(field, value, path);
    case 'timestamp':
      return typeof value === 'number' && value >= 0 && value <= LAST_SECOND
        ? []
        : [fault(value, path, 'Member must be a time stamp: seconds since 1970, a number')];
    case 'object':
      return isObject(value)
        ? faultsOf(field.fields, value).map((text) => text.replace(" at '", ` at '${path}.`))
        : [fault(value, path, 'Member must be an object')];
    case 'list':
      return faultsOfList(field, value, path);
    case 'map':
      return faultsOfMap(field, value, path);
  }
}

function faultsOfString(field: StringField, value: unknown, path: string): string[] {
  if (typeof value !== 'string') return [fault(value, path, 'Member must be a string')];
  const { min = 0, max = Infinity, pattern, values } = field;
  const faults: string[] = [];
  if (value.length < min) {
    faults.push(`Member must have length greater than or equal to ${String(min)}`);
  }
  if (value.length > max) {
    faults.push(`Member must have length less than or equal to ${String(max)}`);
  }
  if (pattern !== undefined && !new RegExp(`^(?:${pattern.source})$`).test(value)) {
    faults.push(`Member must satisfy regular expression pattern: ${pattern.source}`);
  }
  if (values !== undefined && !values.includes(value)) {
    faults.push(`Member must satisfy enum value set: [${values.join(', ')}]`);
  }
  return faults.map((rule) => fault(value, path, rule));
}

function faultsOfInteger(
  field: Extract<Field, { type: 'integer' }>,
  value: unknown,
  path: string,
): string[] {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = field;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    return [fault(value, path, 'Member must be an integer')];
  }
  if (value < min) {
    return [fault(value, path, `Member must have value greater than or equal to ${String(min)}`)];
  }
  if (value > max) {
    return [fault(value, path, `Member must have value less than or equal to ${String(max)}`)];
  }
  return [];
}

function faultsOfList(
  field: Extract<Field, { type: 'list' }>,
  value: unknown,
  path: string,
): string[] {
  if (!Array.isArray(value)) return [fault(value, path, 'Member must be a list')];
  const items: readonly unknown[] = value;
  const count = String(items.length);
  const { min = 0, max = Infinity } = field;
  if (items.length < min) {
    return [fault(`${count} items`, path, `Member must have at least ${String(min)} items`)];
  }
  if (items.length > max) {
    return [fault(`${count} items`, path, `Member must have at most ${String(max)} items`)];
  }
  return items.flatMap((item, index) =>
    item === null
      ? [fault(item, `${path}.${String(index + 1)}.member`, 'Member must not be null')]
      : faultsOfValue(field.of, item, `${path}.${String(index + 1)}.member`),
  );
}

function faultsOfMap(field: MapField, value: unknown, path: string): string[] {
  if (!isObject(value)) return [fault(value, path, 'Member must be a map')];
  return Object.entries(value).flatMap(([key, item]) => [
    ...faultsOfValue(field.key, key, `${path}.key`),
    ...(item === null
      ? [fault(item, `${path}.${key}`, 'Member must not be null')]
      : faultsOfValue(field.value, item, `${path}.${key}`)),
  ]);
}

/** Whether a JSON value is an object (not an array). @internal */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value nested so deeply that it cannot be written again is only named. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    return Array.isArray(value) ? '[…]' : '{…}';
  }
}

const SHOWN_CHARACTERS = 256;

function fault(value: unknown, path: string, rule: string): string {
  const text = typeof value === 'string' ? value : jsonOf(value);
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  // Control characters would let a value forge lines of a log.
  const safe = shown.replace(/[\u0000-\u001f\u007f]/g, '?');
  const named = value === null || value === undefined ? 'null' : `'${safe}'`;
  return `Value ${named} at '${path}' failed to satisfy constraint: ${rule}`;
}
