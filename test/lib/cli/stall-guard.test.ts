import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StallGuard } from '../../../lib/cli/stall-guard.js';

describe('StallGuard', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('ends a wait when nothing was reported for its time, saying what was waited for', async () => {
    const guard = new StallGuard('waiting for acks', 30_000, undefined);
    const wait = expect(guard.waitFor(new Promise(() => undefined))).rejects.toThrow(
      /nothing happened for 30 s while waiting for acks .*STATUS_OPERATION_TIMED_OUT/,
    );
    vi.advanceTimersByTime(30_000);
    await wait;
    guard.close();
  });

  it('lasts as long as something is reported, and leaves no timer behind', () => {
    const guard = new StallGuard('working', 30_000, undefined);
    for (let i = 0; i < 10; i += 1) {
      vi.advanceTimersByTime(29_999);
      guard.progress();
    }
    expect(guard.signal.aborted).toBe(false);
    guard.close();
    guard.progress();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends a wait with the reason of the outer signal', async () => {
    const outer = new AbortController();
    const guard = new StallGuard('working', 30_000, outer.signal);
    const wait = guard.waitFor(new Promise(() => undefined));
    outer.abort(new Error('interrupted'));
    await expect(wait).rejects.toThrow('interrupted');
    guard.close();
  });
});
