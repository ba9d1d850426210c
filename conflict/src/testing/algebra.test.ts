/** The laws of the join over states and deltas from histories by chance, for every type and for records of all types. */
import fc from 'fast-check';
import { hasSeen, joinSeen } from '../causal/seen.ts';
import { describe, expect, test } from 'vitest';
import { decode, encode } from '../record/decoded-record.ts';
import { inspect } from '../record/inspect.ts';
import { merge } from '../record/merge.ts';
import { schema } from '../record/schema.ts';
import { contextOf, liveHash, version } from '../record/summary.ts';
import { yjsText } from '../text/yjs-text.ts';
import type { Fact } from './fact.ts';
import { type HistoryReport, runHistory } from './history.ts';
import { Knowledge } from './knowledge.ts';
import { fieldsOfOneType } from './one-type.ts';
import { Random } from './random.ts';

interface Piece {
  readonly bytes: Uint8Array;
  readonly facts: ReadonlySet<Fact>;
}

type Three = readonly [a: Piece, b: Piece, c: Piece];

const nothing: Uint8Array = new Uint8Array(0);
const everything = Object.assign(
  {},
  ...Object.entries(fieldsOfOneType).map(([type, fields]) => renamed(type, fields)),
);

function renamed(type: string, fields: object) {
  const prefix = type.replaceAll(' ', '');
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [prefix + name, field]));
}

/** States and deltas of one record. */
function piecesOf({ replicas, edits }: HistoryReport): readonly Piece[] {
  const states = replicas.map(({ state, known }) => ({ bytes: state, facts: known.facts }));
  return [...states, ...edits.map(({ delta, facts }) => ({ bytes: delta, facts }))];
}

function join(...all: readonly Uint8Array[]): Uint8Array {
  return all.reduce((state, bytes) => merge(state, bytes).state, nothing);
}

describe.each(['add-wins', 'last-writer-wins'] as const)('%s', (deletes) => {
  describe.each([...Object.entries(fieldsOfOneType), ['record of all types', everything] as const])(
    '%s',
    (_type, fields) => {
      const type = schema(fields, { deletes, text: yjsText });

      const played = new Map<number, HistoryReport>();

      /** All laws are asked of the same histories. */
      function historyOf(seed: number): HistoryReport {
        const history =
          played.get(seed) ??
          runHistory({ seed, steps: 40, replicas: 3, schema: type, settles: false, collectsApart: false });
        played.set(seed, history);
        return history;
      }

      function holds(law: (history: HistoryReport, random: Random) => void): void {
        const seeds = fc.noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 }));
        fc.assert(
          fc.property(seeds, (seed) => law(historyOf(seed), new Random(seed))),
          { numRuns: 5, seed: 2 },
        );
      }

      /** Asks a law of a few threes out of each history. */
      function holdsOfThree(law: (three: Three) => void): void {
        holds((history, random) => {
          const pieces = piecesOf(history);
          for (let round = 0; round < 12; round++) {
            const [a, b, c] = random.shuffled(pieces);
            if (a !== undefined && b !== undefined && c !== undefined) law([a, b, c]);
          }
        });
      }

      test('merge is commutative', () => {
        holdsOfThree(([a, b]) => expect(join(a.bytes, b.bytes)).toEqual(join(b.bytes, a.bytes)));
      });

      test('merge is associative', () => {
        holdsOfThree(([a, b, c]) => {
          const left = merge(join(a.bytes, b.bytes), c.bytes).state;
          expect(left).toEqual(merge(a.bytes, join(b.bytes, c.bytes)).state);
        });
      });

      test('merge is idempotent, and gives back the same reference when nothing changed', () => {
        holdsOfThree(([a, b]) => {
          const both = join(a.bytes, b.bytes);
          for (const bytes of [a.bytes, b.bytes, both, both.slice()]) {
            const again = merge(both, bytes);
            expect(again.state).toBe(both);
            expect(again.changed).toBe(false);
          }
        });
      });

      test('merge is monotone: what was seen stays seen, and what has gone stays gone', () => {
        holdsOfThree(([a, b]) => {
          const both = join(a.bytes, b.bytes);
          const [left, right, union] = [a.bytes, b.bytes, both].map((bytes) => decode(bytes));
          if (left === undefined || right === undefined || union === undefined) return expect.fail('three');
          expect(union.context).toEqual(joinSeen(left.context, right.context));
          for (const side of [left, right]) {
            const held = new Set(side.entries.map(({ key, actor, counter }) => `${key} ${actor} ${counter}`));
            for (const entry of union.entries) {
              const isKnown = held.has(`${entry.key} ${entry.actor} ${entry.counter}`);
              expect(isKnown || !hasSeen(side.context, entry)).toBe(true);
            }
          }
        });
      });

      test('a delta is worth the state after its edit, wherever what the edit saw is known', () => {
        holds((history, random) => {
          const pieces = piecesOf(history);
          for (const { before, delta, after } of history.edits) {
            const state = join(before, random.anyOf(pieces)?.bytes ?? nothing);
            expect(merge(state, delta).state).toEqual(merge(state, after).state);
          }
        });
      });

      test('any part of the deltas gives the same bytes in any order', () => {
        holds(({ edits }, random) => {
          const deltas = edits.map(({ delta }) => delta);
          for (let round = 0; round < 12; round++) {
            const part = random.shuffled(deltas).slice(0, random.below(deltas.length + 1));
            const states = [part, part.toReversed(), random.shuffled(part)].map((each) => join(...each));
            expect(states[1]).toEqual(states[0]);
            expect(states[2]).toEqual(states[0]);
          }
        });
      });

      test('states are canonical bytes, whatever order their parts are in', () => {
        holdsOfThree(([a, b]) => {
          const bytes = join(a.bytes, b.bytes);
          const { minor, context, entries } = decode(bytes);
          expect(encode({ minor, context, entries: entries.toReversed() })).toEqual(bytes);
        });
      });

      test('equal facts make equal bytes, versions and hashes; other facts make other bytes', () => {
        holdsOfThree(([a, b, c]) => {
          const [abc, cab] = [join(a.bytes, b.bytes, c.bytes), join(c.bytes, a.bytes, b.bytes)];
          expect(cab).toEqual(abc);
          expect(version(cab)).toBe(version(abc));
          expect(liveHash(cab, 'r')).toEqual(liveHash(abc, 'r'));
          const isKnown = new Knowledge([...a.facts, ...b.facts]).knows(c.facts);
          expect(Buffer.compare(join(a.bytes, b.bytes), abc) === 0).toBe(isKnown);
        });
      });

      test('the last dot of an edit belongs to no entry, and a delta claims no dot of others but what it names', () => {
        holds(({ edits }) => {
          for (const { before, delta } of edits) {
            const entries = inspect(delta).fields.flatMap((field) => field.entries);
            const [seen, claims] = [contextOf(before), contextOf(delta)];
            const authors = [...claims.actors()].filter((actor) => claims.last(actor) > seen.last(actor));
            expect(authors.length).toBe(1);
            const [author = ''] = authors;
            const last = { actor: author, counter: claims.last(author) };
            expect(
              entries.some(({ actor, counter }) => actor === last.actor && counter === last.counter),
            ).toBe(false);
            for (const { actor, counter } of entries) expect(claims.has({ actor, counter })).toBe(true);
          }
        });
      });
    },
  );
});
