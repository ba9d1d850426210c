/**
 * Tries changes again that were put aside. Those whose stamps lay too far ahead are tried by themselves once the
 * region's clock has caught up with them (P3), many of a partition in one transaction and in the order of its log; any
 * other waits for a person. A change is judged exactly as when it arrived, so a retry can end in another dead letter but
 * never in a clamped stamp or a skipped change.
 */
import type { AgendaTurns, AgendaWatch } from '../agenda-watch.ts';
import { checkedMerge } from '../checked-merge.ts';
import { ReplicationError } from '../errors.ts';
import { orNextTurn } from '../next-turn.ts';
import type { Agenda } from '../ports/agenda-store.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  DeadLetterPlace,
  DeadLetterStore,
  DueDeadLetter,
  RetryDecision,
} from '../ports/dead-letter-store.ts';
import type { Logger } from '../ports/logger.ts';
import { cutAtCommit } from './batch.ts';

const intervalMs = 1000;
const lettersAtOnce = 2000;
/** What one transaction takes, as far as it is cut between commits. */
const transactionLetters = 500;
const transactionBytes = 4 * 1024 * 1024;

export interface RetryOptions {
  readonly letters: Pick<DeadLetterStore, 'due' | 'retry'>;
  readonly clock: Clock;
  readonly maxDriftMs: number;
}

export type RetryReport =
  | { readonly outcome: 'applied' }
  | { readonly outcome: 'gone' }
  /** Still put aside, and why. */
  | { readonly outcome: 'kept'; readonly cause: string; readonly detail: string };

/** With `dryRun` it says what would come of it and changes nothing. */
export async function retryDeadLetter(
  { letters, clock, maxDriftMs }: RetryOptions,
  place: DeadLetterPlace,
  dryRun: boolean,
): Promise<RetryReport> {
  let decided: RetryDecision = { kind: 'leave' };
  const [outcome] = await letters.retry([place], (state, delta) => {
    decided = retryDecision(state, delta, clock.nowMs() + maxDriftMs);
    return dryRun ? { kind: 'leave' } : decided;
  });
  if (outcome === 'gone') return { outcome: 'gone' };
  if (outcome === 'unnameable')
    return { outcome: 'kept', cause: 'too-large', detail: 'its name is too long' };
  return reportOf(decided);
}

function reportOf(decided: RetryDecision): RetryReport {
  if (decided.kind !== 'keep') return { outcome: 'applied' };
  return { outcome: 'kept', cause: decided.cause, detail: decided.detail };
}

function retryDecision(
  state: Uint8Array,
  delta: Uint8Array,
  latestStampMs: number,
): Exclude<RetryDecision, { readonly kind: 'leave' }> {
  const attempt = checkedMerge(state, delta, latestStampMs);
  if (attempt.kind === 'merged') return { kind: 'apply', state: attempt.state, conflicts: attempt.conflicts };
  const { cause, detail, stampMs } = attempt;
  return { kind: 'keep', cause, detail, stampMs };
}

export interface ReleaseOptions extends RetryOptions {
  readonly agenda: Pick<AgendaWatch, 'turns'>;
  readonly logger: Logger;
}

/** Runs in the process that replicates. */
export class DeadLetterRelease {
  readonly #options: ReleaseOptions;
  readonly #turns: AgendaTurns;
  #isStopped = false;

  constructor(options: ReleaseOptions) {
    this.#options = options;
    const { agenda, logger } = options;
    const run = orNextTurn(
      (read: Agenda) => this.#turn(read),
      (err) => logger.warn({ err }, 'changes put aside for their stamps wait for the next turn'),
    );
    this.#turns = agenda.turns({ intervalMs, run });
  }

  start(): void {
    this.#turns.start();
  }

  /** Resolves when no retry is in flight. */
  stop(): Promise<void> {
    this.#isStopped = true;
    return this.#turns.stop();
  }

