/**
 * `npm run mutants`: shows that the suites can fail. It breaks a copy of the built repository in one way at a time and
 * looks whether anything notices, alone and without the nets that repair (transfers, sweeps). First it looks at the
 * whole copy, in which nothing may be noticed. A mutant that survives alone means that the suites are too weak, and
 * ends the program with 1; so does one that survives without nets.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { whyNotWritable } from '@isthmus/loadtest/writable';
import { JsonLinesError } from '../json-lines.ts';
import { commit } from '../place.ts';
import { BrokenTree, root } from './broken-tree.ts';
import { describe, type Fate, FatesFile, readFates, tableOf } from './fates.ts';
import { hunt, type Setting } from './hunt.ts';
import { mutants } from './mutant-list.ts';
import { type Mutant, seeds, suite } from './mutant.ts';
import { type MutantOptions, readMutantOptions, usage } from './options.ts';

/** As many as kill nearly every mutant. */
const wholeSeeds = 40;
const listPath = join(root, 'test/mutants.json');
const pagePath = join(root, 'test/simulation/README.md');
const marks = ['<!-- kills -->', '<!-- end of kills -->'] as const;

async function main(): Promise<void> {
  const options = readMutantOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${usage}`);
    process.exitCode = 2;
    return;
  }
  const strange = options.only.find((wanted) => mutants.every(({ name }) => name !== wanted));
  if (strange !== undefined) {
    process.stderr.write(`there is no mutant "${strange}"\n`);
    process.exitCode = 2;
    return;
  }
  const unwritable = options.results === null ? null : whyNotWritable('--results', options.results);
  if (unwritable !== null) {
    process.stderr.write(`${unwritable}\n`);
    process.exitCode = 2;
    return;
  }
  const chosen = mutants.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const tree = new BrokenTree();
  try {
    await all(tree, chosen, options);
  } catch (reason) {
    if (!(reason instanceof JsonLinesError)) throw reason;
    process.stderr.write(`${reason.message}\n`);
    process.exitCode = 2;
  } finally {
    tree.remove();
  }
}

async function all(tree: BrokenTree, chosen: readonly Mutant[], options: MutantOptions): Promise<void> {
  const at = commit();
  const file = options.results === null ? null : new FatesFile(options.results);
  const known = file?.read(at) ?? [];
  if (known.length === 0 && !(await isWhole(tree, chosen))) return;
  const fates: Fate[] = [];
  for (const [index, mutant] of chosen.entries())
    for (const setting of settingsOf(mutant)) {
      const before = known.find(
        (fate) => fate.name === mutant.name && fate.setting === setting && isFinal(fate, options),
      );
      const fate =
        before ?? (await fateOf(tree, mutant, { commit: at, setting, maxSeeds: options.maxSeeds }));
      if (before === undefined) file?.add(fate);
      fates.push(fate);
      say(`${index + 1}/${chosen.length} ${mutant.name}, ${setting}: ${describe(fate)}`);
    }
  const survivors = fates.filter(({ kill }) => kill === null);
  say(`${chosen.length} mutants, ${survivors.length} survived`);
  if (options.isWritten) write(merged(readFates(listPath), fates));
  if (survivors.length > 0) process.exitCode = 1;
}

/** More seeds may still find one that survived fewer. */
function isFinal({ kill, maxSeeds }: Fate, wanted: Pick<MutantOptions, 'maxSeeds'>): boolean {
  return kill !== null || maxSeeds >= wanted.maxSeeds;
}

/** A copy in which something fails by itself would kill everything. */
async function isWhole(tree: BrokenTree, chosen: readonly Mutant[]): Promise<boolean> {
  const tests = new Set(chosen.flatMap(({ killer }) => (killer.kind === 'suite' ? killer.tests : [])));
  const isSeeded = chosen.some(({ killer }) => killer.kind === 'seeds');
  for (const setting of isSeeded ? (['alone', 'bare'] as const) : []) {
    const noticed = await hunt(tree.path, seeds, { setting, maxSeeds: wholeSeeds });
    if (noticed !== null) return isNotWhole(`${setting}, seed ${noticed.seeds}: ${noticed.by}`);
  }
  if (tests.size > 0) {
    const noticed = await hunt(tree.path, suite(...tests), { setting: 'alone', maxSeeds: 0 });
    if (noticed !== null) return isNotWhole(noticed.by);
  }
  say('nothing is noticed while nothing is broken');
  return true;
}

function isNotWhole(by: string): false {
  say(`something is noticed although nothing is broken: ${by}`);
  process.exitCode = 1;
  return false;
}

/** Nets mean nothing to a suite. */
function settingsOf({ killer }: Mutant): readonly Setting[] {
  return killer.kind === 'seeds' ? ['alone', 'bare'] : ['alone'];
}

async function fateOf(
  tree: BrokenTree,
  mutant: Mutant,
  found: Pick<Fate, 'commit' | 'setting' | 'maxSeeds'>,
): Promise<Fate> {
  const { name, killer } = mutant;
  tree.break(mutant);
  try {
    return { ...found, name, kill: await hunt(tree.path, killer, found) };
  } finally {
    tree.mend();
  }
}

/** In the order of the mutants, and without those that are no more. */
function merged(before: readonly Fate[], found: readonly Fate[]): readonly Fate[] {
  const renewed = new Set(found.map(({ name }) => name));
  const fates = [...before.filter(({ name }) => !renewed.has(name)), ...found];
  return mutants.flatMap(({ name }) => fates.filter((fate) => fate.name === name));
}

/** The list for programs and the table for people, the latter between two marks of the page. */
function write(fates: readonly Fate[]): void {
  writeFileSync(listPath, `${JSON.stringify({ fates }, null, 2)}\n`);
  const [begin, end] = marks;
  const page = readFileSync(pagePath, 'utf8');
  const head = page.slice(0, page.indexOf(begin) + begin.length);
  const tail = page.slice(page.indexOf(end));
  writeFileSync(pagePath, `${head}\n\n${tableOf(fates)}\n\n${tail}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
