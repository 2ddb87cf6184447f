// Rule 1: imports point down, and never in a circle. `node tools/check-layers.mjs [FOLDER]`
// One table for C and one for TypeScript; a file that stands in no layer is a fault, too. Below them
// files may not import each other in a circle, not even types: none of them can be read first.
import { posix } from 'node:path';
import { builtinModules } from 'node:module';
import { circles } from './lib/circles.mjs';
import { blank, filesUnder, finish, lineAt, readText, rootFolder } from './lib/source.mjs';

// A row may use the rows above it, never its own row. A module is a noun: `nal_avx2.c` is of `nal`.
const CORE = [
  ['base'],
  ['status', 'bytes', 'retry', 'cpu'],
  ['machine', 'queue'],
  ['heap', 'ebml', 'nal', 'ack'],
  ['view', 'mkv'],
  ['stream'],
  ['client'],
];
const CORE_SYSTEM = /^(stddef|stdint|stdbool|string|limits|inttypes)\.h$/;
const SIMD_FILES = /^(nal_sse2|nal_avx2|nal_neon|cpu)\.c$/;
const SIMD_SYSTEM = /^(emmintrin|immintrin|arm_neon|cpuid|intrin)\.h$/;
const ADDON_SYSTEM =
  /^(napi\.h|node_api\.h|std(def|int|bool|lib|io)\.h|string\.h|c(stddef|stdint|stdlib|stdio|string|math|limits)|new|string|limits|utility|memory|initializer_list|type_traits)$/;

const LIB = [
  ['generated'],
  ['base'],
  ['parser', 'native', 'transport'],
  ['providers'],
  ['producer'],
  ['sources', 'consumer', 'service'],
  ['cli', 'index'],
];
// Layers inside a folder of lib that has subfolders of its own; its files are above them all.
const LIB_INSIDE = {
  producer: [['definition', 'reporting'], ['session'], ['stream'], ['client']],
};
const LIB_NEVER = { service: ['producer', 'providers', 'native'] };

const FILES = ['fs', 'fs/promises', 'path', 'os', 'url'];
const NET = ['net', 'tls', 'http', 'https', 'crypto', 'dns', 'dns/promises', 'dgram', 'zlib'];
const FLOW = ['events', 'stream', 'stream/promises', 'stream/web', 'timers', 'timers/promises'];
const TOOLS = ['buffer', 'util', 'perf_hooks', 'diagnostics_channel', 'async_hooks', 'process'];
// Which `node:` modules and packages a folder may use. The parser runs in browsers: none.
const LIB_OUTSIDE = {
  generated: { node: [], packages: [] },
  base: { node: [], packages: [] },
  parser: { node: [], packages: [] },
  native: { node: ['module', 'process', ...FILES], packages: ['node-gyp-build'] },
  transport: { node: [...NET, ...FLOW, ...TOOLS, 'url'], packages: ['@smithy/', '@aws-sdk/'] },
  providers: { node: [...FILES, ...NET, ...FLOW, ...TOOLS], packages: ['@smithy/', '@aws-sdk/'] },
  producer: { node: [...FLOW, ...TOOLS, 'crypto', 'os'], packages: [] },
  sources: {
    node: [...FILES, ...NET, ...FLOW, ...TOOLS, 'child_process', 'readline'],
    packages: ['mediabunny'],
  },
  consumer: { node: [...FILES, ...NET, ...FLOW, ...TOOLS], packages: ['@aws-sdk/', '@smithy/'] },
  service: {
    node: [...FILES, ...NET, ...FLOW, ...TOOLS, 'worker_threads', 'querystring', 'child_process'],
    packages: ['classic-level', '@smithy/'],
  },
  cli: { node: builtinModules, packages: ['commander', '@aws-sdk/', '@smithy/'] },
  index: { node: [], packages: [] },
};

const rank = (table, name) => table.findIndex((row) => row.includes(name));

/** Why `from` may not use `to`, or undefined when it may. */
function against(table, from, to) {
  if (from === to) return undefined;
  const [low, high] = [rank(table, to), rank(table, from)];
  if (low < 0) return `${to} stands in no layer`;
  if (low === high) return `${from} and ${to} are equals`;
  return low > high ? `${to} stands above ${from}` : undefined;
}

function coreModule(file) {
  const stem = file.replace(/\.(c|h|def)$/, '');
  const known = CORE.flat();
  return known.includes(stem) ? stem : known.find((name) => stem.startsWith(`${name}_`));
}

function includes(text) {
  const code = blank(text, ['comment']);
  return [...code.matchAll(/^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]/gm)].map((hit) => ({
    path: hit[2],
    line: lineAt(code, hit.index),
  }));
}

function coreFault(own, file, path) {
  if (/^kvs\/[\w.]+$/.test(path) || CORE_SYSTEM.test(path)) return undefined;
  if (SIMD_FILES.test(file) && SIMD_SYSTEM.test(path)) return undefined;
  const target = /^core\/([\w.]+)$/.exec(path)?.[1];
  if (target === undefined) return `the core may not include ${path}`;
  const name = coreModule(target);
  return name === undefined ? `${path} stands in no layer` : against(CORE, own, name);
}

