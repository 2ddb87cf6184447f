/**
 * Whoever reads what a command writes may stop, as `head` does. What is written then goes nowhere and
 * is no error; without a listener it would end the process with a stack trace.
 */
export function tolerateClosedPipes(): void {
  for (const out of [process.stdout, process.stderr]) {
    out.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    });
  }
}
