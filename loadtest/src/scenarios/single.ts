/**
 * Single-record writes over HTTP from 64 callers, each waiting for its answer, against `pg` alone with 64 connections
 * that commit one row at a time. Both go to the same server in alternating rounds; a round of the one begins when the
 * other has left nothing to do.
 */
import { HttpLanes } from '../http-lane.ts';
import { measure, ratios, spreadOf } from '../measure.ts';
import { RawWriter } from '../peers/raw-writer.ts';
import type { Context, Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { putOne } from '../writes.ts';

const connections = 64;

export const single: Scenario = {
  name: 'single',
  run: async (context) => {
    const { demo, workload, effort, say } = context;
    const lanes = new HttpLanes(demo.origin.api, connections);
    const raw = await RawWriter.open(demo.origin.database, workload, connections);
    const ours: number[] = [];
    const theirs: number[] = [];
    try {
      await httpRound(context, lanes);
      await raw.round(Math.min(2_000, effort.stretchMs));
      for (let run = 0; run < effort.runs; run++) {
        await settle(demo);
        ours.push(await httpRound(context, lanes));
        await settle(demo);
        theirs.push(await raw.round(effort.stretchMs));
        say(
          `  run ${run + 1}: HTTP ${ours.at(-1)?.toFixed(0)} writes/s, raw pg ${theirs.at(-1)?.toFixed(0)}`,
        );
      }
    } finally {
      lanes.close();
      await raw.close();
    }
    const anchor = { name: `raw pg, ${connections} connections`, unit: 'writes/s', ...spreadOf(theirs) };
    return {
      measures: [
        measure('write_ratio_to_raw_pg', 'ratio', ratios(ours, theirs), anchor),
        measure('http_single_per_s', 'writes/s', ours),
      ],
      notes: ['The path to the peer runs during the rounds over HTTP; raw pg has the machine to itself.'],
      plots: [
        {
          kind: 'bars',
          title: `One-record writes, ${connections} connections`,
          unit: 'writes/s',
          bars: [
            { name: 'Isthmus over HTTP', ...spreadOf(ours) },
            { name: 'raw pg', ...spreadOf(theirs) },
          ],
        },
      ],
    };
  },
};

/** Acknowledged writes a second. */
async function httpRound({ workload, effort }: Context, lanes: HttpLanes): Promise<number> {
  const startMs = performance.now();
  const endMs = startMs + effort.stretchMs;
  let acknowledged = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await putOne(lanes, workload.next());
      acknowledged++;
    }
  };
  await Promise.all(Array.from({ length: connections }, caller));
  return (acknowledged * 1000) / (performance.now() - startMs);
}
