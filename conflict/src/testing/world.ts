/**
 * Replicas of one record, each in two forms: the library's bytes and the model's facts. Every action is done to both,
 * and then both must agree; where they do not, or where the library breaks a law of its own, `Broken` is thrown. The
 * world holds no chance: equal actions lead to equal worlds.
 */
import { ConflictError } from '../errors.ts';
import { collectable } from '../record/collectable.ts';
import { compact } from '../record/compact.ts';
import { merge } from '../record/merge.ts';
import type { ReadResult, Schema } from '../record/schema.ts';
import { highestStamp, isDead } from '../record/summary.ts';
import { validate } from '../record/validate.ts';
import type { Action, Source } from './action.ts';
import { expectAgreement, expectSame, isSame } from './agreement.ts';
import { difference, textAt } from './comparison.ts';
import type { Coverage } from './coverage.ts';
import { DotLedger } from './dot-ledger.ts';
import { Floors } from './floors.ts';
import { Broken } from './history-failure.ts';
import { horizonOf, lastIn } from './horizon.ts';
import { Knowledge } from './knowledge.ts';
import { LooseTexts } from './loose-texts.ts';
import { bringsNews, keyOf, type Message, unionOf } from './message.ts';
import { collectableIn, compactedFrom } from './model-compact.ts';
import { ModelEdit } from './model-edit.ts';
import { existsIn } from './model-view.ts';
import { type Names, type Operation, carryOut } from './operation.ts';
import { Random } from './random.ts';
import { firstRefusal, type Refusal } from './refusal.ts';
import type { RecordedEdit } from './recorded-edit.ts';
import type { Replica } from './replica.ts';
import { watchDrop, watchEdit, watchLife, watchMerge, watchShown } from './watch.ts';

const nothing: Uint8Array = new Uint8Array(0);

export class World {
  readonly replicas: readonly Replica[];
  readonly schema: Schema;
  readonly coverage: Coverage;
  readonly #messages = new Map<string, Message>();
  readonly #floors = new Floors();
  /** What each replica held when everybody had seen it. */
  readonly #stable = new Map<Replica, Uint8Array>();
  readonly #dots = new DotLedger();
  #edits: RecordedEdit[] = [];
  readonly #looseTexts = new LooseTexts();
  #sequence = 0;
  /** Some have collected what others still hold. */
  #isApart = false;

  constructor(schema: Schema, actors: readonly string[], coverage: Coverage) {
    this.schema = schema;
    this.coverage = coverage;
    this.replicas = actors.map((actor) => ({
      actor,
      names: [actor],
      state: nothing,
      known: new Knowledge(),
    }));
  }

  /** Edits since the last collection. */
  edits(): readonly RecordedEdit[] {
    return this.#edits;
  }

  replica(index: number): Replica {
    const found = this.replicas[index % this.replicas.length];
    if (found === undefined) throw new Broken('there are no replicas');
    return found;
  }

  read(replica: Replica): ReadResult<unknown> {
    return this.schema.read(replica.state);
  }

  /** Whether this can still be sent. */
  has(source: Source): boolean {
    return this.#messages.has(keyOf(source));
  }

