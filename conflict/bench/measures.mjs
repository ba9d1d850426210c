/**
 * All measures by name. Each, when called, does its work, prints its table and gives its figures; ours bear the plain
 * names of the goals, those of others have theirs behind. What was taken from fewer than a million records and
 * multiplied is marked as extrapolated.
 */
import { contenderNames } from './contender.mjs';
import { importable, importTimes } from './import-time.mjs';
import { spreadOf } from './measure.mjs';
import { memoryOf } from './memory.mjs';
import { figure, printRace, range, say, table } from './report.mjs';
import { otherSizes, ownSizes, writeCore } from './size.mjs';
import { nameFor, race, raceMany, speedNames } from './speed.mjs';
import { bytesAfter } from './workloads.mjs';

/**
 * @typedef {import('./contender.mjs').Contender} Contender
 * @typedef {import('./report.mjs').Measure} Measure
 * @typedef {{ readonly rounds: number, readonly roundMs: number, readonly records: number, readonly few: number, readonly imports: number, readonly histories: number, readonly writes: number }} Settings
 */

const million = 1_000_000;
const fastEnough = ['isthmus', 'json'];
const variants = new Set(['yjs mergeUpdates', 'isthmus, asked']);
const libraries = contenderNames.filter((name) => !variants.has(name));

/**
 * @param {readonly Contender[]} all
 * @param {Settings} settings
 * @returns {Readonly<Record<string, () => readonly Measure[] | Promise<readonly Measure[]>>>}
 */
export function measuresWith(all, settings) {
  /** @param {readonly string[]} names */
  const those = (names) => all.filter(({ name }) => names.includes(name));
  const { records, few } = settings;
  // Growing WebAssembly's memory detaches a buffer, and V8 then checks every access to typed arrays, for good.
  const scripts = all.filter(({ isWebAssembly }) => isWebAssembly !== true);
  const late = all.filter(({ name, isWebAssembly }) => name === 'isthmus' || isWebAssembly === true);
  /** @param {string} name */
  const raceLate = (name) => printRace({ ...race(name, late, settings), name: `${name}_wasm` });
  return {
    ...Object.fromEntries(speedNames.map((name) => [name, () => printRace(race(name, scripts, settings))])),
    merge_million: () =>
      raceRecords(those(fastEnough), 'merge_million', { count: records, keep: false, inBatches: true }),
    merge_million_one_by_one: () =>
      raceRecords(those(fastEnough), 'merge_million_one_by_one', {
        count: records,
        keep: false,
        inBatches: false,
      }),
    merge_million_kept: () =>
      raceRecords(those(fastEnough), 'merge_million_kept', { count: records, keep: true, inBatches: true }),
    ...Object.fromEntries(speedNames.map((name) => [`${name}_wasm`, () => raceLate(name)])),
    // The others would take hours to make a million.
    merge_ten_thousand: () =>
      raceRecords(those(libraries), 'merge_ten_thousand', { count: few, keep: false, inBatches: true }),
    state_bytes: () => stateBytes(those(libraries), settings),
    memory: () => memory(those(libraries), settings),
    import: () => importing(settings.imports),
    size: sizes,
  };
}

/** @param {readonly Contender[]} contenders @param {string} name @param {{ readonly count: number, readonly keep: boolean, readonly inBatches: boolean }} work */
function raceRecords(contenders, name, work) {
  return printRace({ ...raceMany(contenders, { ...work, rounds: 27 }), name });
}

/** @param {readonly Contender[]} contenders @param {Settings} settings */
function stateBytes(contenders, { histories, writes }) {
  const marks = [10, writes];
  say(`\nstate_bytes: bytes of a 10-field record after ${marks.join(' and ')} writes by two writers`);
  const found = contenders.map((contender) => {
    const lengths = Array.from({ length: histories }, (_, seed) => bytesAfter(contender, seed, marks));
    const first = spreadOf(lengths.map(([length]) => length));
    return { name: contender.name, first, last: spreadOf(lengths.map(([, length]) => length)) };
  });
  const rows = found.map(({ name, first, last }) => [
    name,
    figure(first.median),
    figure(last.median),
    range(last),
  ]);
  table(['', ...marks.map((mark) => `after ${mark}`), 'min - max'], rows);
  return found.map(({ name, last }) => ({
    name: nameFor('state_bytes_10_fields', name),
    unit: 'bytes',
    ...last,
  }));
}

/** @param {readonly Contender[]} contenders @param {Settings} settings */
function memory(contenders, { records, few }) {
  say('\nmemory: megabytes per million 10-field records');
  const found = contenders.flatMap(({ name, live }) => {
    const count = fastEnough.includes(name) ? records : few;
    const forms = live === undefined ? ['bytes'] : ['bytes', 'live'];
    return forms.map((form) => ({ name, form, count, ...memoryOf(name, form, count) }));
  });
  const rows = found.map(({ name, form, count, counted, resident }) => {
    const source = count < million ? `${figure(count)}, extrapolated` : figure(count);
    return [name, form, source, figure(counted), figure(resident)];
  });
  table(['', 'kept as', 'records', 'counted', 'resident'], rows);
  return found.map(({ name, form, counted }) =>
    exact(nameFor(`memory_${form}_per_million`, name), 'MB', counted),
  );
}

/** The goal is for the core, the very bundle whose size has one; packages stand beside it. @param {number} runs */
async function importing(runs) {
  say(`\nimport: first import in a fresh process, an empty module's time taken off, ${runs} processes`);
  const all = { isthmus: await writeCore(), ...importable };
  const found = Object.entries(all).map(([name, specifier]) => {
    const times = importTimes(specifier, runs);
    const processor = spreadOf(times.map((time) => time.processor));
    return { name, clock: spreadOf(times.map((time) => time.clock)), processor };
  });
  const rows = found.map(({ name, clock, processor }) => {
    const title = name === 'isthmus' ? 'isthmus, core' : name;
    return [title, figure(clock.median), range(clock), figure(processor.median)];
  });
  table(['', 'ms', 'min - max', 'processor ms'], rows);
  return found.flatMap(({ name, clock, processor }) => [
    { name: nameFor('import_ms', name), unit: 'ms', ...clock },
    { name: nameFor('import_processor_ms', name), unit: 'ms', ...processor },
  ]);
}

async function sizes() {
  const [core, ...own] = await ownSizes();
  const others = await otherSizes();
  say('\nsize: bytes of a minified bundle, and compressed with gzip -9');
  const rows = [core, ...own, ...others].map(({ name, minified, gzip, cause }) =>
    cause === undefined ? [name, figure(minified), figure(gzip)] : [name, '-', '-', cause],
  );
  table(['', 'minified', 'gzip', ''], rows);
  const rest = [...own, ...others].filter(({ cause }) => cause === undefined);
  return [
    exact('core_gzip_bytes', 'bytes', core.gzip),
    ...rest.map(({ name, gzip }) => exact(nameFor('gzip_bytes', name), 'bytes', gzip)),
  ];
}

/** @param {string} name @param {string} unit @param {number} value */
const exact = (name, unit, value) => ({ name, unit, median: value, min: value, max: value });
