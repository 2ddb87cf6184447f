// The steps of `npm test` that run vitest: all tests on the Node that runs it, and those of lib and
// of the addon on the other Nodes that tools/prebuild/nodes.mjs has fetched.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NODES, nodeProgram } from './nodes.mjs';
import { againNote, counts, failedFiles, failureNote, readReport } from './vitest-report.mjs';

const VITEST = join('node_modules', 'vitest', 'vitest.mjs');
const RUNNING = `--reporter=${join('.', 'tools', 'lib', 'vitest-running.mjs')}`;
const AGAIN = 3;

function vitest(node, report, files) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return [node, VITEST, 'run', ...reporters, RUNNING, ...files];
}

/**
 * On a build server, whose other work nobody sees, up to three files with failures are run once more,
 * alone; what passes then is named in the table. Elsewhere a failure is a failure.
 */
function again(node, name, report) {
  if (process.env.CI !== 'true' || report === undefined) return undefined;
  const files = failedFiles(report);
  if (files.length === 0 || files.length > AGAIN) return undefined;
  return vitest(node, `build-core/${name}-again.json`, files);
}

/** A run of `files` (none: all) by the program `node`; its reports are build-core/NAME….json. */
function vitestStep(root, { name, node, files, ...more }) {
  const path = `build-core/${name}.json`;
  const running = join(root, 'build-core', `${name}-running.json`);
  const report = () => readReport(join(root, path));
  return {
    name,
    before: () => [join(root, path), running].forEach((file) => rmSync(file, { force: true })),
    commands: [vitest(node, path, files)],
    env: { KVS_RUNNING: running },
    note: () => counts(report()),
    again: () => again(node, name, report()),
    againNote: () => againNote(report()),
    failureNote: (output) => report() && failureNote(report(), output),
    running: () => (existsSync(running) ? JSON.parse(readFileSync(running, 'utf8')) : []),
    ...more,
  };
}

/** Every test on this Node, then those of lib and the addon on each other Node. */
export function vitestSteps(root) {
  const all = { name: 'vitest', about: 'every test in TypeScript', node: process.execPath };
  return [
    vitestStep(root, { ...all, files: [] }),
    ...Object.keys(NODES).map((major) => otherNode(root, major)),
  ];
}

function otherNode(root, major) {
  return vitestStep(root, {
    name: `node-${major}`,
    about: `the tests of lib and of the addon on Node ${major}`,
    node: nodeProgram(root, major),
    files: ['test/lib', 'test/binding'],
    skip: () => {
      if (process.env.KVS_NODES !== '1') return 'asked for with KVS_NODES=1 only (see .ci/run)';
      const found = existsSync(nodeProgram(root, major));
      return found ? undefined : 'not fetched (node tools/prebuild/nodes.mjs)';
    },
  });
}
