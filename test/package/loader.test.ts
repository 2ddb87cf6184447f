import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { platformTarget } from '../../lib/native/load.js';
import { ELSEWHERE, SHIPPED, prebuildFile } from '../../tools/lib/targets.mjs';
import { BUILT } from '../support/service-process.js';
import { ROOT, start } from './emulated.js';

const LOADER = readFileSync(join(ROOT, 'lib/native/load.ts'), 'utf8');
const ADDON = fileURLToPath(new URL('../../build/Release/kinesis_video.node', import.meta.url));

/** Loads the addon in a process of its own and says which file it was. */
const PROGRAM = `
const { loadBinding } = await import(process.argv[1]);
try {
  console.log(typeof loadBinding().NativeClient);
  const { sharedObjects } = process.report.getReport();
  console.log(sharedObjects.find((path) => path.endsWith('.node')));
} catch (error) {
  console.log(error.message);
}
`;

it('knows every target by the same names, in its table and for bundlers', () => {
  const targets = [...SHIPPED, ...ELSEWHERE];
  const wanted = targets.map((target) => `${target} ../../${prebuildFile(target)}`);
  const table = [...LOADER.matchAll(/^ {2}'([\w-]+)': '(.+)',$/gm)];
  const literal = [...LOADER.matchAll(/case '([\w-]+)':\s+return require\('(.+)'\);/g)];
  expect(table.map(([, target, file]) => `${target} ${file}`)).toEqual(wanted);
  expect(literal.map(([, target, file]) => `${target} ${file}`)).toEqual(wanted);
});

describe.skipIf(!BUILT)('the loader of an installed package', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kvs-loader-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function loadedFrom(root: string): string[] {
    for (const part of ['base', 'generated', 'native']) {
      cpSync(join(ROOT, 'dist', part), join(root, 'dist', part), { recursive: true });
    }
    cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
    const loader = new URL(`file://${root}/dist/native/load.js`).href;
    const { stdout } = start(
      [process.execPath],
      ...['--input-type=module', '--eval', PROGRAM, loader],
    );
    return stdout.trim().split('\n');
  }

  function addAddon(root: string): string {
    const file = join(root, prebuildFile(platformTarget()));
    mkdirSync(dirname(file), { recursive: true });
    cpSync(ADDON, file);
    return file;
  }

  it('works from app.asar.unpacked', () => {
    const root = join(folder, 'resources/app.asar.unpacked/node_modules/kinesis-video');
    const file = addAddon(root);
    expect(loadedFrom(root)).toEqual(['function', file]);
  });

  it('finds the addon beside an archive that holds the modules alone', () => {
    const inside = 'node_modules/kinesis-video';
    const file = addAddon(join(folder, 'resources/app.asar.unpacked', inside));
    expect(loadedFrom(join(folder, 'resources/app.asar', inside))).toEqual(['function', file]);
  });

  it('says exactly what is missing, and the two ways out', () => {
    const said = loadedFrom(join(folder, 'node_modules/kinesis-video')).join('\n');
    expect(said).toContain(`for ${platformTarget()} (Node ${process.versions.node})`);
    expect(said).toContain(`the prebuild for ${platformTarget()}: Cannot find module`);
    expect(said).toContain(prebuildFile(platformTarget()));
    expect(said).toMatch(/Two ways out: \(1\) install .* \(2\) build the addon here/s);
    expect(said).toContain('npx cmake-js compile --directory node_modules/kinesis-video');
  });
});
