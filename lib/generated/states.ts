// Made by tools/generate.mjs from native/include/kvs/states.def. Do not edit.

/** States of a client. */
export const CLIENT_STATE = {
  NEW: 0x01,
  AUTH: 0x02,
  CREATE: 0x10,
  READY: 0x40,
} as const;

/** States of a stream (guide: stream states). */
export const STREAM_STATE = {
  NEW: 0x001,
  DESCRIBE: 0x002,
  CREATE: 0x004,
  TAG_STREAM: 0x008,
  GET_TOKEN: 0x010,
  GET_ENDPOINT: 0x020,
  READY: 0x040,
  PUT_STREAM: 0x080,
  STREAMING: 0x100,
  STOPPED: 0x200,
} as const;
