/**
 * Plays a history by chance on the library and on the model, and says where they part. A network between one and six
 * replicas reorders, repeats, loses and joins messages; replicas change their names; records are deleted, collected
 * and created again. Equal options play the equal history, so a seed is all that has to be kept. A failing history is
 * cut down to the steps that matter before it is thrown.
 */
import { checkArgument, isObject } from '../arguments.ts';
import { type Schema, schema } from '../record/schema.ts';
import { check } from '../refusal.ts';
import type { TextEngine } from '../types/text.ts';
import type { Action } from './action.ts';
import { Coverage } from './coverage.ts';
import { HistoryFailure } from './history-failure.ts';
import { Planner } from './planner.ts';
import { Random } from './random.ts';
import { randomFields } from './random-schema.ts';
import type { RecordedEdit } from './recorded-edit.ts';
import type { Replica } from './replica.ts';
import { World } from './world.ts';

/** What to play, and on what. */
export interface HistoryOptions {
  /** A 32-bit integer; equal seeds and options play equal histories. */
  readonly seed: number;
  /** Actions to play; each is one edit, delivery, renaming or collection. */
  readonly steps: number;
  /** What to test; a schema of all types by chance where none is given. Resolvers must not look at counters. */
  readonly schema?: Schema;
  /** Lets some of the schemas by chance have text fields. */
  readonly text?: TextEngine;
  /** 1 to 6; by chance where not given. */
  readonly replicas?: number;
  /**
   * Whether some replicas collect, and create again what they have collected, while others still hold it; true by
   * default. States may then differ in what is not shown, so the laws of bytes are tested without.
   */
  readonly collectsApart?: boolean;
  /** Whether everybody gets everything in the end and all must agree; true by default. */
  readonly settles?: boolean;
}

/** What was played. */
export interface HistoryReport {
  /** As given. */
  readonly seed: number;
  /** Actions that were played. */
  readonly steps: number;
  /** The situations that the history came by. */
  readonly coverage: Coverage;
  /** As given, or as chance had it. */
  readonly schema: Schema;
  /** What each replica holds in the end, as bytes and as facts. */
  readonly replicas: readonly Replica[];
  /** Edits of the record's last life that changed something. */
  readonly edits: readonly RecordedEdit[];
}

interface Stage {
  readonly schema: Schema;
  readonly actors: readonly string[];
}

/** In the order of their UTF-16 units these two are the other way round than in their bytes. */
const actors = ['eu.1', 'us.1', 'ap.1', '\uffee.1', '\u{10400}.1', 'sa.1'];
/** Replays that a failing history is cut down with at most. */
const mostReplays = 1500;

/** Throws `HistoryFailure` where the library breaks a law, `invalid-argument` for options that it cannot play. */
export function runHistory(options: HistoryOptions): HistoryReport {
  checkOptions(options);
  const { seed, steps } = options;
  const random = new Random(seed);
  const stage = stageOf(random, options);
  const coverage = new Coverage();
  const world = new World(stage.schema, stage.actors, coverage);
  const planner = new Planner(random, world, options.collectsApart ?? true);
  coverage.note('six replicas', stage.actors.length === 6);
  const played: Action[] = [];
  try {
    while (played.length < steps) play(world, played, planner.next());
    if (options.settles ?? true) play(world, played, { does: 'settle', seed });
  } catch (cause) {
    const step = played.length - 1;
    throw new HistoryFailure(reasonOf(cause), {
      seed,
      step,
      trace: shrunk(played, stage),
      replay: options.schema === undefined ? commandFor(seed, step + 1) : 'runHistory with the same options',
      cause,
    });
  }
  return { seed, steps, coverage, schema: stage.schema, replicas: world.replicas, edits: world.edits() };
}

/** What is played in vain would be a test that passes. */
function checkOptions(options: HistoryOptions): void {
  checkArgument(isObject(options), 'options', options);
  const { seed, steps, schema: given, replicas } = options;
  checkArgument(Number.isSafeInteger(seed), 'seed', seed);
  checkArgument(Number.isSafeInteger(steps) && steps >= 1, 'steps', steps);
  checkArgument(given === undefined || typeof Object(given).edit === 'function', 'schema', given);
  const count = replicas ?? 1;
  const isPlayable = Number.isInteger(count) && count >= 1 && count <= actors.length;
  check(isPlayable, 'invalid-argument', { rule: 'replicas', limit: actors.length, value: replicas });
}

function play(world: World, played: Action[], action: Action): void {
  played.push(action);
  world.do(action);
}

function stageOf(random: Random, options: HistoryOptions): Stage {
  const count = options.replicas ?? 1 + random.below(actors.length);
  const { text } = options;
  const deletes = random.chance(0.5) ? 'add-wins' : 'last-writer-wins';
  const fields = randomFields(random, text !== undefined && random.chance(0.4));
  const chosen = options.schema ?? schema(fields, text === undefined ? { deletes } : { deletes, text });
  return { schema: chosen, actors: actors.slice(0, count) };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The command of this package that plays the same history. */
function commandFor(seed: number, steps: number): string {
  return `npm run laws -w conflict -- --seed ${seed} --steps ${steps}`;
}

/** Leaves out what can be left out, the longest stretches first, as long as the rest still fails. */
function shrunk(actions: readonly Action[], stage: Stage): readonly Action[] {
  let kept = actions;
  let replays = 0;
  for (let length = Math.ceil(kept.length / 2); length >= 1; length = Math.floor(length / 2)) {
    for (let start = kept.length - length; start > -length && replays < mostReplays; start -= length) {
      const from = Math.max(0, start);
      const shorter = [...kept.slice(0, from), ...kept.slice(from + length)];
      replays++;
      if (fails(shorter, stage)) kept = shorter;
    }
  }
  return kept;
}

function fails(actions: readonly Action[], { schema: type, actors: names }: Stage): boolean {
  const world = new World(type, names, new Coverage());
  try {
    for (const action of actions) world.do(action);
    return false;
  } catch {
    return true;
  }
}
