/**
 * The results of a campaign as JSON lines, one for each seed, so that a campaign that was interrupted goes on where it
 * was. Each line says of which engine it is and by which options its world was drawn. Those of another engine count for
 * nothing; those of other options end the reading, because the seeds would not run again under the options of this one.
 */
import { z } from 'zod';
import { JsonLines, JsonLinesError } from '../../json-lines.ts';
import { isSameCommit } from '../../place.ts';
import type { SeedResult } from '../seed-result.ts';
import { type CampaignKind, drawnBy, drawnByOf, drawnOtherwise, isDrawnAlike } from './drawn-by.ts';

const result = z.object({
  commit: z.string(),
  options: drawnBy,
  seed: z.number(),
  violations: z.array(z.object({ checker: z.string(), key: z.string(), detail: z.string() })),
  trace: z.string(),
  virtualMs: z.number(),
  tookMs: z.number(),
  cpuMs: z.number(),
  events: z.number(),
  acknowledged: z.number(),
  overlaps: z.number(),
  settledMs: z.number(),
  coverage: z.record(z.string(), z.number()),
  isTwice: z.boolean(),
});

export class ResultsFile {
  readonly #path: string;
  readonly #lines: JsonLines<z.infer<typeof result>>;
  readonly #kind: CampaignKind;

  constructor(path: string, { commit, options }: CampaignKind) {
    this.#path = path;
    this.#lines = new JsonLines(path, result);
    this.#kind = { commit, options: drawnByOf(options) };
  }

  /** Throws `JsonLinesError`. */
  read(): readonly SeedResult[] {
    const { commit, options } = this.#kind;
    const own = this.#lines.read().filter(({ value }) => isSameCommit(value.commit, commit));
    const other = own.find(({ value }) => !isDrawnAlike(value.options, options));
    if (other !== undefined)
      throw new JsonLinesError(this.#path, other.line, drawnOtherwise(other.value.options, options));
    return own.map(({ value }) => value);
  }

  add(found: SeedResult): void {
    this.#lines.add({ ...found, violations: [...found.violations], ...this.#kind });
  }
}
