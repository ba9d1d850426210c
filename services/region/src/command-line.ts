/**
 * The arguments of the process: none runs the region, `--print-config` shows what it would run with, secrets hidden.
 * Wrong usage and wrong configuration end it with exit code 2 and say what to change; nothing is started before that.
 */
import { type Config, describeFault, readConfig } from './config.ts';

const wrongUsage = 2;
const usage = 'usage: isthmus-region [--print-config]   (configuration comes from ISTHMUS_ variables)\n';

/** `null`: there is nothing to run, and what there was to say has been said. */
export function readCommandLine(args: readonly string[]): Config | null {
  const isPrint = args.length === 1 && args[0] === '--print-config';
  if (args.length === 1 && args[0] === '--help') return end(0, usage);
  if (args.length > 0 && !isPrint) return end(wrongUsage, usage);
  const read = readConfig();
  if (read.kind === 'invalid')
    return end(wrongUsage, read.faults.map((fault) => `${describeFault(fault)}\n`).join(''));
  if (!isPrint) return read.config;
  process.stdout.write(`${JSON.stringify(read.shown, null, 2)}\n`);
  return null;
}

function end(code: number, message: string): null {
  process.stderr.write(message);
  process.exitCode = code;
  return null;
}
