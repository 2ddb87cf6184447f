import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { platformTarget } from '../../lib/native/load.js';
import { SHIPPED, prebuildFile } from '../../tools/lib/targets.mjs';
import { budget } from './budget.js';
import { bundle } from './bundle.js';
import { runnerOf } from './emulated.js';
import { npmCli } from './npm.js';
import {
  FIRST_MINUTE,
  PRODUCER,
  REQUIRE,
  TYPED,
  TYPED_IMPORT,
  WITH_SERVICE,
  jestRecipe,
  readmeProgram,
} from './programs.js';
import { PackageTrial, isOffline, succeed } from './user.js';

const SHAPES = new URL('../golden/package/files.txt', import.meta.url);
const LIB = fileURLToPath(new URL('../../lib', import.meta.url));
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const TSC = join(MODULES, 'typescript/bin/tsc');
const TYPE_ROOTS = join(MODULES, '@types');
const LIMIT = 900_000;

/** Every file below `folder`, with `/`. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
}

/** `dist/parser/*.js` stands for the files of that kind in that folder. */
function fits(path: string, shape: string): boolean {
  const pattern = shape.replaceAll('.', '\\.').replaceAll('*', '[^/.]+');
  return new RegExp(`^${pattern}$`).test(path);
}

/** The trial's PATH has node alone: other tools are called by their whole path. */
function resolveTool(name: string): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  return isAbsolute(name) || name.startsWith('-') ? name : (found ?? name);
}

