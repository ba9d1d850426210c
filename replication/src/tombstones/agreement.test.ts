import { expect, test } from 'vitest';
import { parseRegionId, type RegionId } from '../ports/identity.ts';
import type { RetirementWord } from '../ports/retirement-witness.ts';
import { judgeWords } from './agreement.ts';

const region = (name: string): RegionId => parseRegionId(name) ?? expect.fail(`${name} is a region`);
const [ap, eu, sa, us] = [region('ap'), region('eu'), region('sa'), region('us')];
const incarnation = { counter: 1, nonce: 1 };
const entry = (lsn: bigint, partition = 0) => ({ region: ap, incarnation, partition, lsn });

function word(changes: Partial<RetirementWord> = {}): RetirementWord {
  return { survivors: [eu, us], position: [entry(9n)], wish: null, agreed: null, ...changes };
}

const words = (...said: readonly (readonly [RegionId, RetirementWord])[]) => new Map(said);

test('nobody decides before every survivor has said a word', () => {
  expect(judgeWords([us, eu], words([eu, word()]))).toEqual({ kind: 'waits', for: [us] });
});

test('nobody decides before every survivor has what the others have (P8)', () => {
  const ahead = word({ position: [entry(9n), entry(3n, 1)] });
  expect(judgeWords([eu, us], words([eu, word()], [us, ahead]))).toEqual({ kind: 'waits', for: [eu] });
  const crossed = word({ position: [entry(8n), entry(4n, 1)] });
  expect(judgeWords([eu, us], words([eu, crossed], [us, ahead]))).toEqual({ kind: 'waits', for: [eu, us] });
});

test('nobody decides with one who counts others among the survivors, fewer or more', () => {
  for (const survivors of [[us], [us, eu, sa]])
    expect(judgeWords([eu, us], words([eu, word()], [us, word({ survivors })]))).toEqual({
      kind: 'waits',
      for: [us],
    });
});

test('the first survivor by name inherits, or the first that somebody wishes for', () => {
  const heirOf = (first: RegionId | null, second: RegionId | null) => {
    const said = words([us, word({ wish: second })], [eu, word({ wish: first })]);
    const judged = [judgeWords([eu, us], said), judgeWords([us, eu], said)];
    expect(judged[0]).toEqual(judged[1]);
    return judged[0]?.kind === 'agreed' ? judged[0].agreement.heir : null;
  };
  expect(heirOf(null, null)).toBe(eu);
  expect(heirOf(us, null)).toBe(us);
  expect(heirOf(null, us)).toBe(us);
  expect(heirOf(us, eu)).toBe(eu);
  expect(heirOf(sa, us)).toBe(us);
  expect(heirOf(sa, null)).toBe(eu);
});

test('what was agreed on before is taken over, whoever is missing', () => {
  const agreed = { final: [entry(9n)], heir: us };
  const taken = { kind: 'agreed', agreement: agreed };
  expect(judgeWords([eu, sa, us], words([us, word({ agreed })]))).toEqual(taken);
  expect(judgeWords([eu, us], words([sa, word({ agreed })]))).toEqual({ kind: 'waits', for: [eu, us] });
});
