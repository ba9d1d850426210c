/** The history of a run as JSON lines in the order of one monotonic clock: calls, answers, and faults as they came. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ran } from './run.ts';

export interface HistoryPlace {
  readonly folder: string;
  readonly name: string;
}

/** Resolves with its path. */
export function writeHistory(
  { folder, name }: HistoryPlace,
  { history, stage }: Pick<Ran, 'history' | 'stage'>,
): string {
  const calls = history.flatMap((event) => {
    const { process, region, operation, result, status } = event;
    const { kind: f, ...rest } = operation;
    const common = { process, region, f, collection: 'products', ...rest };
    return [
      { t: event.invokedAtMs, type: 'invoke', ...common },
      { t: event.completedAtMs, type: result, ...common, http: status },
    ];
  });
  const faults = stage.windows.flatMap(({ fault, fromMs, toMs, acknowledged }) => [
    { t: fromMs, type: 'fault-start', fault },
    { t: toMs, type: 'fault-stop', fault, acknowledged },
  ]);
  const lines = [...calls, ...faults].toSorted((one, other) => one.t - other.t);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.jsonl`);
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}
