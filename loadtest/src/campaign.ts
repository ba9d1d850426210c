/**
 * Runs the scenarios that were asked for, one after the other, on one demo, and makes the report. A scenario that fails
 * is reported as failed and does not keep the others from running; the demo, the writer and all they started end in any
 * case. Before anything is measured every key is written once, so that all writes are updates.
 */
import { availableParallelism, cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { attachDemo, type Demo, startDemo } from './demo.ts';
import { measureDemoReady } from './demo-ready.ts';
import { EngineWriter } from './engine-writer/engine-writer.ts';
import { partsOf, type Part, UsageWatch } from './machine/usage.ts';
import { measureTransfer } from './measure-transfer.ts';
import type { LoadOptions } from './options.ts';
import type { Report, Section } from './report.ts';
import type { Context, Findings, Scenario } from './scenario.ts';
import { backlog } from './scenarios/backlog.ts';
import { batch } from './scenarios/batch.ts';
import { cut } from './scenarios/cut.ts';
import { engine } from './scenarios/engine.ts';
import { held } from './scenarios/held.ts';
import { idleMeasure, memory } from './scenarios/memory.ts';
import { single } from './scenarios/single.ts';
import { visible } from './scenarios/visible.ts';
import { settle } from './settle.ts';
import { Workload } from './workload.ts';

const scenarios: readonly Scenario[] = [visible, single, backlog, engine, batch, memory, cut, held];
/** Those that are told beside what the processes had before any load. */
const besideIdle: ReadonlySet<string> = new Set(['memory', 'held']);
const idlePauseMs = 1_000;

type Say = (line: string) => void;

export async function runCampaign(options: LoadOptions, say: Say): Promise<Report> {
  const { only, effort, seed, isQuick } = options;
  const sections: Section[] = [];
  const workload = new Workload(seed, effort.keyCount);
  let log = options.log;
  if (only.includes('demo-ready')) sections.push(await demoReady(options, say));
  if (only.includes('transfer')) sections.push(await transfer(options, say));
  if (only.some((name) => name !== 'demo-ready' && name !== 'transfer')) {
    say(options.demo === '' ? 'Starting a demo tuned for long load' : `Driving the demo ${options.demo}`);
    const demo = await (options.demo === ''
      ? startDemo(['--log', options.log, '--delay', '0', '--long-load'])
      : attachDemo(options.demo));
    log = demo.log;
    try {
      sections.push(...(await onDemo(demo, { options, workload, say })));
    } finally {
      await demo.stop();
    }
  }
  const model = cpus()[0]?.model.trim() ?? 'unknown processors';
  return {
    startedAt: new Date(performance.timeOrigin).toISOString(),
    machine: `${availableParallelism()} × ${model}`,
    log,
    recordBytes: workload.meanBytes,
    isQuick,
    sections,
  };
}

function demoReady({ effort, log }: LoadOptions, say: Say): Promise<Section> {
  say('demo-ready: demos started one after the other');
  return watched('demo-ready', [{ name: 'demos', pid: process.pid, withChildren: false }], async () => ({
    measures: [await measureDemoReady(effort.runs, log, say)],
    notes: [],
    plots: [],
  }));
}

function transfer({ effort, seed }: LoadOptions, say: Say): Promise<Section> {
  say('transfer: two regions of their own');
  const parts = [{ name: 'load generator', pid: process.pid, withChildren: true }];
  const options = { records: effort.transferRecords, seed, say };
  return watched('transfer', parts, () => measureTransfer(options));
}

interface Given {
  readonly options: LoadOptions;
  readonly workload: Workload;
  readonly say: Say;
}

async function onDemo(demo: Demo, { options, workload, say }: Given): Promise<readonly Section[]> {
  const { only, effort, seed } = options;
  const sections: Section[] = [];
  if (only.some((name) => besideIdle.has(name))) sections.push(await idle(demo, effort.runs));
  const idleBefore = sections[0]?.measures[0] ?? null;
  const writer = await EngineWriter.open(demo, { seed: seed + 1, keyCount: effort.keyCount });
  try {
    say(`Writing ${effort.keyCount} records`);
    await writer.write(effort.keyCount);
    await settle(demo);
    const context: Context = { demo, writer, workload, effort, rates: new Map(), idle: idleBefore, say };
    for (const scenario of scenarios) {
      if (!only.some((name) => name === scenario.name)) continue;
      say(`${scenario.name}:`);
      const parts = await partsOf(demo, writer.pid);
      sections.push(await watched(scenario.name, parts, () => scenario.run(context)));
    }
  } finally {
    await writer.close();
  }
  return sections;
}

async function idle(demo: Demo, runs: number): Promise<Section> {
  const parts = await partsOf(demo, null);
  return watched('idle', parts, async () => ({
    measures: [await idleMeasure(demo, runs, () => delay(idlePauseMs))],
    notes: ['The larger region process of a demo before any load.'],
    plots: [],
  }));
}

async function watched(
  scenario: string,
  parts: readonly Part[],
  run: () => Promise<Findings>,
): Promise<Section> {
  const watch = await UsageWatch.start(parts);
  try {
    const findings = await run();
    return { scenario, ...findings, usage: await watch.usage(), failure: null };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { scenario, measures: [], notes: [], plots: [], usage: await watch.usage(), failure };
  }
}
