/**
 * `npm run loadtest`: measures the path from a write to its visibility at a peer, beside raw Postgres and Postgres's own
 * replication on the same servers. Progress goes to standard error, the report to standard output. It exits with 0 when
 * every scenario gave its figures, 1 when one failed, 2 on wrong usage; whether goals are met does not decide.
 */
import { writeFile } from 'node:fs/promises';
import { runCampaign } from './campaign.ts';
import { readConfig } from './config.ts';
import { LoadError } from './errors.ts';
import { readOptions, usage } from './options.ts';
import { htmlOf } from './report/html.ts';
import { jsonOf, type Report, textOf } from './report.ts';
import { whyNotWritable } from './writable.ts';

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(usage);
    return 0;
  }
  const options = readOptions(args, readConfig().demo);
  const unwritable = options.jsonFile === null ? null : whyNotWritable('--json', options.jsonFile);
  if (unwritable !== null) throw new LoadError('wrong-usage', unwritable);
  const report = await runCampaign(options, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(textOf(report));
  if (options.jsonFile !== null) await write(report, options.jsonFile);
  return report.sections.some(({ failure }) => failure !== null) ? 1 : 0;
}

async function write(report: Report, jsonFile: string): Promise<void> {
  const htmlFile = `${jsonFile.replace(/\.json$/, '')}.html`;
  await writeFile(jsonFile, jsonOf(report));
  await writeFile(htmlFile, htmlOf(report));
  process.stderr.write(`Written: ${jsonFile} and ${htmlFile}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof LoadError)) throw error;
  process.stderr.write(`${error.message}\n${error.code === 'wrong-usage' ? usage : ''}`);
  process.exitCode = error.code === 'wrong-usage' ? 2 : 1;
}
