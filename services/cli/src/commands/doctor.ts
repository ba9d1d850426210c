/**
 * `isthmus doctor`: what this machine has and lacks to run Isthmus, and how to mend it. Exit code 1 where it lacks
 * something without which no demo runs; without Java and Maven one runs with its log in Postgres.
 */
import { type Check, checkMachine } from '@isthmus/local/machine-checks';
import type { Command } from '../remote/command.ts';
import { readOptions, takePositionals } from '../remote/options.ts';
import { jsonLine, table } from '../remote/show.ts';

const usage = 'isthmus doctor [--json]';

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check that this machine can run Isthmus',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, { json: { type: 'boolean', default: false } }, usage);
    takePositionals(positionals, 0, usage);
    const checks = await checkMachine();
    const ok = checks.every((check) => check.ok || check.isForKafka);
    io.out(values.json ? jsonLine({ ok, checks }) : show(checks, ok));
    return ok ? 0 : 1;
  },
};

function show(checks: readonly Check[], ok: boolean): string {
  const rows = checks.map((check) => [wordFor(check), check.name, check.detail]);
  const remedies = checks.flatMap(({ name, remedy }) =>
    remedy === undefined ? [] : [`  ${name}: ${remedy}\n`],
  );
  if (!ok) return `${table(rows)}\nTo mend:\n${remedies.join('')}`;
  if (remedies.length === 0) return `${table(rows)}\nThis machine can run Isthmus.\n`;
  const without =
    'This machine can run Isthmus with its log in Postgres. "npm test" needs Kafka; to have it:';
  return `${table(rows)}\n${without}\n${remedies.join('')}`;
}

function wordFor({ ok, isForKafka }: Check): string {
  if (ok) return 'ok';
  return isForKafka ? 'no Kafka' : 'MISSING';
}