function checkCore(root, faults) {
  const files = filesUnder(root, 'native/core');
  for (const path of files) {
    const file = posix.basename(path);
    const own = coreModule(file);
    if (own === undefined || posix.dirname(path) !== 'native/core') {
      faults.push(`${path}: stands in no layer (see CORE in tools/check-layers.mjs)`);
      continue;
    }
    for (const hit of includes(readText(root, path))) {
      const why = coreFault(own, file, hit.path);
      if (why !== undefined) faults.push(`${path}:${hit.line}: ${why}`);
    }
  }
  return files.length;
}

function checkOtherNative(root, faults) {
  const own = filesUnder(root, 'native/addon');
  const open = filesUnder(root, 'native/include');
  const allowed = (path, list) =>
    list.some((file) => file.endsWith(`/${path}`)) || /^kvs\/[\w.]+$/.test(path);
  for (const path of [...own, ...open]) {
    const system = open.includes(path) ? CORE_SYSTEM : ADDON_SYSTEM;
    for (const hit of includes(readText(root, path))) {
      if (allowed(hit.path, open.includes(path) ? [] : own) || system.test(hit.path)) continue;
      faults.push(`${path}:${hit.line}: may not include ${hit.path} (the public API only)`);
    }
  }
  for (const path of filesUnder(root, 'native')) {
    if (/^native\/(core|addon|include\/kvs)\//.test(path)) continue;
    faults.push(`${path}: stands in no layer`);
  }
  return own.length + open.length;
}

/** Everything that a TypeScript file imports, re-exports, requires or names as a type. */
function imports(text) {
  const code = blank(text, ['comment']);
  const shapes = [
    /^(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"]+)\1/gm,
    /^import\s*(['"])([^'"]+)\1/gm,
    /\b(?:import|require|require\.resolve)\s*\(\s*(['"])([^'"]+)\1/g,
  ];
  return shapes.flatMap((shape) =>
    [...code.matchAll(shape)].map((hit) => ({ path: hit[2], line: lineAt(code, hit.index) })),
  );
}

/** The layer of a file below lib: its folder, or `index` for lib/index.ts. */
function libLayer(path) {
  const parts = path.split('/');
  if (parts.length > 2) return parts[1];
  return parts[1] === 'index.ts' || parts[1] === 'index.js' ? 'index' : undefined;
}

function outsideFault(own, path) {
  const allowed = LIB_OUTSIDE[own];
  const bare = path.replace(/^node:/, '');
  if (path.startsWith('node:')) {
    return allowed.node.includes(bare) ? undefined : `${own} may not use ${path}`;
  }
  if (builtinModules.includes(bare)) return `write node:${bare}`;
  const known = allowed.packages.some((name) => path === name || path.startsWith(name));
  return known ? undefined : `${own} may not use the package ${path}`;
}

/** The same inside of a folder that has layers of its own. */
function insideFault(own, from, target) {
  const table = LIB_INSIDE[own];
  if (table === undefined) return undefined;
  const [, , inner, file] = from.split('/');
  const [, , wanted, used] = target.split('/');
  if (file === undefined) return undefined;
  return used === undefined
    ? `${target} stands above ${own}/${inner}`
    : against(table, inner, wanted);
}

function libFault(own, from, path) {
  if (!path.startsWith('.')) return outsideFault(own, path);
  const target = posix.join(posix.dirname(from), path);
  if (!target.startsWith('lib/')) {
    // The loader names the prebuilt addons one by one, so that bundlers find them.
    const loads = own === 'native' && /^(prebuilds|build)\//.test(target);
    return loads || target === 'package.json' ? undefined : `${path} leads out of lib`;
  }
  const name = libLayer(target);
  if (name === undefined) return `${target} stands in no layer`;
  if (LIB_NEVER[own]?.includes(name)) return `${own} never uses ${name}`;
  if (name === own) return insideFault(own, from, target);
  return against(LIB, own, name);
}

/** The source file that a relative import names, or undefined. */
function targetOf(files, from, path) {
  if (!path.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(from), path);
  const written = target.replace(/\.([mc]?)js$/, '.$1ts');
  return [target, written].find((name) => files.includes(name));
}

function checkCircles(root, files, faults) {
  const graph = new Map();
  for (const path of files) {
    const used = imports(readText(root, path)).map((hit) => targetOf(files, path, hit.path));
    graph.set(
      path,
      used.filter((name) => name !== undefined),
    );
  }
  for (const circle of circles(graph)) {
    faults.push(`${circle[0]}: imports itself in a circle: ${[...circle, circle[0]].join(' → ')}`);
  }
}

function checkLib(root, faults) {
  const files = filesUnder(root, 'lib').filter((path) => /\.(ts|mts|cts|js|mjs|cjs)$/.test(path));
  checkCircles(root, files, faults);
  for (const path of files) {
    const own = libLayer(path);
    if (own === undefined || rank(LIB, own) < 0) {
      faults.push(`${path}: stands in no layer (see LIB in tools/check-layers.mjs)`);
      continue;
    }
    for (const hit of imports(readText(root, path))) {
      const why = libFault(own, path, hit.path);
      if (why !== undefined) faults.push(`${path}:${hit.line}: ${why}`);
    }
  }
  return files.length;
}

const root = rootFolder();
const faults = [];
const looked = checkCore(root, faults) + checkOtherNative(root, faults) + checkLib(root, faults);
finish('check-layers', faults, looked);
