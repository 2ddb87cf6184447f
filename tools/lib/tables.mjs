// The tables in native/include/kvs/*.def, read. Comments before a metric are its meaning.

/** `STREAM_READY` or `stream_ready` as `streamReady`. */
export const camel = (name) => name.toLowerCase().replace(/_(\w)/g, (_, c) => c.toUpperCase());

const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, '');

/** `{ name, code, library, inGuide }` of each status, without its prefix. */
export function statusRows(text) {
  const shape = /KVS_STATUS\((\w+),\s*(0x\w+),\s*(\w+),\s*(\d)\)/g;
  return [...withoutComments(text).matchAll(shape)].map(([, name, code, library, inGuide]) => ({
    name,
    code,
    library,
    inGuide: inGuide === '1',
  }));
}

/** `{ NAME, type, kind, fields: { name, unit }[] }` of each event. */
export function eventRows(text) {
  const shape = /KVS_EVENT\((\w+),\s*(\w+),\s*(\w+),\s*((?:KVS_F\(\w+,\s*\w+\)\s*)*)\)/g;
  return [...withoutComments(text).matchAll(shape)].map(([, NAME, name, kind, fields]) => ({
    NAME,
    type: camel(name),
    kind,
    fields: [...fields.matchAll(/KVS_F\((\w+),\s*(\w+)\)/g)].map(([, field, unit]) => ({
      name: camel(field),
      unit,
    })),
  }));
}

/** `{ name, unit, meaning }` of each metric of `CLIENT` or `STREAM`; throws when one has no comment. */
export function metricRows(text, kind) {
  const shape = new RegExp(
    `/\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*KVS_${kind}_METRIC\\((\\w+),\\s*(\\w+)\\)`,
    'g',
  );
  const rows = [...text.matchAll(shape)];
  const count = text.match(new RegExp(`^KVS_${kind}_METRIC\\(`, 'gm'))?.length;
  if (rows.length !== count) {
    throw new Error(`metrics.def: of ${count} ${kind} metrics ${rows.length} have a comment`);
  }
  return rows.map(([, comment, field, unit]) => ({
    name: camel(field),
    unit,
    // A field that another one is explained by is named as in TypeScript.
    meaning: comment
      .replace(/\s*\n \* ?/g, ' ')
      .trim()
      .replace(/\b[a-z]+(?:_[a-z]+)+\b/g, camel),
  }));
}
