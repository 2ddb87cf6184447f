// Runs a program, keeps what it says, and ends its whole process group when it says nothing for too
// long (`quietMs`), or takes too long (`limitMs`, where there is such a limit: a busy machine reaches it).
import { spawn, spawnSync } from 'node:child_process';

const KEPT = 4 * 1024 * 1024;

/** `{ code, output, seconds }`; code is the reason in words when there was no exit code. */
export function run(command, { cwd, limitMs, quietMs, env, echo, heard }) {
  const began = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    const stop = () => endGroup(child.pid);
    const limits = watch({ limitMs, quietMs }, stop);
    const keep = (chunk) => {
      limits.heard();
      output = (output + chunk).slice(-KEPT);
      if (echo) process.stdout.write(chunk);
      heard?.(output);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    process.once('exit', stop);
    const done = (code) => {
      limits.end();
      process.removeListener('exit', stop);
      stop();
      resolve({ code, output, seconds: (performance.now() - began) / 1000 });
    };
    child.once('error', (error) => done(`cannot be started: ${error.message}`));
    child.once('close', (code, signal) => {
      done(limits.reached() ?? code ?? `was ended by ${signal}`);
    });
  });
}

/** Calls `stop` when a limit is reached, and says which; a limit that is undefined is none. */
function watch({ limitMs, quietMs }, stop) {
  let why;
  const after = (ms, words) =>
    setTimeout(() => {
      why = words;
      stop();
    }, ms);
  const limit = limitMs && after(limitMs, `was stopped after ${limitMs / 1000} s`);
  const quiet = quietMs && after(quietMs, `was stopped: not a word for ${quietMs / 1000} s`);
  return {
    heard: () => quiet?.refresh(),
    reached: () => why,
    end: () => {
      clearTimeout(limit);
      clearTimeout(quiet);
    },
  };
}

/** Nothing that a step started outlives it. */
function endGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}

/** `tool`, or what Debian calls it where no version of it is the chosen one; undefined without it. */
export function toolNamed(tool) {
  return [tool, `${tool}-14`].find((name) => versionOf(name) !== undefined);
}

/** First line that a tool prints for `--version`, or undefined when it is not installed. */
export function versionOf(tool) {
  const done = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  return done.status === 0 ? done.stdout.split('\n')[0] : undefined;
}
