/**
 * The isthmus command: finds the command that the first argument names and runs it.
 * Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 the answer is
 * no, 2 wrong usage, 3 cannot reach. A failure that somebody can mend is told in its own words with the
 * remedy; only a bug shows a stack.
 */
import { text } from 'node:stream/consumers';
import { LocalError } from '@isthmus/local/errors';
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
  return command.run(rest, openIo());
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

process.stdout.on('error', () => process.exit(0));
const exitCode = await run(process.argv.slice(2)).catch(tell);
process.stdout.write('', () => process.exit(exitCode));
