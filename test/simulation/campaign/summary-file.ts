/**
 * The file in which a campaign keeps what it came to. It is written again and again while seeds run, so that one that is
 * interrupted loses little, and the next run on the same engine goes on behind it, also on another machine.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { isSameCommit } from '../../place.ts';
import { type CampaignKind, drawnBy, drawnOtherwise, isDrawnAlike } from './drawn-by.ts';
import type { Summary } from './summary.ts';

const counts = z.record(z.string(), z.number());
const figures = z.object({
  virtualSeconds: z.number(),
  acknowledged: z.number(),
  overlappingFaults: z.number(),
});
const stored = z.object({
  commit: z.string(),
  /** The last one that took part. */
  machine: z.string(),
  options: drawnBy,
  seeds: z.number(),
  failed: z.number(),
  twice: z.number(),
  virtualSeconds: z.number(),
  acknowledged: z.number(),
  medians: figures,
  rate: z.number(),
  spent: z.object({ cpuSeconds: z.number(), virtualSeconds: z.number() }),
  ranges: z.array(z.tuple([z.number(), z.number()])),
  coverage: counts,
  histograms: z.object({ virtualSeconds: counts, acknowledged: counts, overlappingFaults: counts }),
});

export type StoredSummary = z.infer<typeof stored>;

/** What the path names is no summary that this campaign can go on from. */
export class SummaryFileError extends Error {
  override readonly name = 'SummaryFileError';

  constructor(path: string, detail: string) {
    super(`${path} is no summary to go on from: ${detail}`);
  }
}

/** `null`: there is no such file. Throws `SummaryFileError`. */
export function readSummary(path: string): StoredSummary | null {
  if (!existsSync(path)) return null;
  const parsed = stored.safeParse(parse(path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SummaryFileError(path, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** Whether it is of this engine; throws `SummaryFileError` where it is, and of other worlds. */
export function isContinued(path: string, found: CampaignKind, wanted: CampaignKind): boolean {
  if (!isSameCommit(found.commit, wanted.commit)) return false;
  if (isDrawnAlike(found.options, wanted.options)) return true;
  throw new SummaryFileError(path, drawnOtherwise(found.options, wanted.options));
}

/** Puts it in the place of what is there, so that a reader finds the one or the other. */
export function writeSummary(
  path: string,
  summary: Summary & CampaignKind & { readonly machine: string },
): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(summary)}\n`);
  renameSync(`${path}.new`, path);
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (reason) {
    if (reason instanceof SyntaxError) throw new SummaryFileError(path, reason.message);
    throw reason;
  }
}
