/** Prints where the time of one CPU profile went: `node loadtest/dist/profile/main.js FILE [LINES]`. */
import { readFile } from 'node:fs/promises';
import { type Share, summaryOf } from './summary.ts';

const defaultLines = 30;
const [file = '', lines = String(defaultLines)] = process.argv.slice(2);

function table(title: string, shares: readonly Share[]): string {
  const rows = shares
    .slice(0, Number(lines))
    .map(
      ({ name, ms, share }) =>
        `${(share * 100).toFixed(1).padStart(6)}%  ${ms.toFixed(0).padStart(7)} ms  ${name}`,
    );
  return `${[title, ...rows].join('\n')}\n`;
}

if (file === '') {
  process.stderr.write('usage: node loadtest/dist/profile/main.js FILE [LINES]\n');
  process.exitCode = 2;
} else {
  const { busyMs, areas, functions } = summaryOf(await readFile(file, 'utf8'));
  process.stdout.write(`busy for ${busyMs.toFixed(0)} ms\n`);
  process.stdout.write(table('by package and file', areas));
  process.stdout.write(table('by function', functions));
}
