/**
 * A register shows a value that somebody wrote and that nobody overwrote who had seen it. Whoever writes sees what its own
 * region had acknowledged before, so a later write there wins over it whatever the clocks say, whoever the writers are; an
 * earlier write of the same process that nobody acknowledged is over as well by the time that it is followed. What the
 * region had put aside by then, because its clock was ahead before it was set back, may win over it all the same (0065), and so
 * may what it had written in an earlier life and had not learnt again (0046).
 */
import type { History, HistoryEvent, Violation } from './history.ts';

interface Written {
  readonly value: string;
  readonly event: HistoryEvent;
}

export function checkRegisters(history: History, finals: ReadonlyMap<string, string>): readonly Violation[] {
  const written = new Map<string, Written[]>();
  for (const event of history) {
    const { operation, result } = event;
    if (operation.kind !== 'set' || result === 'fail') continue;
    const ofKey = written.get(operation.key) ?? [];
    written.set(operation.key, ofKey);
    ofKey.push({ value: operation.value, event });
  }
  return [...new Set([...written.keys(), ...finals.keys()])].flatMap((key) => {
    const detail = judge(written.get(key) ?? [], finals.get(key));
    return detail === null ? [] : [{ checker: 'registers', key, detail }];
  });
}

function judge(written: readonly Written[], found: string | undefined): string | null {
  if (found === undefined) {
    const mustExist = written.some(({ event }) => event.result === 'ok');
    return mustExist ? 'acknowledged writes, and nothing is there' : null;
  }
  const place = written.findIndex(({ value }) => value === found);
  const shown = written[place];
  if (shown === undefined) return `shows ${found}, which nobody wrote`;
  const over = written.find(({ event }, index) => overwrites(event, shown, index > place));
  if (over === undefined) return null;
  return `shows ${found}, which ${over.value} of ${over.event.region} has overwritten`;
}

/** What is not acknowledged may come after what follows it elsewhere. */
function overwrites(
  later: HistoryEvent,
  { value, event: earlier }: Written,
  isListedLater: boolean,
): boolean {
  if (later.result !== 'ok' || later.aside?.has(value) === true) return false;
  if (later.process === earlier.process) return isListedLater;
  if (later.region !== earlier.region || earlier.result !== 'ok') return false;
  return later.invokedAtMs > earlier.completedAtMs;
}
