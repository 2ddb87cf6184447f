export { parseBlock, type MkvBlock, type MkvLacing } from './block.js';
export { writeHeader } from './ebml.js';
export type {
  MkvCapture,
  MkvData,
  MkvDataElement,
  MkvEvent,
  MkvMasterEnd,
  MkvMasterStart,
  MkvReaderOptions,
  MkvSkipped,
  MkvStreamStart,
} from './events.js';
export { StreamingMkvReader } from './reader.js';
export { readDate, readFloat, readInt, readString, readUint, readUint64 } from './values.js';
export {
  MKV_ELEMENTS,
  MKV_ID,
  UNKNOWN_ELEMENT,
  mkvElement,
  type MkvElementName,
  type MkvElementType,
  type MkvValueType,
} from '../generated/elements.js';
