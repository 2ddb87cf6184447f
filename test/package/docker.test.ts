import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './emulated.js';

const FOLDER = join(ROOT, 'docker');

/** Instructions with their arguments, continued lines joined. */
function instructions(name: string): [string, string][] {
  return readFileSync(join(FOLDER, name), 'utf8')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)]);
}

/** What a linter of Dockerfiles would say; nothing for a good one. */
function faults(lines: readonly [string, string][]): string[] {
  const of = (name: string): string[] => lines.filter(([its]) => its === name).map(([, a]) => a);
  const last = (name: string): string => of(name).at(-1) ?? '';
  const known = /^(ARG|CMD|COPY|ENV|EXPOSE|FROM|HEALTHCHECK|RUN|USER|VOLUME|WORKDIR)$/;
  return [
    ...lines.filter(([name]) => !known.test(name)).map(([name]) => `unexpected ${name}`),
    ...of('FROM').filter((image) => !/:[\w.-]+$/.test(image) || image.endsWith(':latest')),
    ...of('RUN').filter((run) => /npm (ci|install)/.test(run) && !run.includes('cache clean')),
    ...of('RUN').filter((run) => /npm (ci|install)/.test(run) && !run.includes('--ignore-scripts')),
    ...(['', 'root', '0'].includes(last('USER')) ? ['runs as root'] : []),
    ...(last('CMD').startsWith('[') ? [] : ['a shell would keep SIGTERM from the program']),
  ];
}

describe('the Dockerfiles', () => {
  it.each(readdirSync(FOLDER))('%s has no fault', (name) => {
    expect(faults(instructions(name))).toEqual([]);
  });

  it('would be told of faults', () => {
    const bad: [string, string][] = [
      ['FROM', 'node:latest'],
      ['RUN', 'npm install x'],
      ['CMD', 'node x'],
    ];
    expect(faults(bad)).toHaveLength(5);
  });
});
