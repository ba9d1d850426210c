/** Mistakes in how a region leaves for good: what is agreed about it, what is claimed for it, what it had written alone. */
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
];
