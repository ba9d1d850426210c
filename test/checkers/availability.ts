/**
 * I8: while a region itself is sound, its writes are answered at once and with success or a refusal of their own,
 * whatever happens to other regions and to the links.
 */
import type { HistoryEvent, Violation } from './history.ts';

export interface JudgedEvent extends HistoryEvent {
  /** Nothing was wrong with the region itself from the call to the answer. */
  readonly wasSound: boolean;
  /** The region itself refused it for what it was. */
  readonly wasRefused: boolean;
}

export function checkAvailability(events: readonly JudgedEvent[], withinMs: number): readonly Violation[] {
  return events.flatMap(({ wasSound, wasRefused, result, invokedAtMs, completedAtMs, operation, region }) => {
    if (!wasSound) return [];
    const tookMs = Math.round(completedAtMs - invokedAtMs);
    const isAnswered = result === 'ok' || wasRefused;
    if (isAnswered && tookMs <= withinMs) return [];
    const detail = `${region} answered ${result} after ${tookMs} ms at ${Math.round(invokedAtMs)} ms`;
    return [{ checker: 'availability', key: operation.key, detail }];
  });
}
