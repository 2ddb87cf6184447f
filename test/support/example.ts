import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Compiles the examples as `npm run build` does; `dist` must be there. */
export async function buildExamples(): Promise<void> {
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
  await run(process.execPath, [tsc, '-p', 'examples/tsconfig.json'], { cwd: ROOT });
}

/** The environment of an example: without an endpoint it starts a service of its own. */
function environment(endpoint: string | undefined): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return {
    PATH,
    HOME,
    TMPDIR,
    AWS_ACCESS_KEY_ID: 'AKIDTEST',
    AWS_SECRET_ACCESS_KEY: 'secret',
    ...(endpoint === undefined ? {} : { AWS_ENDPOINT_URL_KINESIS_VIDEO: endpoint }),
  };
}

/** Runs an example to its end and gives what it printed; throws with its words when it fails. */
export async function runExample(
  name: string,
  args: readonly string[],
  endpoint?: string,
): Promise<string> {
  const path = `build-examples/${name}.js`;
  const options = { cwd: ROOT, env: environment(endpoint), timeout: 120_000 };
  return (await run(process.execPath, [path, ...args], options)).stdout;
}

/** Starts an example that serves; resolves with the first address that it prints. */
export async function startExample(
  name: string,
  args: readonly string[],
  endpoint?: string,
): Promise<{ readonly address: string; readonly child: ChildProcess }> {
  const path = `build-examples/${name}.js`;
  const child = spawn(process.execPath, [path, ...args], { cwd: ROOT, env: environment(endpoint) });
  return new Promise((resolve, reject) => {
    let output = '';
    const collect = (bytes: Buffer): void => {
      output += bytes.toString();
      const address = /^http:\S+$/m.exec(output)?.[0];
      if (address !== undefined) resolve({ address, child });
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('exit', () => {
      reject(new Error(`${name} ended: ${output}`));
    });
  });
}
