import { open } from 'node:fs/promises';

/** Makes the names in a directory as durable as its files. @internal */
export async function flushDirectory(path: string): Promise<void> {
  // Windows cannot open directories; its file systems keep names with the files.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
