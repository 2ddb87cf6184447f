import { vi } from 'vitest';

/** Waits until `check` throws nothing: as long as a busy machine may need, where vitest gives up after 1 s. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 60_000, interval: 10 });
}
