/**
 * What the commands of this folder are called with. `--help` prints the usage and ends well; anything that is not
 * understood ends the process with status 2 and one line, before anything has run.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values = Readonly<Record<string, string | boolean | undefined>>;

/** The values of options that are given at most once, by name. */
export function readOptions(usage: string, options: Options): Values {
  const { help, ...values } = parsed(options);
  if (help === true) {
    process.stdout.write(`usage: ${usage}\n`);
    process.exit(0);
  }
  return values;
}

function parsed(options: Options): Values {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } });
    return Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) => (Array.isArray(value) ? [] : [[name, value]])),
    );
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** A whole number from `least`. */
export function numberOf(name: string, value: unknown, least: number): number {
  const number = Number(value);
  if (/^\d+$/.test(String(value)) && Number.isSafeInteger(number) && number >= least) return number;
  return refuse(`--${name} is a whole number from ${least}, not ${JSON.stringify(value)}`);
}

/** One line, because a stack says nothing about an option. */
export function refuse(message: string): never {
  process.stderr.write(`${message.split('\n', 1)[0]} (--help shows the options)\n`);
  return process.exit(2);
}
