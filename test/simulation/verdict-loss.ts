/**
 * What the regions that are left cannot be expected to hold: the tail of a destroyed region, what was put aside, and of
 * a database that was set back what neither it nor its log reached (I5). What was really lost must be no older than the
 * region showed in that moment.
 */
import type { OpenDeadLetter } from '@isthmus/replication/ports/dead-letter-store';
import type { Lsn } from '@isthmus/replication/ports/change';
import { sameIncarnation } from '@isthmus/replication/ports/identity';
import type { PositionRow } from '@isthmus/replication/ports/record-store';
import type { Violation } from '../checkers/history.ts';
import { checkLoss } from '../checkers/metrics.ts';
import type { Loss } from './losses.ts';
import type { Life } from './past-lives.ts';
import type { SimRegion } from './sim-region.ts';
import type { World } from './world.ts';

/** Names of records that some region cannot be expected to show as the others do. */
export async function excusedIn(world: World): Promise<ReadonlySet<string>> {
  const excused = new Set<string>();
  for (const target of world.survivors)
    for (const { collection, key } of await lettersAt(target)) excused.add(`${collection}/${key}`);
  for (const origin of world.regions)
    for (const life of origin.lives.all)
      for (const partition of partitionsOf(origin)) {
        const reach = await reachOf(world, origin, { life, partition });
        if (reach === null) continue;
        for (const { name } of world.oracle.beyond(life, partition, reach)) excused.add(name);
      }
  return excused;
}

export async function lossesIn(world: World): Promise<readonly Violation[]> {
  const found: Violation[] = [];
  for (const loss of world.losses.all) {
    if (!loss.isClockKnown || isBehindHole(world, loss)) continue;
    const lostMs = await lostMsOf(world, loss);
    if (lostMs > 0) world.seen('region destroyed with loss');
    const { region, life } = loss;
    const shownMs = toldOf(loss, world.losses.all);
    const hiddenMs = world.oracle.hiddenMs(life, loss.setBacks, loss.atMs - lostMs);
    const violation = checkLoss(region.id, shownMs === null ? null : shownMs + hiddenMs, lostMs);
    if (violation !== null) found.push(violation);
  }
  return found;
}

/**
 * A log that a lost slot has left a hole in counts again once a peer has what is in the hole (0023), and lies behind the
 * hole when that peer loses it, or is gone and not retired.
 */
function isBehindHole({ coverage, losses }: World, loss: Loss): boolean {
  if (!coverage.has('fault: lose-slot')) return false;
  const { region, life, held, gone, atMs } = loss;
  const filled = gone.some((rows) =>
    partitionsOf(region).some(
      (partition) => appliedOf(rows, life, partition) > region.lives.logged(life.incarnation, partition),
    ),
  );
  return filled || held.some(({ by, isPast }) => isPast || losses.isLostSince(by, atMs));
}

/** What the log alone held goes with it, where that is lost as well before anybody has read it, or destroyed. */
export function toldOf({ region, atMs, shownMs }: Loss, all: readonly Loss[]): number | null {
  const { lostLogAtMs } = region;
  const isDestroyed = all.some((later) => later.region === region && later.withLog && later.atMs > atMs);
  return isDestroyed || (lostLogAtMs !== null && lostLogAtMs > atMs) ? shownMs.ofPeers : shownMs.first;
}

/** What its own log holds of a life that is not all in its database comes from there, whoever else is gone (P9). */
export async function lacksLogged({ oracle }: World, region: SimRegion): Promise<boolean> {
  const { lives, hasLostLog } = region;
  if (hasLostLog) return false;
  const rows = await region.records.positions(region.id);
  return partitionsOf(region).some((partition) =>
    lives.all.some((life) => {
      const held = greater(lives.kept(life.incarnation), appliedOf(rows, life, partition));
      const [next] = oracle.beyond(life, partition, held);
      return next !== undefined && next.end <= lives.logged(life.incarnation, partition);
    }),
  );
}

