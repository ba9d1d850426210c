/**
 * Changes a second through the engine without HTTP, from a writer process beside the region's own, and the bytes that
 * cross the link while that rate runs: all of them, both ways, with beats, progress and Kafka's own protocol, against
 * the bytes of the deltas that the engine emitted.
 */
import { type Measure, measure } from '../measure.ts';
import type { Scenario } from '../scenario.ts';
import { fewerNotes, type Stretch, sustain, throughputOf } from './sustain.ts';

const startPerS = 6_000;

export const engine: Scenario = {
  name: 'engine',
  run: async (context) => {
    const { writer, rates } = context;
    const held = await sustain(context, {
      startPerS,
      drive: (load, onAcknowledged) => writer.runAt(load, onAcknowledged),
    });
    const sustained = measure(
      'sustained_changes_per_s',
      'changes/s',
      held.map(({ perS }) => perS),
    );
    rates.set(sustained.name, sustained.median);
    const waited = held.map(({ driven }) => driven.latency).filter((latency) => latency !== null);
    return {
      measures: [
        sustained,
        linkRatio(held),
        measure(
          'engine_write_p50_ms',
          'ms',
          waited.map(({ p50Ms }) => p50Ms),
        ),
        measure(
          'engine_write_p99_ms',
          'ms',
          waited.map(({ p99Ms }) => p99Ms),
        ),
      ],
      notes: [payloadNote(held), ...fewerNotes(held.length, context.effort.runs)],
      plots: [throughputPlot('Through the engine without HTTP', held)],
    };
  },
};

function linkRatio(held: readonly Stretch[]): Measure {
  const values = held.map(({ linkBytes, driven }) => linkBytes / Math.max(1, driven.payloadBytes ?? 0));
  return measure('link_bytes_ratio', 'ratio', values);
}

function payloadNote(held: readonly Stretch[]): string {
  const bytes = held.reduce((sum, { driven }) => sum + (driven.payloadBytes ?? 0), 0);
  const changes = held.reduce((sum, { driven }) => sum + driven.acknowledged, 0);
  return `A delta has ${(bytes / Math.max(1, changes)).toFixed(0)} bytes in the mean.`;
}

export function throughputPlot(title: string, held: readonly Stretch[]) {
  const newest = held.at(-1);
  const curves = newest === undefined ? { acknowledged: [], applied: [] } : throughputOf(newest);
  return {
    kind: 'over-time',
    title,
    unit: 'changes/s',
    series: [
      { name: 'acknowledged', points: curves.acknowledged },
      { name: 'applied at the peer', points: curves.applied },
    ],
  } as const;
}
