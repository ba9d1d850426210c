/**
 * What the load test and its engine writer tell each other. Both sides parse what they receive. Payload is the sum of
 * the deltas' bytes, as the engine emits them: not the records', and not what a log adds to them.
 */
import { z } from 'zod';

const latency = z.object({
  count: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  maxMs: z.number(),
  curve: z.array(z.tuple([z.number(), z.number()])),
});

export const toWriter = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('open'),
    database: z.string(),
    region: z.string(),
    peers: z.array(z.string()),
    seed: z.number(),
    keyCount: z.number(),
  }),
  /** From now on draws from so many keys, anew; answered as the opening is. */
  z.object({ kind: z.literal('keys'), keyCount: z.number() }),
  /** As many writes as stated, as fast as the engine takes them. */
  z.object({ kind: z.literal('write'), count: z.number() }),
  /** At a set rate for a time. */
  z.object({ kind: z.literal('run'), ratePerS: z.number(), durationMs: z.number() }),
  /** For a time by so many callers, each waiting for its answer. */
  z.object({ kind: z.literal('callers'), callers: z.number(), durationMs: z.number() }),
  z.object({ kind: z.literal('close') }),
]);

export const fromWriter = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('opened'), meanBytes: z.number() }),
  /** Since the order was given. */
  z.object({ kind: z.literal('progress'), acknowledged: z.number() }),
  z.object({
    kind: z.literal('done'),
    due: z.number(),
    acknowledged: z.number(),
    failed: z.number(),
    dropped: z.number(),
    elapsedMs: z.number(),
    payloadBytes: z.number(),
    latency: latency.nullable(),
    firstFailure: z.string().nullable(),
  }),
]);

export type ToWriter = z.infer<typeof toWriter>;
export type FromWriter = z.infer<typeof fromWriter>;
export type WriterDone = Extract<FromWriter, { kind: 'done' }>;
