/**
 * Where a process's time went, from a CPU profile as `node --cpu-prof` writes it: self time by package or part of ours,
 * and by function. Waiting for work does not count, so shares are of busy time. Functions that did nothing measurable
 * are left out.
 */
import { z } from 'zod';

const profile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

export interface Share {
  readonly name: string;
  readonly ms: number;
  /** Of busy time, 0 to 1. */
  readonly share: number;
}

export interface ProfileSummary {
  readonly busyMs: number;
  readonly areas: readonly Share[];
  readonly functions: readonly Share[];
}

const waiting = new Set(['(idle)', '(program)', '(root)']);

export function summaryOf(text: string): ProfileSummary {
  const { nodes, samples, timeDeltas } = profile.parse(JSON.parse(text));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const areas = new Map<string, number>();
  const functions = new Map<string, number>();
  let busyMs = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || waiting.has(frame.functionName)) continue;
    const ms = (timeDeltas[index] ?? 0) / 1000;
    busyMs += ms;
    const area = areaOf(frame);
    add(areas, area, ms);
    add(functions, `${frame.functionName || '(anonymous)'} ${area}:${frame.lineNumber + 1}`, ms);
  }
  return { busyMs, areas: sharesOf(areas, busyMs), functions: sharesOf(functions, busyMs) };
}

function add(sums: Map<string, number>, name: string, ms: number): void {
  sums.set(name, (sums.get(name) ?? 0) + ms);
}

function sharesOf(sums: ReadonlyMap<string, number>, busyMs: number): readonly Share[] {
  const shares = [...sums].map(([name, ms]) => ({ name, ms, share: ms / Math.max(1, busyMs) }));
  return shares.toSorted((a, b) => b.ms - a.ms);
}

/** A package, a module of Node, one of our files, or what the engine of JavaScript does by itself. */
function areaOf({ functionName, url }: { readonly functionName: string; readonly url: string }): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native';
  const ofPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (ofPackage !== undefined) return ofPackage;
  if (url.startsWith('node:')) return url;
  return /(?:conflict|replication|services\/region|loadtest)\/dist\/.+$/.exec(url)?.[0] ?? url;
}
