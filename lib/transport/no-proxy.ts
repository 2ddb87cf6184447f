import { BlockList, isIP } from 'node:net';

/** Whether a host is this machine, or `noProxy` names it: names, addresses, ranges, `*`. @internal */
export function goesDirect(host: string, port: number, noProxy: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost' || bare === '::1' || /^127\./.test(bare)) return true;
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && names(entry, bare, port));
}

function names(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return inRange(entry, host);
  const { name, ofPort } = split(entry);
  if (ofPort !== undefined && ofPort !== port) return false;
  if (isIP(name) !== 0) return inRange(name, host);
  const bare = name.replace(/^\*?\./, '');
  return host === bare || host.endsWith(`.${bare}`);
}

/** `name:port`, `[address]:port`, or one without a port. */
function split(entry: string): { readonly name: string; readonly ofPort: number | undefined } {
  if (isIP(entry) === 6) return { name: entry, ofPort: undefined };
  const [, name = entry, port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const bare = name.replace(/^\[(.*)\]$/, '$1');
  return { name: bare, ofPort: port === undefined ? undefined : Number(port) };
}

/** Whether a host that is an address is `range`, or in it: `10.0.0.0/8`, `fe80::/10`. */
function inRange(range: string, host: string): boolean {
  const [base = '', bits] = range.split('/');
  const [family, ofHost] = [isIP(base), isIP(host)];
  if (family === 0 || ofHost === 0) return false;
  const list = new BlockList();
  try {
    const width = bits === undefined ? widthOf(family) : Number(bits);
    list.addSubnet(base, width, familyOf(family));
  } catch {
    return false; // no range at all
  }
  return list.check(host, familyOf(ofHost));
}

function widthOf(family: number): number {
  return family === 6 ? 128 : 32;
}

function familyOf(family: number): 'ipv4' | 'ipv6' {
  return family === 6 ? 'ipv6' : 'ipv4';
}
