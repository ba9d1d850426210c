/**
 * Mistakes in how a region leaves for good, or becomes another one: what is agreed about it, what is claimed for it, what it
 * had written alone, and what it holds of its former lives.
 */
import { type Mutant, suite } from './mutant.ts';

export const retirementMutants: readonly Mutant[] = [
  {
    name: 'closed donor not fenced',
    edits: [{ file: 'replication/dist/adapters/postgres/closed-donor.js', from: ' FOR SHARE', to: '' }],
    killer: suite('test/contract/retirement-store.test.ts'),
  },
  {
    name: 'retired while a survivor lacks some of it',
    edits: [
      {
        file: 'replication/src/tombstones/agreement.ts',
        from: 'return lacking(word.position, final) !== null;',
        to: 'return false;',
      },
    ],
    killer: suite('replication/src/tombstones/agreement.test.ts'),
  },
  {
    name: 'claimed while a survivor has more',
    edits: [
      {
        file: 'services/region/dist/admin/claim-check.js',
        from: 'lastOf(state, actor) > lastOf(own, actor)',
        to: 'lastOf(state, actor) < 0',
      },
    ],
    killer: suite('test/integration/claim-check.test.ts'),
  },
  {
    name: 'counter totals re-issued',
    edits: [
      {
        file: 'services/region/src/records/lost-edits.ts',
        from: 'by: numberIn(after, 0) - numberIn(before, 0)',
        to: 'by: numberIn(after, 0)',
      },
    ],
    killer: suite('services/region/src/records/lost-edits.test.ts'),
  },
  {
    name: 'an answer to a barrier not noted',
    edits: [
      {
        file: 'replication/dist/adapters/postgres/adopt.js',
        from: 'greatest(answered, (SELECT lsn FROM isthmus.beat',
        to: "greatest('0/0'::pg_lsn, (SELECT lsn FROM isthmus.beat",
      },
    ],
    killer: suite('test/contract/incarnation-store.test.ts'),
  },
  {
    name: 'a proven server renewed',
    edits: [
      {
        file: 'replication/src/identity/identity-guard.ts',
        from: "if ((await past.continuity()).kind !== 'unproven') return;",
        to: '',
      },
    ],
    killer: suite('replication/src/identity/identity-guard.test.ts'),
  },
  {
    name: 'a claim in the log passed over',
    edits: [
      {
        file: 'replication/src/identity/claim-tail.ts',
        from: 'if (claimed === null || claimed.counter <= self.incarnation.counter) return;',
        to: 'if (claimed === null || claimed.counter > self.incarnation.counter) return;',
      },
    ],
    killer: suite('replication/src/identity/claim-tail.test.ts'),
  },
  {
    name: 'the own log read from where a clock says',
    edits: [
      {
        file: 'replication/src/identity/own-log-proof.ts',
        from: 'recent !== tooShort ? recent : await this.#compareAll(past)',
        to: 'recent !== tooShort ? recent : hasPublished ? await this.#compareAll(past) : null',
      },
    ],
    killer: suite('replication/src/identity/own-log-proof.test.ts'),
  },
  {
    name: 'what a copy surely holds told by the wall clock',
    edits: [
      {
        file: 'replication/dist/adapters/postgres/adopt.js',
        from: 'WHERE number <= (SELECT max(number) FROM isthmus.beat) - ${marginBeats}',
        to: "WHERE at <= (SELECT max(at) FROM isthmus.beat) - interval '10 seconds'",
      },
    ],
    killer: suite('test/contract/incarnation-store.test.ts'),
  },
  {
    name: 'who goes on taken for what was on its way',
    edits: [
      {
        file: 'replication/src/identity/own-log-tail.ts',
        from: 'if (this.#heardAtMs > startedMs + onItsWayMs) return false;',
        to: 'if (this.#heardAtMs > startedMs + forMs) return false;',
      },
    ],
    killer: suite('replication/src/identity/own-log-tail.test.ts'),
  },
  {
    name: 'filled anew while a log is read',
    edits: [
      {
        file: 'replication/src/identity/relearning-judge.ts',
        from: 'if (relearning.fill !== null) return',
        to: "if (relearning.fill === '') return",
      },
    ],
    killer: suite(
      'replication/src/identity/relearning-judge.test.ts',
      'replication/src/identity/relearning.test.ts',
    ),
  },
  {
    name: 'nobody asked for what the own log has lost of the past',
    edits: [
      {
        file: 'replication/src/identity/relearning-judge.ts',
        from: 'const further = beyondKnown(view, isWhole ? unfetched : view.peers);',
        to: 'const further = beyondKnown(view, isWhole ? [] : view.peers);',
      },
    ],
    killer: suite('replication/src/identity/relearning-judge.test.ts'),
  },
  {
    name: 'what a peer may still hear counted as its last word on the past',
    edits: [
      {
        file: 'replication/src/identity/past-survey.ts',
        from: 'if (lacking(offer.vector, ownEntries(self, 1n)) !== null) return;',
        to: '',
      },
    ],
    killer: suite('replication/src/identity/past-survey.test.ts'),
  },
  {
    name: 'a promise about a former life of a peer given up without the word of that peer',
    edits: [
      {
        file: 'replication/src/identity/relearning-judge.ts',
        from: 'if (unsaid.length > 0)',
        to: 'if (unsaid.length < 0)',
      },
    ],
    killer: suite('replication/src/identity/relearning-judge.test.ts'),
  },
  {
    name: 'what a life has fetched told by the wall clock',
    edits: [
      {
        file: 'replication/src/identity/relearning.ts',
        from: '{ id, cause, isDryRun }: TransferJob, { firstJob }: Relearning',
        to: '{ wantedAtMs: id, cause, isDryRun }: TransferJob, { sinceMs: firstJob }: Relearning',
      },
    ],
    killer: suite('replication/src/identity/relearning.test.ts'),
  },
  {
    name: 'a life that goes on fetched like one that is over',
    edits: [
      {
        file: 'replication/src/transfer/ended-lives.ts',
        from: 'entry.incarnation.counter < present',
        to: 'entry.incarnation.counter <= present',
      },
    ],
    killer: suite('replication/src/transfer/ended-lives.test.ts'),
  },
  {
    name: 'filled anew whatever is lost by it',
    edits: [
      {
        file: 'replication/src/refill/judge-refill.ts',
        from: 'const loss = beyond(ours, held).filter((entry) => !isAtHome(entry, offers));',
        to: 'const loss = beyond([], held).filter((entry) => !isAtHome(entry, offers));',
      },
    ],
    killer: suite('replication/src/refill/judge-refill.test.ts'),
  },
  {
    name: 'two regions filled anew from each other',
    edits: [
      {
        file: 'replication/src/refill/survey.ts',
        from: '(offer === null || offer.mayBeEmptied ? [] : offer)',
        to: '(offer === null ? [] : offer)',
      },
    ],
    killer: suite('replication/src/refill/survey.test.ts'),
  },
  {
    name: 'writes taken away for a refill that was refused',
    edits: [
      {
        file: 'replication/dist/adapters/postgres/refill-store.js',
        from: "SELECT FROM isthmus.refill WHERE state = 'securing' FOR SHARE",
        to: 'SELECT FROM isthmus.refill FOR SHARE',
      },
    ],
    killer: suite('test/contract/refill-store.test.ts'),
  },
  {
    name: 'drained while an old connection may still write',
    edits: [
      {
        file: 'replication/dist/adapters/postgres/drain-store.js',
        from: '${backend} = ANY (drained_from))`',
        to: '${backend} = ANY (drained_from) AND false)`',
      },
    ],
    killer: suite('test/contract/drain-store.test.ts'),
  },
  {
    name: 'a verdict that the process alone knows',
    edits: [
      {
        file: 'replication/src/identity/identity-guard.ts',
        from: 'await this.#options.past.hold(reason);',
        to: 'await Promise.resolve(reason);',
      },
    ],
    killer: suite('replication/src/identity/identity-guard.test.ts'),
  },
];
