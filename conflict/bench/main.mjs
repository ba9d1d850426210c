/**
 * The benchmark command: parses its options, runs the measures one after the other in this process, prints the tables
 * and writes the figures. Options: `--quick` for a short form that shows that everything works, `--only NAME` for one
 * measure, `--json FILE` for the figures, `--records N` for another number than a million.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BenchError, loadContenders } from './contender.mjs';
import { describeActivity, describeMachine, watchMachine } from './machine.mjs';
import { measuresWith } from './measures.mjs';
import { printGoals, say, writeMeasures } from './report.mjs';
import { measuredVersion } from './size.mjs';

const full = {
  rounds: 11,
  roundMs: 300,
  records: 1_000_000,
  few: 10_000,
  imports: 15,
  histories: 5,
  writes: 1000,
};
const quick = { rounds: 7, roundMs: 20, records: 20_000, few: 2000, imports: 3, histories: 1, writes: 100 };

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
    records: { type: 'string' },
  },
});
const settings = { ...(options.quick ? quick : full) };
if (options.records !== undefined) settings.records = Number(options.records);
if (!Number.isSafeInteger(settings.records) || settings.records < 100) {
  throw new BenchError('--records takes a number from 100');
}

const { contenders, missing } = await loadContenders();
const measures = measuresWith(contenders, settings);
const names = Object.keys(measures).filter((name) => options.only === undefined || name === options.only);
if (names.length === 0) throw new BenchError(`--only takes one of ${Object.keys(measures).join(', ')}`);

say(`@isthmus/conflict ${measuredVersion()} on ${describeMachine()}`);
for (const note of missing) say(note);
const figures = [];
for (const name of names) {
  const activity = watchMachine();
  figures.push(...(await measures[name]()));
  say(`  ${describeActivity(activity())}`);
}
printGoals(figures);
// npm runs this in the package's folder; a file is meant from where the command was given.
if (options.json !== undefined) writeMeasures(resolve(process.env.INIT_CWD ?? '.', options.json), figures);
