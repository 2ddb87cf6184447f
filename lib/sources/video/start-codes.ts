const CODE: Readonly<Uint8Array> = Uint8Array.of(0, 0, 1);

/** Position of the next 00 00 01 in [`from`, `end`), or `undefined`. */
export function findStartCode(bytes: Uint8Array, from: number, end: number): number | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, end);
  const at = view.indexOf(CODE, from);
  return at < 0 ? undefined : at;
}
