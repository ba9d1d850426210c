/**
 * Single-record writes from 64 callers, each waiting for its answer: over HTTP, and through the engine in the writer's
 * process without HTTP, both against `pg` alone with 64 connections that commit one row at a time. All go to the same
 * server in alternating rounds; a round of the one begins when the other has left nothing to do.
 */
import { closedLoop, perSecond } from '../closed-loop.ts';
import { HttpLanes } from '../http-lane.ts';
import { measure, ratios, spreadOf } from '../measure.ts';
import { RawWriter } from '../peers/raw-writer.ts';
import type { Context, Findings, Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { putOne } from '../writes.ts';

const callers = 64;
const rawWarmMs = 2_000;

/** Writes a second in one run. */
export interface SingleRun {
  readonly http: number;
  readonly raw: number;
  readonly engine: number;
}

export const single: Scenario = {
  name: 'single',
  run: async (context) => {
    const { demo, workload, effort, say } = context;
    const lanes = new HttpLanes(demo.origin.api, callers);
    const raw = await RawWriter.open(demo.origin.database, workload, callers);
    const runs: SingleRun[] = [];
    try {
      await httpRound(context, lanes);
      await raw.round(Math.min(rawWarmMs, effort.stretchMs));
      await engineRound(context);
      await settle(demo);
      for (let run = 0; run < effort.runs; run++) {
        const found = await oneRun(context, { lanes, raw });
        say(
          `  run ${run + 1}: HTTP ${found.http.toFixed(0)} writes/s, raw pg ${found.raw.toFixed(0)}, engine ${found.engine.toFixed(0)}`,
        );
        runs.push(found);
      }
    } finally {
      lanes.close();
      await raw.close();
    }
    return singleFindings(runs);
  },
};

/** Raw `pg` comes between the other two, so both have it beside them. */
async function oneRun(
  context: Context,
  { lanes, raw }: { readonly lanes: HttpLanes; readonly raw: RawWriter },
): Promise<SingleRun> {
  const { demo, effort } = context;
  const http = await httpRound(context, lanes);
  await settle(demo);
  const rawPerS = await raw.round(effort.stretchMs);
  const engine = await engineRound(context);
  await settle(demo);
  return { http, raw: rawPerS, engine };
}

/** Acknowledged writes a second. */
async function httpRound({ workload, effort }: Context, lanes: HttpLanes): Promise<number> {
  const send = () => putOne(lanes, workload.next());
  return perSecond(await closedLoop({ callers, durationMs: effort.stretchMs, send }));
}

/** Acknowledged writes a second. */
async function engineRound({ writer, effort }: Context): Promise<number> {
  const { acknowledged, elapsedMs } = await writer.writeFrom(callers, effort.stretchMs);
  return perSecond({ done: acknowledged, elapsedMs });
}

export function singleFindings(runs: readonly SingleRun[]): Findings {
  const ours = runs.map(({ http }) => http);
  const theirs = runs.map(({ raw }) => raw);
  const alone = runs.map(({ engine }) => engine);
  const anchor = { name: `raw pg, ${callers} connections`, unit: 'writes/s', ...spreadOf(theirs) };
  return {
    measures: [
      measure('write_ratio_to_raw_pg', 'ratio', ratios(ours, theirs), anchor),
      measure('engine_write_ratio_to_raw_pg', 'ratio', ratios(alone, theirs), anchor),
      measure('http_single_per_s', 'writes/s', ours),
      measure('engine_single_per_s', 'writes/s', alone),
    ],
    notes: [
      'The path to the peer runs during the rounds over HTTP and through the engine; raw pg has the machine to itself.',
    ],
    plots: [
      {
        kind: 'bars',
        title: `One-record writes, ${callers} callers`,
        unit: 'writes/s',
        bars: [
          { name: 'Isthmus over HTTP', ...spreadOf(ours) },
          { name: 'raw pg', ...spreadOf(theirs) },
          { name: 'Isthmus without HTTP', ...spreadOf(alone) },
        ],
      },
    ],
  };
}
