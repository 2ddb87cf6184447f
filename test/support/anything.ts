/** Lets a value of any type pass for what is wanted, as JavaScript callers do. */
export function anything<T>(value: unknown): T {
  const isWanted = (one: unknown): one is T => one !== undefined || one === undefined;
  if (isWanted(value)) return value;
  throw new TypeError('unreachable');
}
