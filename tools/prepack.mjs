// What `npm pack` and `npm publish` run first, and undo after:
//   node tools/prepack.mjs          makes package.json what users get, and dist free of old files
//   node tools/prepack.mjs --undo   brings package.json back
// The published package.json has no scripts: npm 12, pnpm 10, Bun and Yarn would block or ask about
// them, and nothing has to run where prebuilt addons are in the package.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SHIPPED, prebuildFile } from './lib/targets.mjs';
import { filesUnder } from './lib/source.mjs';

const root = process.cwd();
const manifest = join(root, 'package.json');
const kept = join(root, 'build-core', 'package.json.before-pack');
/** What only a checkout has use for. */
const CHECKOUT_ONLY = ['scripts', 'devDependencies'];

/** `dist/a/b.d.ts.map` is made from `lib/a/b.ts`. */
function sourceOf(path) {
  return path.replace(/^dist\//, 'lib/').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
}

function removeStale() {
  for (const path of filesUnder(root, 'dist')) {
    if (!existsSync(join(root, sourceOf(path)))) rmSync(join(root, path));
  }
}

function strip() {
  const text = readFileSync(manifest, 'utf8');
  const published = JSON.parse(text);
  for (const name of CHECKOUT_ONLY) delete published[name];
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(kept, text);
  writeFileSync(manifest, `${JSON.stringify(published, null, 2)}\n`);
}

/** Packing is a trial; publishing without the addons would break every user. */
function checkPrebuilds() {
  const missing = SHIPPED.filter((target) => !existsSync(join(root, prebuildFile(target))));
  if (missing.length === 0) return;
  console.error(`prepack: no prebuilt addon for ${missing.join(', ')} (npm run prebuilds)`);
  if (process.env.npm_command === 'publish') process.exit(1);
}

if (process.argv.includes('--undo')) {
  if (existsSync(kept)) renameSync(kept, manifest);
} else {
  if (existsSync(kept)) {
    console.error(`prepack: an earlier run was cut off; package.json is taken from ${kept}`);
    renameSync(kept, manifest);
  }
  checkPrebuilds();
  removeStale();
  strip();
}
