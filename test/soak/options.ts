/** The command line of the soak, read strictly: what it does not know is wrong usage, told with the usage. */
import { parseArgs } from 'node:util';

export const usage = `usage: npm run soak -- [--minutes N] [--rate N] [--seed N] [--log kafka|postgres] [--no-faults] [--json FILE] [--summary FILE]
  --minutes N     how long, 1 to 1440; by default 60. Curves are judged from 30 on
  --rate N        writes a second over all regions, 1 to 5000; by default 200
  --log           where the log of the demo lies; by default in Kafka
  --no-faults     load alone
  --json FILE     writes the readings there and a page with charts beside it, with the ending .html
  --summary FILE  keeps what it came to, for the page about the tests
`;

export interface SoakOptions {
  readonly minutes: number;
  readonly ratePerS: number;
  readonly seed: number;
  readonly log: 'kafka' | 'postgres';
  readonly hasFaults: boolean;
  readonly jsonFile: string | null;
  readonly summaryFile: string | null;
}

export class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}

/** `freshSeed` is used where none is given. Throws `WrongUsage`. */
export function readOptions(args: readonly string[], freshSeed: number): SoakOptions {
  const values = parsed(args);
  const { log = 'kafka' } = values;
  if (log !== 'kafka' && log !== 'postgres')
    throw new WrongUsage(`--log takes kafka or postgres; not ${JSON.stringify(log)}`);
  return {
    minutes: wholeNumber('--minutes', values.minutes ?? '60', 1440),
    ratePerS: wholeNumber('--rate', values.rate ?? '200', 5000),
    seed: values.seed === undefined ? freshSeed : wholeNumber('--seed', values.seed, 2 ** 31),
    log,
    hasFaults: !values['no-faults'],
    jsonFile: values.json ?? null,
    summaryFile: values.summary ?? null,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string' },
        rate: { type: 'string' },
        seed: { type: 'string' },
        log: { type: 'string' },
        'no-faults': { type: 'boolean', default: false },
        json: { type: 'string' },
        summary: { type: 'string' },
      },
      strict: true,
    }).values;
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : 'unreadable', { cause: error });
  }
}

function wholeNumber(option: string, text: string, most: number): number {
  if (/^[1-9]\d{0,9}$/.test(text) && Number(text) <= most) return Number(text);
  throw new WrongUsage(`${option} takes a whole number from 1 to ${most}; not ${JSON.stringify(text)}`);
}
