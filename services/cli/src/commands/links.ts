/**
 * `isthmus links`: the links between the regions of the demo, shown and disturbed. Cutting, delaying and hanging take
 * both directions between two regions; `one-way` cuts only what the first sends to the second.
 */
import { wrongUsage } from '../remote/cli-error.ts';
import type { Command } from '../remote/command.ts';
import { type Demo, requireDemo, unknownRegion } from '../remote/demo-choice.ts';
import { addressOptions, dryRunOption, readOptions } from '../remote/options.ts';
import { type Call, member, request } from '../remote/request.ts';
import { jsonLine, table, textOf } from '../remote/show.ts';

const usage = `isthmus links [--json]   (each form takes --demo PID)
       isthmus links cut|one-way|hang REGION REGION [--dry-run]
       isthmus links delay REGION REGION MILLISECONDS [--dry-run]
       isthmus links heal [REGION REGION] [--dry-run]`;

const actions = ['cut', 'one-way', 'hang', 'delay', 'heal'] as const;
type Action = (typeof actions)[number];

interface LinkState {
  readonly origin: string;
  readonly target: string;
  readonly state: 'ok' | 'cut' | 'delay' | 'hang';
  readonly delayMs?: number;
}

const states: Readonly<Record<Action, LinkState['state']>> = {
  cut: 'cut',
  'one-way': 'cut',
  hang: 'hang',
  delay: 'delay',
  heal: 'ok',
};

const { json, demo: demoOption } = addressOptions;
const chosenOptions = { json, demo: demoOption, ...dryRunOption };

export const links: Command = {
  name: 'links',
  summary: "Show, cut, delay and heal the demo's links",
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, chosenOptions, usage);
    const [word, ...rest] = positionals;
    const plan = word === undefined ? null : planOf(word, rest);
    const demo = await requireDemo(values.demo, io);
    const calls = plan === null ? [] : linkStates(plan, demo).map((body) => callOf(demo, body));
    io.note(`Links of demo ${demo.pid} (${demo.control})\n`);
    if (values['dry-run']) {
      io.out(values.json ? jsonLine({ dryRun: true, requests: calls }) : showCalls(calls));
      return 0;
    }
    for (const call of calls) await request(call);
    const all = await request({ method: 'GET', url: `${demo.control}/links` });
    io.out(values.json ? jsonLine(all) : showLinks(all));
    return 0;
  },
};

interface Plan {
  readonly action: Action;
  /** `null`: all links. */
  readonly between: readonly [string, string] | null;
  readonly delayMs: number | null;
}

function planOf(word: string, rest: readonly string[]): Plan {
  const action = actions.find((known) => known === word);
  if (action === undefined)
    throw wrongUsage(`${JSON.stringify(word)} is not one of ${actions.join(', ')}\nusage: ${usage}`);
  const [from, to, delay, ...more] = rest;
  if (action === 'heal' && from === undefined) return { action, between: null, delayMs: null };
  const surplus = action === 'delay' ? more.length : Number(delay !== undefined);
  if (from === undefined || to === undefined || from === to || surplus > 0)
    throw wrongUsage(`links ${action} takes two different regions\nusage: ${usage}`);
  return { action, between: [from, to], delayMs: action === 'delay' ? parseDelay(delay) : null };
}

const maxDelayMs = 60_000;

function parseDelay(text: string | undefined): number {
  const delayMs = /^[0-9]{1,5}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (delayMs <= maxDelayMs) return delayMs;
  throw wrongUsage(`links delay takes milliseconds from 0 to ${maxDelayMs}, each way\nusage: ${usage}`);
}

function linkStates({ action, between, delayMs }: Plan, demo: Demo): readonly LinkState[] {
  const names = demo.regions.map((region) => region.region);
  for (const name of between ?? []) if (!names.includes(name)) throw unknownRegion(demo, name);
  const pairs = names.flatMap((origin) => names.map((target) => ({ origin, target })));
  const chosen = pairs.filter(({ origin, target }) => {
    if (origin === target) return false;
    if (between === null) return true;
    const [from, to] = between;
    return (origin === from && target === to) || (action !== 'one-way' && origin === to && target === from);
  });
  return chosen.map((pair) => ({ ...pair, state: states[action], ...(delayMs === null ? {} : { delayMs }) }));
}

function callOf(demo: Demo, body: LinkState): Call {
  return { method: 'POST', url: `${demo.control}/links`, body };
}

function showCalls(calls: readonly Call[]): string {
  return calls.map((call) => `${call.method} ${call.url} ${JSON.stringify(call.body)}\n`).join('');
}

function showLinks(answer: unknown): string {
  const list = Array.isArray(answer) ? answer : member(answer, 'links');
  const rows = (Array.isArray(list) ? list : []).map((link: unknown) =>
    ['origin', 'target', 'state', 'delayMs'].map((name) => textOf(member(link, name), '')),
  );
  return table([['ORIGIN', 'TARGET', 'STATE', 'DELAY MS'], ...rows]);
}
