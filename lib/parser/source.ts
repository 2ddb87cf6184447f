/** Where bytes come from: a Node or Web stream, an SDK payload, an array of chunks. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * The chunks of `source`; an abort ends a wait at once with the signal's reason. The source is
 * closed when the loop is left before its end.
 * @internal
 */
export async function* abortable(
  source: ByteSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (signal === undefined) {
    yield* source;
    return;
  }
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let running = true;
  try {
    for (;;) {
      const step = await unlessAborted(() => iterator.next(), signal);
      if (step.done === true) {
        running = false;
        return;
      }
      yield step.value;
    }
  } finally {
    // Not awaited: a source that hangs would hold the abort back.
    if (running) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

/** A listener for each wait, removed after it: a signal may outlive many chunks. */
async function unlessAborted<T>(start: () => T | Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop: () => void = () => undefined;
  const aborted = new Promise<'aborted'>((resolve) => {
    stop = () => resolve('aborted');
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    const started = Promise.resolve(start()).then((value) => ({ value }));
    const first = await Promise.race([started, aborted]);
    if (first !== 'aborted') return first.value;
    started.catch(() => undefined);
    throw signal.reason;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
