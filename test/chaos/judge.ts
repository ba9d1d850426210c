/** All that is promised whatever the fault, held against one run's history and what its regions show at the end. */
import { checkAvailability } from '../checkers/availability.ts';
import { checkBounded } from '../checkers/bounded.ts';
import { checkConvergence } from '../checkers/convergence.ts';
import { checkCounters } from '../checkers/counters.ts';
import { checkDeletes } from '../checkers/deletes.ts';
import type { History, Violation } from '../checkers/history.ts';
import { checkInserts } from '../checkers/inserts.ts';
import { checkRegisters } from '../checkers/registers.ts';
import { checkSets } from '../checkers/sets.ts';
import { checkTexts } from '../checkers/texts.ts';
import type { Finals } from './finals.ts';
import type { Struck } from './stage.ts';

/**
 * This says that nobody waited for a peer, which would take as long as a fault lasts, and not how fast a write is: on a
 * machine that was busy fifteenfold a sound region took more than three seconds for one.
 */
const availableWithinMs = 6000;

export function judgeFinals(history: History, finals: ReadonlyMap<string, Finals>): readonly Violation[] {
  const shown = new Map([...finals].map(([region, { shown: records }]) => [region, records]));
  const convergence = checkConvergence(shown);
  return [...convergence, ...[...finals.values()].flatMap((found) => judgeRegion(history, found))];
}

function judgeRegion(history: History, finals: Finals): readonly Violation[] {
  return [
    ...checkCounters(history, finals.counters),
    ...checkBounded(history, finals.bounded),
    ...checkRegisters(history, finals.registers),
    ...checkSets(history, finals.sets),
    ...checkDeletes(history, finals.mortals),
    ...checkTexts(history, finals.texts),
    ...checkInserts(history, finals.inserts),
  ];
}

export function judgeAvailability(history: History, struck: readonly Struck[]): readonly Violation[] {
  const events = history.map((event) => ({
    ...event,
    wasSound: !struck.some(
      ({ region, fromMs, toMs }) =>
        region === event.region && event.completedAtMs >= fromMs && event.invokedAtMs <= toMs,
    ),
    wasRefused: event.result === 'fail' && event.status !== null && event.status < 500,
  }));
  return checkAvailability(events, availableWithinMs);
}
