/**
 * From a write's acknowledgement over HTTP to its visibility at the peer, at a steady rate, and the latency of the
 * writes themselves from the moment they were due. One write in twenty is followed, so that following costs little.
 */
import { HttpLanes } from '../http-lane.ts';
import { Latency } from '../histogram.ts';
import { measure } from '../measure.ts';
import { openLoop, type OpenLoopResult } from '../open-loop.ts';
import type { Context, Findings, Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { putOne } from '../writes.ts';
import { LoadError } from '../errors.ts';
import { hopLines, readHops } from './hops.ts';
import { PeerPoll } from './peer-poll.ts';

const connections = 64;
const followedOneIn = 20;
/** The engines' compilers work for about as long on what a write passes through, on processors that are full without them. */
const warmMs = 20_000;
const drainMs = 30_000;

interface Run {
  readonly sent: OpenLoopResult;
  readonly visible: Latency;
  readonly resolution: Latency;
}

export const visible: Scenario = {
  name: 'visible',
  run: async (context) => {
    const { demo, effort, say } = context;
    const lanes = new HttpLanes(demo.origin.api, connections);
    const runs: Run[] = [];
    let way: readonly string[] = [];
    try {
      await oneRun(context, lanes, Math.min(warmMs, 2 * effort.stretchMs));
      const before = await readHops(demo);
      for (let run = 0; run < effort.runs; run++) {
        await settle(demo);
        const found = await oneRun(context, lanes, effort.stretchMs);
        const { p50Ms, p99Ms, maxMs } = found.visible.summary();
        say(
          `  run ${run + 1}: visible after p50 ${p50Ms.toFixed(2)} p99 ${p99Ms.toFixed(2)} max ${maxMs.toFixed(1)} ms`,
        );
        runs.push(found);
      }
      way = hopLines(before, await readHops(demo));
    } finally {
      lanes.close();
    }
    const found = findings(runs, effort.visiblePerS);
    return { ...found, notes: [...found.notes, ...way] };
  },
};

async function oneRun(
  { demo, workload, effort }: Context,
  lanes: HttpLanes,
  durationMs: number,
): Promise<Run> {
  const poll = await PeerPoll.open(demo.target.database);
  const following: Promise<void>[] = [];
  try {
    const sent = await openLoop({
      ratePerS: effort.visiblePerS,
      durationMs,
      maxOutstanding: effort.visiblePerS * 5,
      drainMs,
      send: async (index) => {
        const write = workload.next();
        const isFollowed = index % followedOneIn === 0;
        const marker = `mark ${index.toString(36)}-${workload.turn.toString(36)} `;
        const value = isFollowed ? { ...write.value, status: marker } : write.value;
        await putOne(lanes, { key: write.key, value });
        if (isFollowed) following.push(poll.follow(write.key, marker));
      },
    });
    await allVisible(following);
    return { sent, visible: poll.visible, resolution: poll.resolution };
  } finally {
    await poll.close();
  }
}

async function allVisible(following: readonly Promise<void>[]): Promise<void> {
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new LoadError('not-in-time', `writes were not visible within ${drainMs} ms`));
    setTimeout(fail, drainMs).unref();
  });
  await Promise.race([Promise.all(following), late]);
}

function findings(runs: readonly Run[], ratePerS: number): Findings {
  const seen = runs.map((run) => run.visible.summary());
  const written = runs.map((run) => run.sent.latency.summary());
  const allSeen = joined(runs.map((run) => run.visible)).summary();
  const allWritten = joined(runs.map((run) => run.sent.latency)).summary();
  const resolution = joined(runs.map((run) => run.resolution)).summary();
  const lateness = joined(runs.map((run) => run.sent.lateness)).summary();
  return {
    measures: [
      measure(
        'commit_to_visible_p50_ms',
        'ms',
        seen.map(({ p50Ms }) => p50Ms),
      ),
      measure(
        'commit_to_visible_p99_ms',
        'ms',
        seen.map(({ p99Ms }) => p99Ms),
      ),
      measure(
        'commit_to_visible_max_ms',
        'ms',
        seen.map(({ maxMs }) => maxMs),
      ),
      measure(
        'http_write_p50_ms',
        'ms',
        written.map(({ p50Ms }) => p50Ms),
      ),
      measure(
        'http_write_p99_ms',
        'ms',
        written.map(({ p99Ms }) => p99Ms),
      ),
      measure(
        'http_write_max_ms',
        'ms',
        written.map(({ maxMs }) => maxMs),
      ),
    ],
    notes: [
      `${allSeen.count} of ${allWritten.count} writes were followed at ${ratePerS} writes/s; a time to visible is known ` +
        `to ±${resolution.p50Ms.toFixed(2)} ms (p50; p99 ±${resolution.p99Ms.toFixed(2)} ms).`,
      ...lossNotes(runs),
      `Write latency counts from when a write was due; the generator itself sent it ${lateness.p50Ms.toFixed(2)} ms (p50), ` +
        `${lateness.p99Ms.toFixed(2)} ms (p99) after that.`,
    ],
    plots: [
      {
        kind: 'percentiles',
        title: `Latency at ${ratePerS} writes/s`,
        unit: 'ms',
        series: [
          { name: 'commit to visible', points: allSeen.curve },
          { name: 'HTTP write', points: allWritten.curve },
        ],
      },
    ],
  };
}

/** What was not answered has no latency, so it must be said. */
function lossNotes(runs: readonly Run[]): readonly string[] {
  const failed = runs.reduce((sum, { sent }) => sum + sent.failed, 0);
  const dropped = runs.reduce((sum, { sent }) => sum + sent.dropped, 0);
  if (failed + dropped === 0) return [];
  const first = runs.find(({ sent }) => sent.firstFailure !== null)?.sent.firstFailure ?? 'none';
  return [`THE RATE WAS NOT BORNE: ${failed} writes failed (first: ${first}), ${dropped} were not sent.`];
}

function joined(parts: readonly Latency[]): Latency {
  const all = new Latency();
  for (const part of parts) all.add(part);
  return all;
}