describe.skipIf(npmCli() === undefined)('the package as its users get it (npm)', () => {
  const trial = new PackageTrial();
  const root = join(trial.folder, 'user/node_modules/kinesis-video');
  let offline = false;

  beforeAll(() => {
    trial.pack();
    const done = trial.install('user', trial.tarball);
    offline = isOffline(done);
    if (!offline) succeed(done);
  }, LIMIT);
  afterAll(() => {
    trial.remove();
  });

  describe('the tarball', () => {
    it('leaves the checkout as it was', () => {
      const path = 'package.json';
      const packed = readFileSync(join(trial.folder, 'checkout', path), 'utf8');
      expect(packed).toBe(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    });

    it('keeps to its size', () => {
      const KiB = statSync(trial.tarball).size / 1024;
      console.log(`tarball: ${KiB.toFixed(0)} KiB`);
      expect(KiB).toBeLessThan(budget().tarballKiB);
    });

    it.for([
      ['publint', 'publint/src/cli.js', '--strict'],
      ['attw', '@arethetypeswrong/cli/dist/index.js', '--profile', 'esm-only', '--no-color'],
    ] as const)('pleases %s', { timeout: LIMIT }, ([, program, ...args]) => {
      succeed(trial.node(trial.folder, join(MODULES, program), trial.tarball, ...args));
    });
  });

  // Where no registry answers, nothing can be installed.
  describe('installed without scripts, with nothing but node on the PATH', () => {
    it('holds what the list says, and no more', (context) => {
      context.skip(offline, 'no registry can be reached');
      const shapes = readFileSync(SHAPES, 'utf8').split('\n').filter(Boolean);
      const files = filesBelow(root);
      const unlisted = files.filter((path) => !shapes.some((shape) => fits(path, shape)));
      const shipped = SHIPPED.map(prebuildFile);
      expect(unlisted.filter((path) => !shipped.includes(path))).toEqual([]);
      expect(shapes.filter((shape) => !files.some((path) => fits(path, shape)))).toEqual([]);
      expect(files).toContain(prebuildFile(platformTarget()));
      const KiB = files.reduce((sum, path) => sum + statSync(join(root, path)).size, 0) / 1024;
      console.log(`unpacked: ${files.length} files, ${KiB.toFixed(0)} KiB`);
      expect(KiB).toBeLessThan(budget().unpackedKiB);
    });

    it('holds every module with its types, and none that is gone', (context) => {
      context.skip(offline, 'no registry can be reached');
      const sources = filesBelow(LIB).filter((path) => path.endsWith('.ts'));
      const made = sources.flatMap((path) => ['.js', '.d.ts'].map((e) => path.replace('.ts', e)));
      expect(filesBelow(join(root, 'dist'))).toEqual(made.sort());
    });

    it('has no scripts and asks for nothing to be built', (context) => {
      context.skip(offline, 'no registry can be reached');
      const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
      expect(manifest).not.toHaveProperty('scripts');
      expect(manifest).not.toHaveProperty('devDependencies');
      expect(manifest).not.toHaveProperty('gypfile');
      expect(manifest).toHaveProperty('optionalDependencies.classic-level');
    });

    it('streams into its own service', { timeout: LIMIT }, (context) => {
      context.skip(offline, 'no registry can be reached');
      trial.write('user/producer.mjs', PRODUCER);
      const program = trial.write('user/with-service.mjs', WITH_SERVICE);
      const said = succeed(trial.node(join(trial.folder, 'user'), program));
      expect(said.match(/^PERSISTED$/gm)).toHaveLength(2);
    });

    it(
      "runs the README's program against its own command, without keys",
      { timeout: LIMIT },
      (context) => {
        context.skip(offline, 'no registry can be reached');
        trial.write('user/upload.mjs', readmeProgram());
        const program = trial.write('user/first-minute.mjs', FIRST_MINUTE);
        const said = succeed(trial.node(join(trial.folder, 'user'), program));
        expect(said.match(/placeholder keys are used/g)).toHaveLength(1);
        expect(said.match(/^PERSISTED \d+$/gm)).toHaveLength(12);
        expect(said).toMatch(/^upload ended with 0$/m);
        expect(said).toMatch(/^serve ended with 0$/m);
      },
    );

    it('is tested with Jest 30 as docs/jest.md says', { timeout: LIMIT }, (context) => {
      context.skip(offline, 'no registry can be reached');
      const { manifest, test } = jestRecipe();
      const cwd = join(trial.folder, 'jest');
      trial.write('jest/package.json', manifest);
      succeed(trial.npm(cwd, 'install', '--ignore-scripts', trial.tarball, 'jest@30'));
      trial.write('jest/upload.test.js', test);
      const { status, stderr } = trial.npm(cwd, 'test');
      expect(stderr).toMatch(/^Tests: +1 passed, 1 total$/m);
      expect(status).toBe(0);
    });

    it('streams from another processor, emulated', { timeout: LIMIT }, (context) => {
      context.skip(offline, 'no registry can be reached');
      const runner = runnerOf('linux-arm64-glibc');
      if (runner.kind !== 'node') return context.skip(`arm64: ${JSON.stringify(runner)}`);
      trial.write('user/producer.mjs', PRODUCER);
      const program = trial.write('user/with-service.mjs', WITH_SERVICE);
      const command = JSON.stringify(runner.command.map((word) => resolveTool(word)));
      const said = succeed(trial.node(join(trial.folder, 'user'), program, command));
      expect(said.match(/^PERSISTED$/gm)).toHaveLength(2);
    });

    it('is required by CommonJS', (context) => {
      context.skip(offline, 'no registry can be reached');
      const program = trial.write('user/require.cjs', REQUIRE);
      const said = succeed(trial.node(join(trial.folder, 'user'), program));
      expect(said.trim()).toBe('string function function function function');
    });

    it('has the command kvs', (context) => {
      context.skip(offline, 'no registry can be reached');
      const kvs = join(trial.folder, 'user/node_modules/.bin/kvs');
      expect(succeed(trial.node(trial.folder, kvs, '--version')).trim()).toMatch(/^\d+\.\d+\.\d+/);
    });

    it.for([
      ['node10', 'consumer.ts', 'commonjs', 'node10', '--ignoreDeprecations', '6.0'],
      ['node16', 'consumer.mts', 'node16', 'node16'],
      ['node16, imported in CommonJS', 'imports.cts', 'node16', 'node16'],
      ['nodenext', 'consumer.cts', 'nodenext', 'nodenext'],
      ['bundler', 'consumer.ts', 'esnext', 'bundler'],
    ] as const)(
      'has types under moduleResolution %s',
      { timeout: LIMIT },
      ([, name, module, resolution, ...more], context) => {
        context.skip(offline, 'no registry can be reached');
        const file = trial.write(`user/${name}`, name === 'imports.cts' ? TYPED_IMPORT : TYPED);
        const types = ['--typeRoots', TYPE_ROOTS, '--types', 'node', '--target', 'es2022'];
        const how = ['--module', module, '--moduleResolution', resolution, '--strict', '--noEmit'];
        const lib = ['--lib', 'es2023', ...more];
        const cwd = join(trial.folder, 'user');
        expect(succeed(trial.node(cwd, TSC, ...how, ...types, ...lib, file))).toBe('');
      },
    );

    it.for(['cjs', 'esm'] as const)('is bundled by esbuild to %s', async (format, context) => {
      context.skip(offline, 'no registry can be reached');
      const folder = join(trial.folder, 'user');
      trial.write('user/producer.mjs', PRODUCER);
      const entry = join(folder, 'producer.mjs');
      const made = await bundle(entry, join(trial.folder, `bundle-${format}`), format);
      // From a folder of its own: nothing but what the bundler brought along can be found.
      const run = JSON.stringify([process.execPath]);
      trial.write('user/bundled.mjs', WITH_SERVICE.replace("'producer.mjs'", JSON.stringify(made)));
      const said = succeed(trial.node(folder, 'bundled.mjs', run));
      expect(said.match(/^PERSISTED$/gm)).toHaveLength(2);
    });
  });
});
