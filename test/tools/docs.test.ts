// What the documents tell a reader to type exists, and the files that they name are there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = [ROOT, join(ROOT, 'docs')].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => relative(ROOT, join(folder, name))),
);

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Everything in backticks and in fenced sh blocks: what a reader may copy. */
function commands(markdown: string): string {
  const blocks = [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((hit) => hit[1] ?? '');
  const rest = markdown.replace(/^```[\s\S]*?^```$/gm, '');
  const spans = [...rest.matchAll(/`([^`\n]+)`/g)].map((hit) => hit[1] ?? '');
  return [...blocks, ...spans].join('\n');
}

function found(page: string, shape: RegExp): string[] {
  const hits = [...commands(read(page)).matchAll(shape)].map((hit) => hit[1] ?? '');
  return [...new Set(hits)].filter((hit) => hit !== '');
}

/** Every distinct hit on every page, as rows for `it.each`. */
function rows(shape: RegExp): [page: string, hit: string][] {
  return PAGES.flatMap((page) => found(page, shape).map((hit): [string, string] => [page, hit]));
}

/** Every option on a line that begins a `kvs` or demo command. */
function kvsOptions(): [page: string, option: string][] {
  return rows(/^((?:npx )?kvs .*|npm run demo -- .*)$/gm).flatMap(([page, line]) =>
    [...line.matchAll(/(?<= )--[a-z][\w-]*/g)].map((hit): [string, string] => [page, hit[0]]),
  );
}

function scripts(): Record<string, unknown> {
  const parsed: unknown = JSON.parse(read('package.json'));
  if (typeof parsed === 'object' && parsed !== null && 'scripts' in parsed) {
    return Object.fromEntries(Object.entries(parsed.scripts ?? {}));
  }
  throw new Error('package.json has no scripts');
}

function node(...args: string[]): { code: number | null; text: string } {
  const done = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  return { code: done.status, text: done.stdout + done.stderr };
}

describe('commands in the documents', () => {
  it.each(rows(/\bnpm run ([\w:-]+)/g))('%s: npm run %s is a script', (_page, name) => {
    expect(scripts()).toHaveProperty([name]);
  });

  it.each(rows(/(?:npx )?\bkvs ([a-z][\w-]*)\b/g))('%s: kvs %s has help', (_page, name) => {
    const done = node('dist/cli/kvs.js', name, '--help');
    expect(done.text).toContain(`kvs ${name}`);
    expect(done.code).toBe(0);
  });

  it.each(kvsOptions())('%s: kvs knows %s', (_page, option) => {
    const helps = [[], ['serve'], ['demo'], ['fsck'], ['keys', 'create']].map(
      (command) => node('dist/cli/kvs.js', ...command, '--help').text,
    );
    expect(helps.join('\n')).toContain(option);
  });

  it.each(rows(/\bnode (tools\/[\w-]+\.mjs)/g))('%s: %s exists', (_page, path) => {
    expect(existsSync(join(ROOT, path))).toBe(true);
  });

  it.each(rows(/\bnode tools\/test\.mjs ((?:[a-z][\w-]*\b ?)+)/g))(
    '%s: test.mjs knows the steps %s',
    (_page, names) => {
      const done = node('tools/test.mjs', '--list', ...names.trim().split(' '));
      expect(done.text).not.toContain('no such step');
      expect(done.code).toBe(0);
    },
  );

  it.each(rows(/\bbench -- ([a-z][\w-]*)/g))('%s: there is a benchmark %s', (_page, name) => {
    expect(existsSync(join(ROOT, 'bench', name, 'index.mjs'))).toBe(true);
  });

  it.each(rows(/--preset (\w+)/g))('%s: there is a preset %s', (_page, name) => {
    expect(read('CMakePresets.json')).toContain(`"name": "${name}"`);
  });

  it('are found at all', () => {
    expect(rows(/\bnpm run ([\w:-]+)/g).length).toBeGreaterThan(2);
    expect(rows(/\bkvs ([a-z][\w-]*)\b/g).length).toBeGreaterThan(1);
  });
});

describe('paths in the documents', () => {
  const shape = /^((?:native|lib|test|tools|bench|examples|docs|\.ci)\/[\w./-]*\w)$/gm;

  it.each(rows(shape))('%s: %s is there', (_page, path) => {
    const placeholder = /NAME/.test(path);
    expect(placeholder || existsSync(join(ROOT, path))).toBe(true);
  });

  it.each(
    PAGES.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map((hit): [string, string] => [
        page,
        hit[1] ?? '',
      ]),
    ),
  )('%s: the link to %s leads somewhere', (page, path) => {
    expect(existsSync(join(ROOT, dirname(page), path))).toBe(true);
  });
});
