import { readFileSync } from 'node:fs';

/** Certificates of authorities in a PEM file. Throws where there are none. @internal */
export function authoritiesFrom(path: string): string {
  const pem = readFileSync(path, 'utf8');
  if (!pem.includes('-----BEGIN ')) throw new Error(`${path} holds no certificate in PEM`);
  return pem;
}
