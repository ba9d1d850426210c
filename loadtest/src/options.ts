/** The command line of the load test, read strictly: what it does not know is wrong usage, told with the usage. */
import { parseArgs } from 'node:util';
import type { LogKind } from '@isthmus/local/region-log';
import { LoadError } from './errors.ts';
import type { Effort } from './scenario.ts';

const scenarioNames = [
  'demo-ready',
  'visible',
  'single',
  'backlog',
  'engine',
  'batch',
  'memory',
  'cut',
  'transfer',
  'held',
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

/** They take as long as they are told to, so they are asked for by name. */
const byName: ReadonlySet<string> = new Set(['cut', 'transfer', 'held']);
const byDefault = scenarioNames.filter((name) => !byName.has(name));
const minuteMs = 60_000;

export const usage = `usage: npm run loadtest -- [--quick] [--only NAME[,NAME]] [--runs N] [--seed N] [--log kafka|postgres]
                               [--json FILE] [--demo PID] [--minutes N] [--records N]
  scenarios: ${scenarioNames.join(', ')}
  --minutes is how long the link is down in the scenario cut; --records is what the scenario transfer moves, and how many
  records and waiting changes the scenario held has: the three run only where --only names them
  --log says where the log of the started demo lies; by default in Kafka
  --json FILE writes the figures there and a page with plots beside it, with the ending .html
  --demo PID drives a demo that runs already: it writes 100,000 records and cuts a link; otherwise it starts its own
`;

export interface LoadOptions {
  readonly only: readonly ScenarioName[];
  readonly isQuick: boolean;
  readonly seed: number;
  readonly log: LogKind;
  readonly jsonFile: string | null;
  /** Process number of a running demo; empty: start one. */
  readonly demo: string;
  readonly effort: Effort;
}

const full: Effort = {
  runs: 5,
  keyCount: 100_000,
  backlogUpdates: 200_000,
  stretchMs: 8_000,
  tryMs: 5_000,
  searchTries: 8,
  visiblePerS: 1_000,
  cutMs: 10 * minuteMs,
  cutPerS: 500,
  transferRecords: 1_000_000,
  heldRecords: 1_000_000,
  restMs: 30_000,
};

const quick: Effort = {
  runs: 1,
  keyCount: 5_000,
  backlogUpdates: 10_000,
  stretchMs: 2_500,
  tryMs: 2_500,
  searchTries: 3,
  visiblePerS: 200,
  cutMs: 5_000,
  cutPerS: 100,
  transferRecords: 10_000,
  heldRecords: 10_000,
  restMs: 2_000,
};

/** Throws `wrong-usage`. */
export function readOptions(args: readonly string[], environmentDemo: string): LoadOptions {
  const { values } = parsed(args);
  const only = values.only?.split(',') ?? byDefault;
  const effort = values.quick ? quick : full;
  const records = values.records === undefined ? null : wholeNumber('--records', values.records);
  return {
    only: only.map(scenarioNamed),
    isQuick: values.quick,
    seed: wholeNumber('--seed', values.seed ?? '1'),
    log: logNamed(values.log ?? 'kafka'),
    jsonFile: values.json ?? null,
    demo: values.demo ?? environmentDemo,
    effort: {
      ...effort,
      runs: wholeNumber('--runs', values.runs ?? String(effort.runs)),
      cutMs:
        values.minutes === undefined ? effort.cutMs : wholeNumber('--minutes', values.minutes) * minuteMs,
      transferRecords: records ?? effort.transferRecords,
      heldRecords: records ?? effort.heldRecords,
    },
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        runs: { type: 'string' },
        seed: { type: 'string' },
        minutes: { type: 'string' },
        records: { type: 'string' },
        log: { type: 'string' },
        json: { type: 'string' },
        demo: { type: 'string' },
      },
      strict: true,
    });
  } catch (error) {
    throw new LoadError('wrong-usage', error instanceof Error ? error.message : 'unreadable', error);
  }
}

function scenarioNamed(name: string): ScenarioName {
  const found = scenarioNames.find((known) => known === name);
  if (found !== undefined) return found;
  throw new LoadError('wrong-usage', `--only takes ${scenarioNames.join(', ')}; not ${JSON.stringify(name)}`);
}

function logNamed(name: string): LogKind {
  if (name === 'kafka' || name === 'postgres') return name;
  throw new LoadError('wrong-usage', `--log takes kafka or postgres; not ${JSON.stringify(name)}`);
}

function wholeNumber(option: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new LoadError('wrong-usage', `${option} takes a whole number above 0; not ${JSON.stringify(text)}`);
}
