/** What one run of a scenario came to, as it is printed, kept and read again. */
import { z } from 'zod';

const violation = z.object({ checker: z.string(), key: z.string(), detail: z.string() });

export const runResult = z.object({
  scenario: z.string(),
  row: z.number(),
  seed: z.number(),
  commit: z.string(),
  machine: z.string(),
  startedAt: z.string(),
  tookMs: z.number(),
  outcome: z.enum(['passed', 'failed', 'not staged']),
  /** Why it could not be staged, or what broke; empty: nothing. */
  reason: z.string(),
  /** What shows that the fault fired. */
  proof: z.string(),
  windows: z.array(z.object({ fault: z.string(), tookMs: z.number(), acknowledged: z.number() })),
  /** By kind and result. */
  operations: z.record(z.string(), z.record(z.string(), z.number())),
  convergedMs: z.number().nullable(),
  /** Of ages, and how many numbers of changes, among them how many backlogs. */
  gauges: z.object({
    readings: z.number(),
    worstMs: z.number(),
    counts: z.number().default(0),
    backlogs: z.number().default(0),
  }),
  violations: z.array(violation),
});

export type RunResult = z.infer<typeof runResult>;
