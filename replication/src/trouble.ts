/**
 * What is done again and again and may fail for any length of time. The log gets one line when it begins to fail and one
 * when it works again, however often it fails in between; until then it is shown. What is no operating failure is a bug,
 * which goes on to whoever runs the work.
 */
import { ReplicationError } from './errors.ts';
import type { RegionId } from './ports/identity.ts';
import type { Logger } from './ports/logger.ts';

export interface TroubleOptions {
  readonly logger: Logger;
  /** Said when it begins to fail, and when it works again. */
  readonly fails: string;
  readonly works: string;
  /** Said with both. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export class Trouble {
  readonly #options: TroubleOptions;
  #failure: ReplicationError | null = null;

  constructor(options: TroubleOptions) {
    this.#options = options;
  }

  /** `null`: it works, as far as is known. */
  get failure(): ReplicationError | null {
    return this.#failure;
  }

  failed(reason: unknown): void {
    if (!(reason instanceof ReplicationError)) throw reason;
    const { logger, fails, fields } = this.#options;
    if (this.#failure === null) logger.warn({ ...fields, err: reason }, fails);
    this.#failure = reason;
  }

  worked(): void {
    const { logger, works, fields } = this.#options;
    if (this.#failure !== null) logger.info({ ...fields }, works);
    this.#failure = null;
  }
}

/**
 * Beats are not committed, progress is not told to peers, or that of a peer is not taken, or incidents are not
 * written down.
 */
export const troubleParts = ['beats', 'telling', 'hearing', 'incidents'] as const;

/** A part of this process that fails, for as long as it does. */
export interface TroubleView {
  readonly part: (typeof troubleParts)[number];
  /** Of which progress is not taken. */
  readonly peer: RegionId | null;
  readonly detail: string;
}

export function troubleOf(
  part: TroubleView['part'],
  peer: RegionId | null,
  failure: ReplicationError | null,
): readonly TroubleView[] {
  return failure === null ? [] : [{ part, peer, detail: failure.message }];
}
