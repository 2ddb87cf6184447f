// What a value is, wherever it was made: Jest and node:vm have an Error and a Uint8Array of their own.

/** Whether a value is an error of any realm. @internal */
export function isError(value: unknown): value is Error {
  return value instanceof Error || brandOf(value) === '[object Error]';
}

/** Whether a value is bytes, a Buffer among them, of any realm. @internal */
export function isBytes(value: unknown): value is Uint8Array {
  return (
    value instanceof Uint8Array ||
    (ArrayBuffer.isView(value) && brandOf(value) === '[object Uint8Array]')
  );
}

/** Whether a value is a date that is one, of any realm. @internal */
export function isDate(value: unknown): value is Date {
  if (!(value instanceof Date) && brandOf(value) !== '[object Date]') return false;
  return !Number.isNaN(Number(value));
}

function brandOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value);
  } catch {
    return ''; // a revoked proxy, say
  }
}

/** What was thrown, as an error. @internal */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(textOf(thrown), { cause: thrown });
}

/** Text of any value, even one that has none to give. @internal */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return brandOf(value);
  }
}

/** The message of what was thrown. @internal */
export function messageOf(thrown: unknown): string {
  if (!isError(thrown)) return textOf(thrown);
  try {
    return textOf(thrown.message);
  } catch {
    return brandOf(thrown);
  }
}

const MOST_CAUSES = 8;

/** Text of anything that was thrown, with its causes, as far as they lead. @internal */
export function describeError(thrown: unknown): string {
  const seen = new Set<unknown>();
  const texts: string[] = [];
  for (let at = thrown; at !== undefined && !seen.has(at); at = causeOf(at)) {
    if (texts.length === MOST_CAUSES) break;
    seen.add(at);
    texts.push(named(at));
  }
  return texts.join('; cause: ');
}

function causeOf(thrown: unknown): unknown {
  try {
    return isError(thrown) ? thrown.cause : undefined;
  } catch {
    return undefined;
  }
}

function named(thrown: unknown): string {
  const message = messageOf(thrown);
  if (!isError(thrown)) return message;
  try {
    const name = textOf(thrown.name);
    if (message === '') return name;
    return name === 'Error' || message.startsWith(name) ? message : `${name}: ${message}`;
  } catch {
    return message;
  }
}
