/** Arguments of one command, read strictly: an option that the command does not know is wrong usage. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { wrongUsage } from './cli-error.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

export const addressOptions = {
  api: { type: 'string', multiple: true },
  admin: { type: 'string', multiple: true },
  region: { type: 'string' },
  demo: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const satisfies Options;

export const dryRunOption = { 'dry-run': { type: 'boolean', default: false } } as const satisfies Options;

/** Throws `CliError` with the usage text. */
export function readOptions<T extends Options>(
  args: readonly string[],
  options: T,
  usage: string,
): ReturnType<typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unreadable';
    throw wrongUsage(`${reason}\nusage: ${usage}`);
  }
}

/** The positional arguments by count; throws `CliError` where there are more or fewer. */
export function takePositionals(
  positionals: readonly string[],
  count: number,
  usage: string,
): readonly string[] {
  if (positionals.length === count) return positionals;
  throw wrongUsage(`${positionals.length} arguments, ${count} wanted\nusage: ${usage}`);
}
