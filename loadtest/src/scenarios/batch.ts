/** Records a second through `POST /v1/batch` of a hundred, without growing lag at the peer. */
import { measure } from '../measure.ts';
import type { Scenario } from '../scenario.ts';
import { throughputPlot } from './engine.ts';
import { httpBatches } from './http-batch.ts';
import { fewerNotes, sustain } from './sustain.ts';

const startPerS = 4_000;

export const batch: Scenario = {
  name: 'batch',
  run: async (context) => {
    const batches = httpBatches(context);
    try {
      const held = await sustain(context, { startPerS, drive: batches.drive });
      const sustained = measure(
        'sustained_http_batch_per_s',
        'changes/s',
        held.map(({ perS }) => perS),
      );
      context.rates.set(sustained.name, sustained.median);
      const latencies = held.map(({ driven }) => driven.latency).filter((latency) => latency !== null);
      return {
        measures: [
          sustained,
          measure(
            'http_batch_p50_ms',
            'ms',
            latencies.map(({ p50Ms }) => p50Ms),
          ),
          measure(
            'http_batch_p99_ms',
            'ms',
            latencies.map(({ p99Ms }) => p99Ms),
          ),
        ],
        notes: fewerNotes(held.length, context.effort.runs),
        plots: [throughputPlot('Through POST /v1/batch of 100', held)],
      };
    } finally {
      batches.close();
    }
  },
};
