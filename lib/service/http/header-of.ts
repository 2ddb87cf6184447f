import type { IncomingMessage } from 'node:http';

/** A header by its lower-case name; one that came several times is joined. @internal */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  // A client chooses the names in SignedHeaders: `constructor` is one that every object has.
  if (!Object.hasOwn(request.headers, name)) return undefined;
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}
