import { createWriteStream, mkdirSync, readdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';

/** Writes the body of one PutMedia call to a file as it came. @internal */
export interface BodyDump {
  write(chunk: Uint8Array): void;
  end(): void;
}

/**
 * Opens `<directory>/<stream>-<n>.mkv`, n being one above the highest there is. A dump is for
 * looking at what a producer sends; when it cannot be written, the session goes on. @internal
 */
export function openDump(
  directory: string,
  stream: string,
  warn: (message: string) => void,
): BodyDump {
  mkdirSync(directory, { recursive: true });
  const file: WriteStream = createWriteStream(freePath(directory, stream), { flags: 'wx' });
  file.on('error', (error) => {
    warn(`dump of ${stream}: ${error.message}`);
  });
  return {
    write: (chunk) => {
      file.write(chunk);
    },
    end: () => {
      file.end();
    },
  };
}

function freePath(directory: string, stream: string): string {
  const prefix = `${stream}-`;
  const used = readdirSync(directory)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.mkv'))
    .map((name) => Number.parseInt(name.slice(prefix.length), 10) || 0);
  return join(directory, `${prefix}${String(Math.max(0, ...used) + 1)}.mkv`);
}
