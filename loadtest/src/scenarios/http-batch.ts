/** How writing through `POST /v1/batch` is driven: a hundred records in a request, open loop, counted in records. */
import { HttpLanes } from '../http-lane.ts';
import { openLoop } from '../open-loop.ts';
import type { Context } from '../scenario.ts';
import { batchSize, putBatch } from '../writes.ts';
import type { Driver } from './sustain.ts';

const connections = 16;
const maxOutstanding = 400;
const drainMs = 10_000;

export interface HttpBatches {
  readonly drive: Driver['drive'];
  readonly close: () => void;
}

export function httpBatches({ demo, workload }: Context): HttpBatches {
  const lanes = new HttpLanes(demo.origin.api, connections);
  return {
    close: () => lanes.close(),
    drive: async ({ ratePerS, durationMs }, onAcknowledged) => {
      let acknowledged = 0;
      const { due, latency } = await openLoop({
        ratePerS: ratePerS / batchSize,
        durationMs,
        maxOutstanding,
        drainMs,
        send: async () => {
          await putBatch(lanes, workload);
          acknowledged += batchSize;
          onAcknowledged(acknowledged);
        },
      });
      return { due: due * batchSize, acknowledged, payloadBytes: null, latency: latency.summary() };
    },
  };
}
