/**
 * The results of a campaign as JSON lines, one for each run, so that a campaign that was interrupted goes on where it
 * was. A line that was cut off in the middle is dropped, and its run is made again.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { type RunResult, runResult } from './run-result.ts';

export function readResults(path: string): readonly RunResult[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').flatMap(parse);
}

export function addResult(path: string, result: RunResult): void {
  appendFileSync(path, `${JSON.stringify(result)}\n`);
}

function parse(line: string): readonly RunResult[] {
  try {
    return [runResult.parse(JSON.parse(line))];
  } catch (reason) {
    if (reason instanceof SyntaxError) return [];
    throw reason;
  }
}
