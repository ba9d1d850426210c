/** Whole records taken apart, and what comes of merging each two of a family. */
import { hexOf } from '../fuzz/hex.ts';
import { decode } from '../record/decoded-record.ts';
import { type Entry, namesOfPath, stampOf } from '../record/entry.ts';
import { merge } from '../record/merge.ts';
import { contextOf, liveHash, version } from '../record/summary.ts';
import { textOf } from '../codec/utf8.ts';
import { addWins, families } from './families.ts';
import type { VectorFile } from './vector-file.ts';

const liveName = 'orders/17';

export function recordVectors(): VectorFile {
  const vectors = families().flatMap((family) =>
    [...family.members].map(([name, bytes]) => ({ name: `${family.name}: ${name}`, ...takenApart(bytes) })),
  );
  return {
    name: 'records',
    about: 'hex: a state or a delta; the rest: what it holds and shows',
    common: { fields: addWins.fields, liveName },
    vectors: [{ name: 'nothing', ...takenApart(new Uint8Array(0)) }, ...vectors],
  };
}

function takenApart(bytes: Uint8Array): object {
  const { minor, entries } = decode(bytes);
  const { exists, value, siblings } = addWins.read(bytes);
  return {
    hex: hexOf(bytes),
    minor,
    context: contextRows(bytes),
    entries: entries.map(entryRow),
    exists,
    value,
    siblings,
    version: version(bytes),
    liveHash: hexOf(liveHash(bytes, liveName)),
  };
}

function contextRows(bytes: Uint8Array): readonly object[] {
  const context = contextOf(bytes);
  return [...context.actors()].map((actor) => ({ actor, ...context.seenOf(actor) }));
}

function entryRow(entry: Entry): object {
  const { path, tag, sub, actor, counter, payload } = entry;
  return {
    path: namesOfPath(path),
    tag: tag.toString(16),
    sub: hexOfBinary(sub),
    actor: textOf(actor),
    counter,
    payload: hexOfBinary(payload),
    stamp: stampOf(entry),
  };
}

function hexOfBinary(binary: string): string {
  return hexOf(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

export function mergeVectors(): VectorFile {
  const vectors = families().flatMap((family) => {
    const members = [...family.members];
    return members.flatMap(([name, bytes], index) =>
      members.slice(index + 1).map(([otherName, other]) => {
        const { state, conflicts } = merge(bytes, other);
        return {
          name: `${family.name}: ${name}, ${otherName}`,
          a: hexOf(bytes),
          b: hexOf(other),
          join: hexOf(state),
          conflicts,
        };
      }),
    );
  });
  return {
    name: 'merges',
    about: 'join: what a and b make, in either order; conflicts: of merging b into a',
    vectors,
  };
}
