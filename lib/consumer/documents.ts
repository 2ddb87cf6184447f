import {
  KVS_TAG,
  MKV_ID,
  readString,
  StreamingMkvReader,
  type MkvCapture,
  type MkvEvent,
} from '../parser/index.js';

interface Part {
  readonly from: number;
  fragmentNumber: string | undefined;
}

const LOOKED_INTO: ReadonlySet<number> = new Set<number>([
  MKV_ID.SEGMENT,
  MKV_ID.TAGS,
  MKV_ID.TAG,
  MKV_ID.SIMPLE_TAG,
  MKV_ID.TAG_NAME,
  MKV_ID.TAG_STRING,
]);

/** Tags are looked into; everything else of a document is passed over. */
function capture({ id }: { readonly id: number }): MkvCapture {
  return LOOKED_INTO.has(id) ? 'whole' : 'skip';
}

/**
 * Puts the documents of a GetMediaForFragmentList answer, which the service sends in the order of
 * fragment numbers, into the order asked for. What does not fit the request stays as it came.
 * Throws `KvsError` when the answer is cut off or no Matroska.
 * @internal
 */
export function inOrder(
  chunks: readonly Uint8Array[],
  wanted: readonly string[],
): readonly Uint8Array[] {
  const parts = documentsOf(chunks);
  const found = parts.map((part) => part.fragmentNumber ?? '');
  const same = found.length === wanted.length && found.every((number, i) => number === wanted[i]);
  const all = new Set(wanted);
  const known = found.length === all.size && found.every((number) => all.delete(number));
  if (same || !known) return chunks;
  const body = Buffer.concat(chunks);
  const ends = [...parts.slice(1).map((part) => part.from), body.length];
  const bytes = new Map(found.map((number, i) => [number, body.subarray(parts[i]?.from, ends[i])]));
  return wanted.flatMap((number) => bytes.get(number) ?? []);
}

/** Where each document begins, and the fragment in it. */
function documentsOf(chunks: readonly Uint8Array[]): Part[] {
  const reader = new StreamingMkvReader({ capture });
  const parts: Part[] = [];
  let name = '';
  const visit = (event: MkvEvent): void => {
    if (event.kind === 'skipped' && event.id === MKV_ID.EBML) {
      parts.push({ from: event.offset, fragmentNumber: undefined });
    }
    if (event.kind !== 'element') return;
    if (event.id === MKV_ID.TAG_NAME) name = readString(event.data);
    const last = parts.at(-1);
    if (event.id !== MKV_ID.TAG_STRING || last === undefined) return;
    if (name === KVS_TAG.FRAGMENT_NUMBER) last.fragmentNumber ??= readString(event.data);
  };
  const drain = (): void => {
    for (let event = reader.next(); event !== undefined; event = reader.next()) visit(event);
  };
  for (const chunk of chunks) reader.push(chunk);
  drain();
  reader.end();
  drain();
  return parts;
}
