const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs `work` with a signal that aborts on SIGINT, SIGTERM or SIGHUP. A second one ends the process at
 * once. With `reload`, SIGHUP calls that instead, as daemons have it; a terminal that goes away still
 * ends what runs on it.
 */
export async function withInterrupt<T>(
  work: (signal: AbortSignal) => Promise<T>,
  reload?: () => void,
): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort(new Error('interrupted'));
  const hangup = (): void => {
    if (reload === undefined || process.stdout.isTTY) {
      process.removeListener('SIGHUP', hangup);
      interrupt();
    } else {
      reload();
    }
  };
  for (const name of SIGNALS) process.once(name, interrupt);
  process.on('SIGHUP', hangup);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of SIGNALS) process.removeListener(name, interrupt);
    process.removeListener('SIGHUP', hangup);
  }
}
