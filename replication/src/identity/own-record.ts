/**
 * What a record of the own log says about the own database (P1). Pure. The log holds only what some database of ours
 * committed, so whatever of our incarnation lies in it and not in the database is proof that the database has lost it,
 * or that another one writes in our name. A judgement is about contents alone: positions of a restored database begin
 * again below those of the log and later pass them.
 */
import type { LogRecord, PlacedChange } from '../log/log-record.ts';
import type { Beat } from '../ports/change.ts';
import { type Incarnation, sameIncarnation } from '../ports/identity.ts';

export interface OwnPast {
  readonly incarnation: Incarnation;
  /** `null`: the database has never written one. */
  readonly newestBeat: Beat | null;
}

export type OwnRecord =
  /** Of an earlier incarnation, or nothing in it is newer than what the database surely holds. */
  | { readonly kind: 'known' }
  /** The database continues its past only if it has these beats, and these changes merge without effect. */
  | { readonly kind: 'claim'; readonly beats: readonly Beat[]; readonly changes: readonly PlacedChange[] }
  | { readonly kind: 'foreign'; readonly reason: string };

export function judgeOwnRecord(past: OwnPast, record: LogRecord): OwnRecord {
  const { incarnation, newestBeat } = past;
  if (!sameIncarnation(record.incarnation, incarnation)) {
    if (record.incarnation.counter < incarnation.counter) return { kind: 'known' };
    return foreign(`the own log goes on under incarnation ${show(record.incarnation)}`);
  }
  if (record.kind === 'start') return { kind: 'known' };
  const beyond = record.beats.find(({ number }) => newestBeat === null || number > newestBeat.number);
  if (beyond !== undefined) {
    return foreign(
      `the own log holds beat ${beyond.number}, the database none after ${newestBeat?.number ?? 0}`,
    );
  }
  // The beat's place was read before its transaction began, so what committed before it lies below.
  const changes = record.changes.filter(({ lsn }) => newestBeat === null || lsn > newestBeat.lsn);
  const isKnown = record.beats.length === 0 && changes.length === 0;
  return isKnown ? { kind: 'known' } : { kind: 'claim', beats: record.beats, changes };
}

/** What is wrong with beats of the log, given those of the same numbers that the database keeps; `null`: nothing. */
export function judgeBeats(told: readonly Beat[], kept: readonly Beat[]): string | null {
  const byNumber = new Map(kept.map((beat) => [beat.number, beat]));
  for (const { number, lsn } of told) {
    const own = byNumber.get(number);
    if (own !== undefined && own.lsn !== lsn)
      return `beat ${number} of the own log is another than the database's`;
  }
  return null;
}

function foreign(reason: string): OwnRecord {
  return { kind: 'foreign', reason };
}

function show({ counter, nonce }: Incarnation): string {
  return `${counter}.${nonce.toString(16).padStart(8, '0')}`;
}
