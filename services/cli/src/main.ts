/**
 * The isthmus command: finds the command that the first argument names and runs it.
 * Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 the answer is
 * no, 2 wrong usage, 3 cannot reach. A failure that somebody can mend is told in its own words with the
 * remedy; only a bug shows a stack.
 */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { LocalError, systemCode } from '@isthmus/local/errors';
import { findRunningDemos } from '@isthmus/local/running-demo';
import { conflicts } from './commands/conflicts.ts';
import { deadLetters } from './commands/dead-letters.ts';
import { deleteRecord } from './commands/delete.ts';
import { demo } from './commands/demo.ts';
import { digest } from './commands/digest.ts';
import { doctor } from './commands/doctor.ts';
import { drain } from './commands/drain.ts';
import { get } from './commands/get.ts';
import { identity } from './commands/identity.ts';
import { incidents } from './commands/incidents.ts';
import { keys } from './commands/keys.ts';
import { links } from './commands/links.ts';
import { patch } from './commands/patch.ts';
import { put } from './commands/put.ts';
import { record } from './commands/record.ts';
import { region } from './commands/region.ts';
import { rights } from './commands/rights.ts';
import { status } from './commands/status.ts';
import { sweep } from './commands/sweep.ts';
import { transfer } from './commands/transfer.ts';
import { readConfig } from './config.ts';
import { CliError, type ExitCode } from './remote/cli-error.ts';
import type { Command, CommandIo } from './remote/command.ts';

/** For a command that looks at it to say how far it came. */
const interruptedMs = 1000;

const commands: readonly Command[] = [
  demo,
  doctor,
  status,
  get,
  put,
  patch,
  deleteRecord,
  record,
  links,
  digest,
  transfer,
  sweep,
  conflicts,
  incidents,
  deadLetters,
  identity,
  region,
  drain,
  rights,
  keys,
];

function help(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `usage: isthmus COMMAND …\n\n${lines.join('')}\n"isthmus COMMAND --help" says more of one.\n`;
}

function openIo(): CommandIo {
  const { api, admin, demo: demoPid } = readConfig();
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interruption.abort());
  }
  return {
    out: (written) => {
      process.stdout.write(written);
    },
    note: (written) => {
      process.stderr.write(written);
    },
    progress: (shown) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${shown}`);
    },
    api,
    admin,
    demo: demoPid,
    readDemos: findRunningDemos,
    readInput: () => text(process.stdin),
    interrupted: interruption.signal,
  };
}

async function run(args: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === 'help') {
    process.stdout.write(help());
    return name === undefined ? 2 : 0;
  }
  const command = commands.find((known) => known.name === name);
  if (command === undefined) {
    process.stderr.write(`isthmus: there is no command ${JSON.stringify(name.slice(0, 80))}\n\n${help()}`);
    return 2;
  }
  if (rest.includes('--help')) {
    process.stdout.write(`${command.summary}.\n\nusage: ${command.usage}\n`);
    return 0;
  }
  const io = openIo();
  const running = command.run(rest, io);
  // The demo has servers to end.
  return command === demo ? running : Promise.race([running, leaveAfter(io.interrupted)]);
}

/** A command that waits for an answer, or for standard input, does not look whether anybody has interrupted it. */
async function leaveAfter(interrupted: AbortSignal): Promise<ExitCode> {
  if (!interrupted.aborted) await once(interrupted, 'abort');
  await pause(interruptedMs);
  throw new CliError(1, 'Interrupted; what was asked for may have happened.');
}

/** Tells a failure and gives its exit code; a bug is thrown on. */
function tell(error: unknown): ExitCode {
  if (error instanceof CliError) {
    process.stderr.write(`isthmus: ${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof LocalError) {
    process.stderr.write(`isthmus: ${error.message}\n  ${error.remedy}\n`);
    return 1;
  }
  throw error;
}

process.stdout.on('error', (error) => {
  // Whoever read it has enough.
  if (systemCode(error) === 'EPIPE') process.exit(0);
  process.stderr.write(`isthmus: the result could not be written: ${error.message}\n`);
  process.exit(1);
});
const exitCode = await run(process.argv.slice(2)).catch(tell);
process.stdout.write('', (error) => {
  if (error === null || error === undefined) process.exit(exitCode);
});
