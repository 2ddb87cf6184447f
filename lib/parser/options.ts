import { KvsError } from '../base/errors.js';
import { MKV_ID, type MkvElementType } from '../generated/elements.js';
import { inputError } from './errors.js';
import type { MkvCapture, MkvReaderOptions } from './events.js';

const MIB = 1024 * 1024;

/** Options of a reader with every default filled in. @internal */
export type FilledReaderOptions = Required<MkvReaderOptions>;

function captureByDefault(element: MkvElementType): MkvCapture {
  return element.id === MKV_ID.VOID || element.id === MKV_ID.FILE_DATA ? 'skip' : 'whole';
}

/** Fills in defaults and checks limits. @internal */
export function fillReaderOptions(options: MkvReaderOptions): FilledReaderOptions {
  const filled = {
    capture: options.capture ?? captureByDefault,
    unknown: options.unknown ?? ('skip' as const),
    maxCaptureBytes: options.maxCaptureBytes ?? 2 * MIB,
    maxBlockBytes: options.maxBlockBytes ?? 64 * MIB,
    maxDepth: options.maxDepth ?? 32,
    verifyCrc: options.verifyCrc ?? false,
  };
  for (const name of ['maxCaptureBytes', 'maxBlockBytes', 'maxDepth'] as const) {
    if (!Number.isSafeInteger(filled[name]) || filled[name] < 1) {
      throw new KvsError({
        status: 'STATUS_INVALID_ARG',
        message: `StreamingMkvReader: ${name} is ${filled[name]}; give a whole number above 0`,
      });
    }
  }
  return filled;
}

/** Throws unless an element of `size` bytes may be given whole. @internal */
export function checkWhole(
  element: MkvElementType,
  size: number,
  offset: number,
  options: FilledReaderOptions,
): void {
  const name = isBlock(element) ? 'maxBlockBytes' : 'maxCaptureBytes';
  const limit = options[name];
  if (size > limit) {
    throw inputError(
      'STATUS_BUFFER_TOO_SMALL',
      offset,
      `${element.name} has ${size} bytes, ${name} is ${limit}; raise it or capture with 'stream'`,
    );
  }
  if (size > 8 && isNumber(element)) {
    throw inputError(
      'STATUS_FORMAT_ERROR',
      offset,
      `${element.name} is a number of ${size} bytes; numbers have at most 8`,
    );
  }
}

function isBlock({ id }: MkvElementType): boolean {
  return id === MKV_ID.SIMPLE_BLOCK || id === MKV_ID.BLOCK || id === MKV_ID.ENCRYPTED_BLOCK;
}

function isNumber({ type }: MkvElementType): boolean {
  return type === 'uint' || type === 'int' || type === 'float' || type === 'date';
}
