// `npm test`: everything that a reviewer would run, in one command.
//   node tools/test.mjs [--verbose] [--list] [NAME…]      NAME runs these steps only
// The last line is `N passed, N failed, N skipped`, counting steps; the exit code is 1 when one
// failed. A step whose outside tool is missing is skipped by name, with the way to get the tool.
import { fileURLToPath } from 'node:url';
import { run } from './lib/run.mjs';
import { allSteps } from './lib/steps.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const SHOWN_LINES = 300;
/** What runs at this moment, for the last words of a run that is ended from outside. */
const now = { step: undefined, began: 0, output: '', results: [] };

async function runStep(step, verbose) {
  const why = step.skip?.();
  if (why !== undefined) return { step, state: 'skipped', seconds: 0, note: why };
  Object.assign(now, { step, began: performance.now(), output: '' });
  step.before?.();
  let seconds = 0;
  let output = '';
  for (const command of step.commands) {
    const done = await runCommand(step, command, verbose);
    seconds += done.seconds;
    output = done.output;
    if (done.code !== 0) return failedOrAgain(step, command, { ...done, seconds }, verbose);
  }
  return { step, state: 'passed', seconds, note: step.note?.(output) ?? '' };
}

async function runCommand(step, command, verbose) {
  const { quietMs, env } = step;
  const heard = (output) => (now.output = output);
  const done = await run(command, { cwd: root, quietMs, env, echo: verbose, heard });
  if (done.code !== 0 && !verbose) process.stdout.write(tail(done.output));
  return done;
}

/** What a command that was ended had not finished: its tests by name, else its last line. */
function unfinished(step, output) {
  const names = step.running?.(output) ?? [];
  if (names.length > 0) return ['; running:', ...names].join('\n    - ');
  const last = output.trimEnd().split('\n').at(-1).slice(-160);
  return last === '' ? '' : `; its last line: ${last}`;
}

async function failedOrAgain(step, command, done, verbose) {
  const again = step.again?.();
  if (again !== undefined) {
    console.log(`--- ${step.name}: what failed is run once more`);
    const { code, seconds } = await runCommand(step, again, verbose);
    done.seconds += seconds;
    if (code === 0) {
      return { step, state: 'passed', seconds: done.seconds, note: step.againNote() };
    }
  }
  const ended = typeof done.code !== 'number';
  const how = ended ? done.code + unfinished(step, done.output) : `exit code ${done.code}`;
  const note = step.failureNote?.(done.output) ?? `${command.join(' ').slice(0, 120)}: ${how}`;
  return { step, state: 'FAILED', seconds: done.seconds, note };
}

function tail(output) {
  const lines = output.trimEnd().split('\n');
  const cut = lines.length - SHOWN_LINES;
  const head = cut > 0 ? `… ${cut} lines before\n` : '';
  return `${head}${lines.slice(-SHOWN_LINES).join('\n')}\n`;
}

function chosen(names) {
  const steps = allSteps(root);
  const unknown = names.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(`no such step: ${unknown.join(', ')}; node tools/test.mjs --list shows them`);
    process.exit(2);
  }
  return names.length === 0 ? steps : steps.filter((step) => names.includes(step.name));
}

function row({ step, state, seconds, note }) {
  const time = `${seconds.toFixed(1)} s`.padStart(8);
  return `${state.padEnd(8)}${step.name.padEnd(14)}${time}  ${note}`.trimEnd();
}

async function main() {
  const options = process.argv.slice(2).filter((arg) => arg.startsWith('-'));
  const steps = chosen(process.argv.slice(2).filter((arg) => !arg.startsWith('-')));
  if (options.includes('--list')) {
    for (const step of steps) console.log(`${step.name.padEnd(14)}${step.about}`);
    return;
  }
  for (const step of steps) {
    console.log(`--- ${step.name}: ${step.about}`);
    now.results.push(await runStep(step, options.includes('--verbose')));
  }
  conclude(now.results);
}

function conclude(results) {
  console.log(`\n${results.map(row).join('\n')}\n`);
  const count = (state) => results.filter((result) => result.state === state).length;
  const failed = count('FAILED');
  console.log(`${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Ended from outside: says what has passed, and what was running. */
function endedBy(signal, exitCode) {
  process.once(signal, () => {
    const { step, began, output, results } = now;
    if (step !== undefined && !results.some((result) => result.step === step)) {
      const note = `was ended by ${signal}${unfinished(step, output)}`;
      const seconds = (performance.now() - began) / 1000;
      conclude([...results, { step, state: 'FAILED', seconds, note }]);
    }
    process.exit(exitCode);
  });
}

endedBy('SIGINT', 130);
endedBy('SIGTERM', 143);
await main();
