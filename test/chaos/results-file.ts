/**
 * The results of a campaign as JSON lines, one for each run, so that a campaign that was interrupted goes on where it
 * was. The page about the tests shows all of them; a campaign goes on from those of its own commit, because others say
 * nothing about what runs now.
 */
import { JsonLines } from '../json-lines.ts';
import { isSameCommit } from '../place.ts';
import { type RunResult, runResult } from './run-result.ts';

/** Throws `JsonLinesError`. */
export function readResults(path: string): readonly RunResult[] {
  return resultsFile(path)
    .read()
    .map(({ value }) => value);
}

export function resultsFile(path: string): JsonLines<RunResult> {
  return new JsonLines(path, runResult);
}

export interface Known {
  /** Are not run again. */
  readonly taken: readonly RunResult[];
  readonly leftAside: readonly RunResult[];
}

export function takenFrom(
  results: readonly RunResult[],
  { commit, isAnyCommit }: { readonly commit: string; readonly isAnyCommit: boolean },
): Known {
  const isTaken = (result: RunResult): boolean => isAnyCommit || isSameCommit(result.commit, commit);
  return {
    taken: results.filter(isTaken),
    leftAside: results.filter((result) => !isTaken(result)),
  };
}
