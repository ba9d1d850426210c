/**
 * What the stores of a region must say of another's later life (P9): until what that region holds of its lives before was
 * given, by itself or by who had been given it, whatever is held of the later one is not all that whoever was there has
 * seen. So it has settled no beat, no session is satisfied by it, and the transfer is wanted for as long.
 */
import type { AgendaStore } from '@isthmus/replication/ports/agenda-store';
import type { BeatOf, BeatStore } from '@isthmus/replication/ports/beat-store';
import type { RecordId } from '@isthmus/replication/ports/change';
import type { Incarnation, Life, RegionId } from '@isthmus/replication/ports/identity';
import type { IncarnationStore } from '@isthmus/replication/ports/incarnation-store';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { RetirementStore } from '@isthmus/replication/ports/retirement-store';
import type { SessionStore } from '@isthmus/replication/ports/session-store';
import type { TransferJobs } from '@isthmus/replication/ports/transfer-jobs';
import type { MergeTransaction, TransferStore } from '@isthmus/replication/ports/transfer-store';
import type { VectorEntry } from '@isthmus/replication/ports/vector';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytes, record, region } from './record-store.contract.ts';

export interface AwaitingGround {
  readonly agenda: AgendaStore;
  readonly beats: Pick<BeatStore, 'storeHeard' | 'overview'>;
  readonly incarnations: Pick<IncarnationStore, 'closed'>;
  readonly jobs: Pick<TransferJobs, 'want' | 'end'>;
  readonly records: Pick<RecordStore, 'createPosition' | 'openLife'>;
  readonly sessions: SessionStore;
  readonly retirements: Pick<RetirementStore, 'close' | 'retire'>;
  readonly transfers: Pick<TransferStore, 'merge' | 'raise' | 'standing'>;
  readonly close: () => Promise<void>;
}

const [eu, us, ap] = [region('eu'), region('us'), region('ap')];
const first = { counter: 1, nonce: 7 };
const second = { counter: 2, nonce: 7 };
const third = { counter: 3, nonce: 7 };
const tail = { donor: ap, origin: us, cause: 'tail', isDryRun: false } as const;
const beat = { number: 4, lsn: 3n, atMs: 1_700_000_000_000, count: 2, end: 4n };