  do(action: Action): void {
    switch (action.does) {
      case 'edit':
        return this.#edit(action);
      case 'send state': {
        const { state, known } = this.replica(action.replica);
        const facts = new Set(known.facts);
        this.#messages.set(keyOf({ of: 'state', number: action.number }), {
          bytes: state,
          facts,
          isDelete: false,
          isPurge: false,
        });
        return;
      }
      case 'merge':
        return this.#deliver(action);
      case 'rename':
        return this.#rename(this.replica(action.replica), action.actor);
      case 'settle':
        return this.#settle(action.seed);
      case 'barrier':
        return this.#barrier(action.seed);
      case 'drop':
        return this.#drop(new Random(action.seed));
      case 'collect':
        return this.#collect(action);
    }
  }

  #edit(action: Extract<Action, { does: 'edit' }>): void {
    const replica = this.replica(action.replica);
    const operations = action.operations.filter((each) => this.#fits(replica, each));
    const { actor, known, state } = replica;
    const isStable = action.asksHorizon && this.#isStable(replica);
    const floors = this.#floors.of(replica);
    const context = { actor, ...floors, now: action.now, ...(isStable ? { horizon: lastIn(state) } : {}) };
    const model = new ModelEdit(known, this.schema, {
      ...context,
      isStable,
      remains: this.#floors.remainsOf(replica),
      floorSequence: this.#floors.sequenceOf(actor),
      sequence: this.#next,
    });
    this.#looseTexts.watch(known, operations, this.coverage);
    const refusal = firstRefusal(model, operations);
    try {
      const edited = this.schema.edit(state, context, (editor) => {
        for (const operation of operations) carryOut(editor, operation);
      });
      if (refusal !== null) throw new Broken(`the library takes what it must refuse: ${refusal.code}`);
      const { changed, delta: facts } = model.finish();
      this.#checkEdit(replica, edited, changed);
      const before = replica.state;
      replica.state = edited.state;
      if (!changed) return this.#compare(replica);
      replica.known = model.known;
      this.#floors.forgetRemains(actor);
      const isDelete = operations.some(({ op }) => op === 'delete');
      const isPurge = isDelete && !existsIn(known) && !existsIn(model.known);
      const message = { bytes: edited.delta, facts: new Set(facts), isDelete, isPurge };
      this.#messages.set(keyOf({ of: 'delta', number: action.number }), message);
      this.#edits.push({
        before,
        delta: edited.delta,
        after: edited.state,
        facts: message.facts,
        known: known.facts,
      });
      watchEdit(this.coverage, { before: known, after: model.known, operations, actor });
      this.coverage.note('clock behind', (highestStamp(edited.delta) ?? 0) > action.now);
      this.coverage.note('purge', isPurge);
      watchLife(this.coverage, { before: known, after: model.known, context, isApart: this.#isApart });
      if (isStable && isDelete && isDead(edited.state)) this.#expectDroppable(edited.state);
    } catch (reason) {
      this.#checkRefusal(reason, refusal);
    }
    this.#compare(replica);
  }

  readonly #next = (): number => ++this.#sequence;

  /** A splice is for the text that it was made for; a put changes texts from what they show, if that is known. */
  #fits(replica: Replica, operation: Operation): boolean {
    if (operation.op === 'put') return this.#looseTexts.areAllComparable(replica.known);
    if (operation.op !== 'splice') return true;
    return textAt(this.read(replica).value, operation.path) === operation.before;
  }

  #checkRefusal(reason: unknown, refusal: Refusal | null): void {
    if (!(reason instanceof ConflictError)) throw reason;
    const isExpected =
      reason.code === refusal?.code &&
      (reason.code !== 'insufficient-rights' ||
        (reason.have === refusal.have && reason.need === refusal.need));
    if (!isExpected) {
      throw new Broken(`the library refuses: ${reason.message}; the model says ${refusal?.code ?? 'yes'}`);
    }
    this.coverage.note('rights refused', reason.code === 'insufficient-rights');
  }

  #checkEdit(
    replica: Replica,
    edited: { state: Uint8Array; delta: Uint8Array; changed: boolean },
    isChanged: boolean,
  ): void {
    if (edited.changed !== isChanged)
      throw new Broken(`changed is ${edited.changed}, in the model ${isChanged}`);
    if (!isChanged && edited.state !== replica.state)
      throw new Broken('an edit that changed nothing made bytes');
    validate(edited.state);
    validate(edited.delta);
    if (!isChanged) return;
    expectSame(
      merge(replica.state, edited.delta).state,
      edited.state,
      'state and delta join to another state',
    );
    const claimed = this.#dots.claim(edited.delta, replica.actor);
    if (claimed !== null) throw new Broken(claimed);
  }

  #deliver(action: Extract<Action, { does: 'merge' }>): void {
    const replica = this.replica(action.replica);
    const messages = action.sources.flatMap((source) => this.#messages.get(keyOf(source)) ?? []);
    if (messages.length === 0) return;
    this.#merge(replica, unionOf(messages));
    this.coverage.note('deltas joined before delivery', messages.length > 1);
    this.#compare(replica);
  }

  #merge(replica: Replica, { bytes, facts, isDelete, isPurge }: Message): void {
    const before = replica.state;
    const isNew = bringsNews(replica.known, facts);
    const merged = merge(before, bytes);
    validate(merged.state);
    if (merged.changed !== (merged.state !== before))
      throw new Broken('changed says something else than state');
    if (!isNew && merged.changed) throw new Broken('a merge that brings nothing made another state');
    if (isNew && !merged.changed) throw new Broken('a merge that brings something changed nothing');
    const reversed = merge(bytes, before).state;
    if (!this.#isApart)
      expectSame(reversed, merged.state, 'the other way round, the merge makes another state');
    if (merge(merged.state, bytes).changed) throw new Broken('the same merge again makes another state');
    replica.state = merged.state;
    if (isNew) replica.known.learn(facts);
    this.coverage.note('merge');
    this.coverage.note('merge that changed nothing', !isNew);
    watchMerge(this.coverage, replica.known, isDelete && isNew);
    this.coverage.note('purge beside a new life', isPurge && isNew && existsIn(replica.known));
    if (merged.conflicts.length > 0) this.#checkReported(replica, merged.conflicts);
  }

  /** What a merge reports as conflicts, a read shows as conflicts. */
  #checkReported(replica: Replica, reported: readonly string[]): void {
    const { conflicts } = this.read(replica);
    const odd = reported.find((path) => !conflicts.includes(path));
    if (odd !== undefined) throw new Broken(`${odd} is reported and not in conflict`);
  }

  #rename(replica: Replica, actor: string): void {
    replica.actor = actor;
    replica.names = [...replica.names, actor];
    this.coverage.note('actor changed');
  }

  #settle(seed: number): void {
    const random = new Random(seed);
    const deltas = [...this.#messages]
      .filter(([key]) => key.startsWith('delta'))
      .map(([, message]) => message);
    this.#checkPart(deltas, random);
    for (const replica of this.replicas) {
      for (const delta of random.shuffled(deltas)) this.#merge(replica, delta);
      this.#compare(replica);
    }
    const read = (state: Uint8Array) => this.schema.read(state);
    expectAgreement(
      this.replicas.map(({ state }) => state),
      { read, isApart: this.#isApart },
    );
  }

  /** Deltas alone do not tell everybody what some have seen of a life of the record that others have collected. */
  #exchangeStates(random: Random): void {
    for (const replica of [...this.replicas, ...this.replicas]) {
      for (const { state, known } of random.shuffled(this.replicas)) {
        const facts = new Set(known.facts);
        this.#merge(replica, { bytes: state, facts, isDelete: false, isPurge: false });
      }
      this.#compare(replica);
    }
  }

  /** Any part of the deltas makes the same in any order, and shows what the model shows of it. */
  #checkPart(deltas: readonly Message[], random: Random): void {
    const part = random.shuffled(deltas).slice(0, random.below(deltas.length + 1));
    const { bytes, facts } = unionOf(part);
    expectSame(unionOf(part.toReversed()).bytes, bytes, 'a part of the deltas makes another state backwards');
    this.#compare({ actor: 'part', names: [], state: bytes, known: new Knowledge(facts) });
    this.coverage.note('part of the deltas', part.length > 1 && part.length < deltas.length);
  }

  /** Nothing older is under way from now on; the fence keeps it out. */
  #barrier(seed: number): void {
    this.#settle(seed);
    this.#messages.clear();
    this.#edits = [];
    this.#noteStable();
    this.coverage.note('barrier');
  }

  #noteStable(): void {
    for (const replica of this.replicas) this.#stable.set(replica, replica.state);
  }

  #isStable(replica: Replica): boolean {
    return this.#stable.get(replica) === replica.state;
  }

  #collect({ by, seed }: Extract<Action, { does: 'collect' }>): void {
    this.#barrier(seed);
    const random = new Random(seed);
    if (this.#isApart && random.chance(0.5)) this.#exchangeStates(random);
    const collecting = this.replicas.filter(() => by === 'all' || random.chance(0.5));
    const isAll = collecting.length === this.replicas.length;
    this.coverage.note('collection');
    this.coverage.note('collection by some', !isAll && collecting.length > 0);
    this.#compact(collecting, isAll && !this.#isApart);
    this.#isApart = this.replicas.some(({ state }) => !isSame(state, this.replica(0).state));
    this.#noteStable();
    if (isAll) for (const replica of this.#droppable()) this.#forget(replica);
  }

  /** Names that are not used any more are forgotten only by all at once, else others would bring them back. */
  #compact(collecting: readonly Replica[], isTogether: boolean): void {
    const horizon = horizonOf(this.replicas);
    // Reports are without what was dropped, so the horizon may stay below a state that begins with a gap.
    const horizonAt = ({ state }: Replica) => (horizon.covers(lastIn(state)) ? horizon : lastIn(state));
    const retired = this.replicas.flatMap(({ actor, names }) => names.filter((name) => name !== actor));
    const common = compactedFrom(this.replica(0).known);
    for (const replica of collecting) {
      const gone = this.#isApart ? compactedFrom(replica.known) : common;
      const { state, record } = compact(
        replica.state,
        horizonAt(replica),
        new Set(isTogether ? retired : []),
      );
      validate(state);
      const read = JSON.stringify(this.read(replica));
      replica.known.learn(gone);
      replica.state = state;
      const after = JSON.stringify(this.read(replica));
      if (after !== read) throw new Broken(`a collection changed what is shown: ${read} ${after}`);
      if (record !== collectable(state)) throw new Broken(`a collection says that the record is ${record}`);
      this.#compare(replica);
    }
  }

  /** Replicas that may drop what they hold, by what they themselves know. */
  #droppable(): readonly Replica[] {
    return this.replicas.filter(
      (each) => each.state.length > 0 && this.#isStable(each) && collectable(each.state) === 'droppable',
    );
  }

  #drop(random: Random): void {
    for (const replica of this.#droppable()) if (random.chance(0.5)) this.#forget(replica);
  }

  /** Whoever creates the record again starts above what it has used. */
  #forget(replica: Replica): void {
    const others = this.replicas.filter((each) => each !== replica);
    watchDrop(this.coverage, others);
    this.#looseTexts.end(replica.known);
    this.#floors.raise(replica, this.#sequence);
    replica.state = nothing;
    replica.known = new Knowledge();
    this.#isApart = others.some(({ state }) => state.length > 0);
    if (this.#isApart) return;
    this.coverage.note('record collected');
    this.#dots.beginLife();
    this.#looseTexts.forget();
  }

  #expectDroppable(state: Uint8Array): void {
    this.coverage.note('delete of what is stable');
    if (collectable(state) === 'droppable') return;
    throw new Broken('a delete by who has seen what everybody has seen leaves something hidden');
  }

  #compare(replica: Replica): void {
    const isTextKnown = (path: Names) => {
      const isKnown = this.#looseTexts.isComparable(replica.known, path);
      this.coverage.note('text compared', isKnown);
      return isKnown;
    };
    const read = this.read(replica);
    const found = difference(replica.known, read, { fields: this.schema.fields, isTextKnown });
    if (found !== null) throw new Broken(`${replica.actor}: ${found}`);
    if (read.exists === isDead(replica.state)) throw new Broken('read and isDead disagree');
    const [said, meant] = [collectable(replica.state), collectableIn(replica.known)];
    if (said !== meant) throw new Broken(`the library says that the record is ${said}, the model ${meant}`);
    watchShown(this.coverage, this.schema.fields, read.conflicts);
  }
}