  async #turn({ letters: { leastStampMs } }: Agenda): Promise<void> {
    const { clock, maxDriftMs } = this.#options;
    if (leastStampMs === null || leastStampMs > clock.nowMs() + maxDriftMs) return;
    const applied = await this.#release();
    if (applied > 0) this.#options.logger.info({ applied }, 'changes put aside for their stamps are applied');
  }

  /** One batch after the other, until none is due. */
  async #release(): Promise<number> {
    const { letters, clock, maxDriftMs } = this.#options;
    let applied = 0;
    for (;;) {
      const due = await letters.due(clock.nowMs() + maxDriftMs, lettersAtOnce);
      let hasFailed = false;
      for (const batch of batchesOf(due)) {
        const released = await this.#releaseAll(batch);
        if (released === null) hasFailed = true;
        else applied += released;
      }
      if (this.#isStopped || hasFailed || due.length < lettersAtOnce) return applied;
    }
  }

  /** `null`: it failed and waits for the next turn. None of other partitions and origins waits for it. */
  async #releaseAll(batch: readonly DueDeadLetter[]): Promise<number | null> {
    try {
      return await this.#releaseInParts(batch);
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      const { origin, partition } = batch[0] ?? {};
      this.#options.logger.warn(
        { err: reason, origin, partition },
        'changes put aside for their stamps wait for the next turn',
      );
      return null;
    }
  }

  /** In halves where the records of all are too large for one transaction, between commits where that is possible. */
  async #releaseInParts(batch: readonly DueDeadLetter[]): Promise<number> {
    if (this.#isStopped) return 0;
    const { letters, clock, maxDriftMs } = this.#options;
    try {
      const outcomes = await letters.retry(batch, (state, delta) =>
        retryDecision(state, delta, clock.nowMs() + maxDriftMs),
      );
      return outcomes.filter((outcome) => outcome === 'applied').length;
    } catch (reason) {
      const isTooLarge = reason instanceof ReplicationError && reason.code === 'transaction-too-large';
      if (!isTooLarge || batch.length === 1) throw reason;
    }
    const half = Math.floor(batch.length / 2);
    const atCommit = cutAtCommit(batch, half);
    const count = atCommit < batch.length ? atCommit : half;
    return (
      (await this.#releaseInParts(batch.slice(0, count))) + (await this.#releaseInParts(batch.slice(count)))
    );
  }
}

/** Each of one partition, in the order of its log. */
function batchesOf(due: readonly DueDeadLetter[]): readonly (readonly DueDeadLetter[])[] {
  const partitions = new Map<string, DueDeadLetter[]>();
  for (const letter of due) {
    const { origin, incarnation, partition } = letter;
    const name = [origin, incarnation.counter, incarnation.nonce, partition].join(' ');
    const others = partitions.get(name);
    if (others === undefined) partitions.set(name, [letter]);
    else others.push(letter);
  }
  return [...partitions.values()].flatMap((letters) => cut(letters.toSorted(byPlace)));
}

function byPlace(a: DueDeadLetter, b: DueDeadLetter): number {
  return Number(a.lsn > b.lsn) - Number(a.lsn < b.lsn) || a.index - b.index;
}

function cut(letters: readonly DueDeadLetter[]): readonly (readonly DueDeadLetter[])[] {
  const batches: (readonly DueDeadLetter[])[] = [];
  for (let rest = letters; rest.length > 0; ) {
    const count = cutAtCommit(rest, fitting(rest));
    batches.push(rest.slice(0, count));
    rest = rest.slice(count);
  }
  return batches;
}

/** How many of the first one transaction takes; at least one. */
function fitting(letters: readonly DueDeadLetter[]): number {
  let bytes = 0;
  let count = 0;
  for (const { byteCount } of letters.slice(0, transactionLetters)) {
    bytes += byteCount;
    if (count > 0 && bytes > transactionBytes) break;
    count++;
  }
  return count;
}