export function awaitedPastContract(name: string, open: () => Promise<AwaitingGround>): void {
  describe(`a life whose region's past is awaited: ${name}`, () => {
    let ground: AwaitingGround;
    beforeEach(async () => {
      ground = await open();
      await counts(us, first);
    });
    afterEach(() => ground.close());

    /** It has a position here, and whatever its region shows came as that life. */
    function counts(of: RegionId, life: Incarnation): Promise<void> {
      return ground.records.createPosition({ ...placeOf(of, life), beat, nextOffset: 0n });
    }

    /** Its start is read, and a beat that comes after it. */
    function starts(of: RegionId, life: Incarnation, partition = 0): Promise<void> {
      return ground.records.openLife({ ...placeOf(of, life), partition, beat, nextOffset: 0n });
    }

    /** By life: the number of the settled beat, and how far sessions are satisfied and what is there may be seen. */
    async function counted() {
      const rows = (await ground.beats.storeHeard([])).filter(({ origin }) => origin === us);
      const { positions } = await ground.beats.overview();
      expect(positions.filter(({ origin }) => origin === us)).toEqual(rows);
      const { settled, applied } = await ground.sessions.place();
      return rows.map((row) => ({
        life: row.incarnation.counter,
        beat: row.beat?.number ?? null,
        settled: lsnOf(settled, row.incarnation),
        applied: lsnOf(applied, row.incarnation),
      }));
    }

    /** A transfer of this donor comes to its end. */
    async function given(
      donor: RegionId,
      vector: readonly VectorEntry[],
      refused: readonly RecordId[] = [],
    ): Promise<void> {
      const job = await ground.jobs.want({ donor, origin: us, cause: 'repair', isDryRun: false });
      if (refused.length > 0) await ground.transfers.merge(refusing(job, refused));
      const own = vector.filter(({ region: of }) => of === donor).toSorted(byCounter);
      await raised(job, vector, own.slice(-1));
    }

    async function raised(
      job: number,
      vector: readonly VectorEntry[],
      pasts: readonly Life[],
      beats: readonly BeatOf[] = [],
    ): Promise<void> {
      const rest = { whole: [], floorMs: 0, partitionOf: () => 0, decide: coveringAll };
      expect(await ground.transfers.raise({ region: eu, job, vector, given: pasts, beats, ...rest })).toBe(
        true,
      );
      await ground.jobs.end(job, { state: 'done', detail: '' });
    }

    /** A transfer from `ap` comes to its end that has opened the third life, and brought these pasts. */
    async function opened3(pasts: readonly Life[], refused: readonly RecordId[] = []): Promise<void> {
      const job = await ground.jobs.want(tail);
      if (refused.length > 0) await ground.transfers.merge(refusing(job, refused));
      const vector = [entry(ap, first), entry(us, second), entry(us, third)];
      await raised(job, vector, [lifeOf(ap, first), ...pasts], [{ ...lifeOf(us, third), beat }]);
    }

    const held = { life: 1, beat: 4, settled: 9n, applied: 9n };
    const awaited = { life: 2, beat: null, settled: null, applied: 9n };
    const given2 = { life: 2, beat: 4, settled: 9n, applied: 9n };

    it('has settled no beat and satisfies no session of another region, and the others do', async () => {
      await starts(us, second);
      await starts(us, second);
      expect(await counted()).toEqual([held, awaited]);
      expect((await ground.agenda.read()).awaited).toEqual([us]);
    });

    it('counts once its own region has given everything as that life or as a later one', async () => {
      await starts(us, second);
      await given(ap, [entry(ap, first), entry(us, second)]);
      await given(us, [entry(us, first)]);
      expect(await counted(), 'another donor, and a life before').toEqual([held, awaited]);
      await given(us, [entry(us, first), entry(us, second)]);
      expect(await counted()).toEqual([held, given2]);
      await starts(us, third);
      await given(us, [entry(us, { counter: 4, nonce: 7 })]);
      expect((await counted()).slice(0, 3), 'a later one').toEqual([held, given2, { ...given2, life: 3 }]);
      expect((await ground.agenda.read()).awaited).toEqual([]);
    });

    it('counts on where its start is read after its past was given (I10)', async () => {
      await starts(us, second);
      await opened3([lifeOf(us, third)]);
      const all = [held, given2, { ...given2, life: 3 }];
      for (const life of [third, second]) await starts(us, life);
      expect(await counted()).toEqual(all);
      await starts(us, third, 1);
      expect((await ground.agenda.read()).awaited, 'in another partition').toEqual([]);
    });

    it('is awaited on where its start is read after somebody opened it who was not given its past (I5, I10)', async () => {
      await opened3([]);
      await starts(us, third);
      await starts(us, third, 1);
      expect((await counted()).map((row) => row.beat)).toEqual([4, null, null, null]);
      expect((await ground.agenda.read()).awaited).toEqual([us]);
    });

    it('is awaited from when a transfer opens it that brings its past without a state that was refused (I5, I10)', async () => {
      await opened3([lifeOf(us, third)], [record('a')]);
      expect((await ground.agenda.read()).awaited).toEqual([us]);
      await starts(us, third);
      await opened3([lifeOf(us, third)]);
      expect((await ground.agenda.read()).awaited).toEqual([]);
    });

    it('is awaited where another life of the same counter counts, by a start and by a transfer', async () => {
      await counts(us, second);
      const other = { counter: 2, nonce: 9 };
      await starts(us, other);
      expect((await counted()).map((row) => row.beat)).toEqual([4, 4, null]);
      const another = { counter: 2, nonce: 11 };
      await raised(await ground.jobs.want(tail), [entry(us, another)], []);
      await given(us, [entry(us, third)]);
      expect((await ground.agenda.read()).awaited).toEqual([]);
    });

    it('is awaited on where a state was refused, because that was not given', async () => {
      await starts(us, second);
      await given(us, [entry(us, second)], [record('a')]);
      expect(await counted()).toEqual([held, awaited]);
      expect((await ground.agenda.read()).awaited).toEqual([us]);
      await given(us, [entry(us, second)]);
      expect((await ground.agenda.read()).awaited).toEqual([]);
    });

    it('is awaited from when somebody else opens it who was not given its past, though it told a beat of it (I5, I10)', async () => {
      await counts(us, second);
      await opened3([]);
      expect(await counted()).toEqual([held, given2, { ...awaited, life: 3 }]);
      expect((await ground.agenda.read()).awaited).toEqual([us]);
      await given(us, [entry(us, second)]);
      expect((await ground.agenda.read()).awaited, 'it has given as a life before').toEqual([us]);
      await given(us, [entry(us, third)]);
      expect(await counted()).toMatchObject([held, given2, { life: 3, settled: 9n }]);
      expect((await ground.agenda.read()).awaited).toEqual([]);
    });

    it('counts at once where somebody else opens it who was given its past, and so do the lives before', async () => {
      await starts(us, second);
      await opened3([lifeOf(us, third)]);
      expect(await counted()).toEqual([held, given2, { ...given2, life: 3 }]);
      expect((await ground.agenda.read()).awaited).toEqual([]);
    });

    it('is awaited on where somebody else raises it who was not given its past', async () => {
      await counts(us, second);
      await starts(us, third);
      await opened3([]);
      await opened3([lifeOf(us, second)]);
      expect(await counted()).toEqual([held, given2, { ...awaited, life: 3 }]);
    });

    it('is not awaited where a later one counts, or it is the first', async () => {
      await given(us, [entry(us, third)]);
      const job = await ground.jobs.want(tail);
      const earlier = { counter: 2, nonce: 9 };
      await raised(job, [entry(us, earlier), entry(us, third), entry(region('asia'), first)], []);
      for (const life of [second, earlier]) await starts(us, life);
      await starts(region('us-west'), first);
      expect((await ground.agenda.read()).awaited).toEqual([]);
    });

    it('is told to nobody as settled who asks for a transfer', async () => {
      const told = async () => (await ground.transfers.standing()).beats.map((of) => of.incarnation.counter);
      expect(await told()).toEqual([1]);
      await starts(us, second);
      expect(await told()).toEqual([1]);
      const { settled } = await ground.transfers.standing();
      expect(settled).toContainEqual(entry(us, second));
      await given(us, [entry(us, second)]);
      expect(await told()).toEqual([1, 2]);
    });

    it('has ended for sessions wherever they stand in it once its region is retired, because nobody has its past (P8)', async () => {
      await starts(us, second);
      await ground.retirements.close(us, null);
      const final = [entry(us, first), entry(us, second)];
      expect(await ground.retirements.retire(us, { final, heir: ap }, [us])).toBe(true);
      const { closed, retired } = await ground.sessions.place();
      expect([closed, retired]).toEqual([[entry(us, first)], [us]]);
    });

    it('ends the lives before it where they stand, wherever it was opened by a transfer, and never the own ones (P5, P9)', async () => {
      await counts(us, second);
      const own = [first, second].map((life) => entry(eu, life));
      const job = await ground.jobs.want(tail);
      await raised(job, [...own, { ...entry(us, first), lsn: 12n }, entry(us, third)], []);
      const ended = [{ ...entry(us, first), lsn: 12n }, entry(us, second)];
      const closed = async () => (await ground.incarnations.closed()).toSorted(byCounter);
      expect(await closed()).toEqual(ended);
      await given(us, [{ ...entry(us, first), lsn: 15n }, entry(us, third)]);
      expect(await closed(), 'the first word stays').toEqual(ended);
      expect((await ground.sessions.place()).closed.toSorted(byCounter)).toEqual(ended);
    });

    it('is told once for each region, in order', async () => {
      for (const life of [
        { region: us, incarnation: third },
        { region: ap, incarnation: second },
        { region: us, incarnation: second },
      ])
        await starts(life.region, life.incarnation);
      expect((await ground.agenda.read()).awaited).toEqual([ap, us]);
    });
  });
}

function refusing(job: number, ids: readonly RecordId[]): MergeTransaction {
  const why = { cause: 'clock-too-far-ahead', detail: 'an hour', stampMs: beat.atMs } as const;
  const refused = ids.map((id) => ({ ...id, state: bytes(id.key), ...why }));
  return { job, ids, decide: () => ({ writes: [], refused }) };
}

function coveringAll({ letters }: { readonly letters: readonly unknown[] }): readonly boolean[] {
  return letters.map(() => true);
}

function placeOf(origin: RegionId, incarnation: typeof first) {
  return { origin, incarnation, partition: 0, applied: 9n, settled: 9n };
}

function lifeOf(of: RegionId, incarnation: typeof first): Life {
  return { region: of, incarnation };
}

function byCounter(a: VectorEntry, b: VectorEntry): number {
  return a.incarnation.counter - b.incarnation.counter;
}

function entry(of: RegionId, incarnation: typeof first): VectorEntry {
  return { region: of, incarnation, partition: 0, lsn: 9n };
}

function lsnOf(vector: readonly VectorEntry[], { counter }: typeof first): bigint | null {
  return vector.find((each) => each.region === us && each.incarnation.counter === counter)?.lsn ?? null;
}
