// The core's golden sessions, read by programs that are not ours: as many clusters, frames and tags
// as the text beside each says.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { have, probePackets } from '../support/media-tools.js';

const GOLDENS = fileURLToPath(new URL('../golden/core/', import.meta.url));
// Its one cluster lies at the end of all time, which other readers do not know.
const names = readdirSync(GOLDENS)
  .filter((name) => name.endsWith('.mkv') && name !== 'bare.mkv')
  .map((name) => name.slice(0, -'.mkv'.length));

const textOf = (name: string): string => readFileSync(`${GOLDENS}${name}.txt`, 'utf8');

function count(text: string, what: RegExp): number {
  return text.match(what)?.length ?? 0;
}

it('there are goldens', () => {
  expect(names).toContain('stopped');
});

describe.skipIf(!have('mkvinfo'))('read by mkvinfo', () => {
  it.each(names)('%s', (name) => {
    const text = textOf(name);
    const told = execFileSync('mkvinfo', ['--all', `${GOLDENS}${name}.mkv`], { encoding: 'utf8' });
    expect(told).not.toMatch(/warning|error|unknown element/i);
    expect(count(told, /^\|\+ Cluster/gm)).toBe(count(text, / CLUSTER /g));
    expect(count(told, /Simple block:/g)).toBe(count(text, / SIMPLE_BLOCK /g));
    expect(count(told, /^\|\+ Tags/gm)).toBe(count(text, / TAGS /g));
    expect(count(told, /\+ Name: /g)).toBe(count(text, / (?:TAG_NAME|NAME) /g));
  });
});

describe.skipIf(!have('ffprobe'))('read by ffprobe', () => {
  it('stopped: tags behind the last frame harm none', async () => {
    const packets = await probePackets(`${GOLDENS}stopped.mkv`);
    expect(packets.map(({ ptsMs, size, key }) => ({ ptsMs, size, key }))).toEqual([
      { ptsMs: 0, size: 44, key: true },
      { ptsMs: 500, size: 14, key: false },
    ]);
  });
});
