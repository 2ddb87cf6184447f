import { KvsError } from '../base/errors.js';
import { MKV_ID } from '../generated/elements.js';
import { writeHeader } from './ebml.js';
import type { MkvEvent, MkvReaderOptions } from './events.js';
import type { MkvElementVisitor } from './visitor.js';

/** Takes output bytes; a view is lent for the call only. */
export type WriteBytes = (bytes: Uint8Array) => void;

/** Reader options under which nothing is skipped, so that every byte can be written again. */
export const FOR_COPYING: Readonly<Pick<MkvReaderOptions, 'capture' | 'unknown'>> = {
  capture: ({ id }) => (id === MKV_ID.VOID || id === MKV_ID.FILE_DATA ? 'stream' : 'whole'),
  unknown: 'stream',
};

/** Writes the bytes that an event stands for, exactly as they were read. @internal */
export function copyEvent(event: MkvEvent, write: WriteBytes): void {
  switch (event.kind) {
    case 'masterStart':
    case 'streamStart':
      write(writeHeader(event.id, event.size, event.headerLength));
      break;
    case 'element':
      write(writeHeader(event.id, event.size, event.headerLength));
      if (event.size > 0) write(event.data);
      break;
    case 'data':
      if (event.bytes.length > 0) write(event.bytes);
      break;
    case 'masterEnd':
      break;
    case 'skipped':
      throw new KvsError({
        status: 'STATUS_INVALID_OPERATION',
        message: `copying Matroska: ${event.element.name} at byte ${event.offset} was skipped; make the reader with FOR_COPYING`,
      });
  }
}

/** Writes everything that it sees, byte for byte. The reader must be made with `FOR_COPYING`. */
export class CopyVisitor implements MkvElementVisitor {
  readonly #write: WriteBytes;

  constructor(write: WriteBytes) {
    this.#write = write;
  }

  visit(event: MkvEvent): void {
    copyEvent(event, this.#write);
  }
}