/** What others have settled of its past, some of it after it had lain aside there, comes with its next look at them (P6). */
export async function lacksHeld({ oracle, survivors }: World, region: SimRegion): Promise<boolean> {
  const rows = await region.records.positions(region.id);
  const others = survivors.filter((each) => each !== region);
  const held = await Promise.all(others.map(({ records }) => records.positions(region.id)));
  return partitionsOf(region).some((partition) =>
    region.lives.all.some((life) => {
      if (!isOver(region, life)) return false;
      const own = greater(region.lives.kept(life.incarnation), appliedOf(rows, life, partition));
      const [next] = oracle.beyond(life, partition, own);
      return next !== undefined && held.some((each) => next.end <= settledOf(each, life, partition));
    }),
  );
}

/** A change whose stamp lies far ahead is put aside until time has caught up with it. */
export function lettersAt(target: SimRegion): Promise<readonly OpenDeadLetter[]> {
  return target.records.deadLetters.list({ after: null, limit: Infinity });
}

export function partitionsOf({ partitionCount }: SimRegion): readonly number[] {
  return Array.from({ length: partitionCount }, (_, partition) => partition);
}

export function settledOf(rows: readonly PositionRow[], life: Life, partition: number): Lsn {
  return rowOf(rows, life, partition)?.settled ?? 0n;
}

export function appliedOf(rows: readonly PositionRow[], life: Life, partition: number): Lsn {
  return rowOf(rows, life, partition)?.applied ?? 0n;
}

function rowOf(rows: readonly PositionRow[], { incarnation }: Life, partition: number) {
  return rows.find((row) => row.partition === partition && sameIncarnation(row.incarnation, incarnation));
}

/** A life that is over in its region; its log may say nothing more of it. */
export function isOver({ identity }: SimRegion, { incarnation }: Life): boolean {
  return !sameIncarnation(identity.incarnation, incarnation);
}

interface Place {
  readonly life: Life;
  readonly partition: number;
}

/** Up to there every region has to show a life; `null`: all of it. */
async function reachOf(world: World, origin: SimRegion, { life, partition }: Place): Promise<Lsn | null> {
  const settled = await settledIn(world, origin, { life, partition });
  if (origin.isGone) return settled.least;
  // A database that was set back and has not taken its next name yet goes on with the life before no more.
  if (!isOver(origin, life) && !origin.lives.isSetBack(life.incarnation)) return null;
  // What it kept and had not published goes to its peers by transfers alone.
  const kept = world.isHealing ? origin.lives.kept(life.incarnation) : 0n;
  const told = origin.hasLostLog
    ? settled.least
    : greater(settled.greatest, origin.lives.logged(life.incarnation, partition));
  return greater(kept, told);
}

/** How far the life is settled by those of the others that are left. */
async function settledIn(
  { survivors }: World,
  origin: SimRegion,
  { life, partition }: Place,
): Promise<{ readonly least: Lsn; readonly greatest: Lsn }> {
  let least: Lsn | null = null;
  let greatest: Lsn = 0n;
  for (const target of survivors) {
    if (target === origin) continue;
    const settled = settledOf(await target.records.positions(origin.id), life, partition);
    if (least === null || settled < least) least = settled;
    greatest = greater(greatest, settled);
  }
  return { least: least ?? 0n, greatest };
}

/**
 * Age, at the moment of the loss, of the oldest change that nobody held or came to hold; what was put aside is held. What a
 * region lost later, or was not yet heard to have lost, counts as held: no figure could tell.
 */
async function lostMsOf(world: World, { region, life, atMs, kept, held }: Loss): Promise<number> {
  const now = await Promise.all(world.survivors.map((survivor) => survivor.records.positions(region.id)));
  const then = held
    .filter(({ by, isPast }) => world.losses.isLostSince(by, atMs) || isPast)
    .map(({ rows }) => rows);
  let oldestAtMs = atMs;
  for (const partition of partitionsOf(region)) {
    const applied = [...now, ...then].map((rows) => appliedOf(rows, life, partition));
    const first = world.oracle.beyond(life, partition, applied.reduce(greater, kept))[0];
    oldestAtMs = Math.min(oldestAtMs, first?.atMs ?? atMs);
  }
  return atMs - oldestAtMs;
}

function greater(a: Lsn, b: Lsn): Lsn {
  return a > b ? a : b;
}
