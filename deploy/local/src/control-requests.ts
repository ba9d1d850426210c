/**
 * What the control address does with a request: checks it against its schema and against the cluster,
 * then carries it out. Every refusal names the field, the rule, what it takes and what it held.
 * Bad input never reaches a link or a process.
 */
import { z } from 'zod';
import type { Cluster, ClusterRegion } from './cluster.ts';
import { linkStates, longestDelayMs, type LinkCondition } from './link-proxy.ts';
import type { Server } from './server.ts';

const processKinds = ['region', 'postgres', 'kafka'] as const;
const signals = ['SIGKILL', 'SIGSTOP', 'SIGCONT', 'start'] as const;
const shownCharacters = 100;

const linkRequest = z.strictObject({
  origin: z.string(),
  target: z.string(),
  state: z.enum(linkStates),
  delayMs: z.number().min(0).max(longestDelayMs).optional(),
});

const processRequest = z.strictObject({
  region: z.string(),
  process: z.enum(processKinds),
  signal: z.enum(signals),
});

export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface Violation {
  readonly field: string;
  readonly rule: string;
  readonly limit: unknown;
  readonly value: unknown;
}

export interface ControlProblem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly violations?: readonly Violation[];
}

export function problem({ status, code, detail, violations }: ControlProblem): ControlAnswer {
  const title = code.replaceAll('-', ' ');
  const body = { type: `/problems/${code}`, title, status, detail, code, violations: violations ?? [] };
  return { status, body };
}

export function setLink(cluster: Cluster, body: unknown): ControlAnswer {
  const parsed = linkRequest.safeParse(body);
  if (!parsed.success) return invalid(violationsOf(parsed.error, body, linkTakes));
  const { origin, target, state, delayMs } = parsed.data;
  const unknown = unknownRegions(cluster, { origin, target });
  if (unknown.length > 0) return invalid(unknown);
  const link = cluster.links.find(origin, target);
  if (link === undefined) {
    return invalid([
      { field: 'target', rule: 'other-region', limit: 'a region other than origin', value: target },
    ]);
  }
  const condition = linkCondition(state, delayMs);
  if (condition === undefined) {
    const limit = linkTakes['delayMs'];
    return invalid([{ field: 'delayMs', rule: 'required', limit, value: null }]);
  }
  const kafka = cluster.regions.find(({ region }) => region === origin)?.kafka ?? null;
  if (kafka !== null && kafka.listeners[target] === undefined) {
    const detail = `The Kafka of ${origin} was given from outside; its messages do not pass the link`;
    return problem({ status: 409, code: 'server-not-ours', detail });
  }
  link.set(condition);
  return { status: 200, body: link.report() };
}

/** Only the state `delay` looks at `delayMs`; it cannot do without. */
function linkCondition(
  state: LinkCondition['state'],
  delayMs: number | undefined,
): LinkCondition | undefined {
  if (state !== 'delay') return { state };
  return delayMs === undefined ? undefined : { state, delayMs };
}

export async function strikeProcess(cluster: Cluster, body: unknown): Promise<ControlAnswer> {
  const parsed = processRequest.safeParse(body);
  if (!parsed.success) return invalid(violationsOf(parsed.error, body, processTakes));
  const { region: name, process, signal } = parsed.data;
  const region = cluster.regions.find((each) => each.region === name);
  if (region === undefined) return invalid(unknownRegions(cluster, { region: name }));
  const server = serverOf(region, process);
  if (server === null) {
    const detail = `The region ${name} has no Kafka: its log lies in its Postgres; this takes region or postgres`;
    return problem({ status: 409, code: 'no-kafka', detail });
  }
  const refusal = stateRefusal(server, signal, `${process} of ${name}`);
  if (refusal !== undefined) return problem(refusal);
  if (signal !== 'start') await server.kill(signal);
  else if (server.state() === 'ended') await server.restart();
  return { status: 200, body: { region: name, process, signal, state: server.state(), pid: server.pid() } };
}

/** Every server with its state and the number of its newest process, 0 where it is not ours. */
export function listProcesses(cluster: Cluster): ControlAnswer {
  const processes = cluster.regions.flatMap((region) =>
    processKinds.flatMap((process) => {
      const server = serverOf(region, process);
      if (server === null) return [];
      return [{ region: region.region, process, state: server.state(), pid: server.pid() }];
    }),
  );
  return { status: 200, body: { processes } };
}

/** `null`: the region has none. */
function serverOf(region: ClusterRegion, process: (typeof processKinds)[number]): Server | null {
  return process === 'region' ? region.process : region[process];
}

/** Starting what runs is no error, so that a script may begin by making sure. */
function stateRefusal(
  server: Server,
  signal: (typeof signals)[number],
  what: string,
): ControlProblem | undefined {
  const state = server.state();
  if (signal === 'start' && state === 'paused') {
    return { status: 409, code: 'paused', detail: `The ${what} is paused; it takes SIGCONT or SIGKILL` };
  }
  if (signal !== 'start' && state === 'ended') {
    return { status: 409, code: 'not-running', detail: `The ${what} has ended; it takes start` };
  }
  return undefined;
}

const linkTakes: Readonly<Record<string, string>> = {
  origin: 'a region',
  target: 'a region other than origin',
  state: linkStates.join(', '),
  delayMs: `milliseconds each way, 0 to ${longestDelayMs}, with the state delay`,
};

const processTakes: Readonly<Record<string, string>> = {
  region: 'a region',
  process: processKinds.join(', '),
  signal: signals.join(', '),
};

function unknownRegions(cluster: Cluster, named: Readonly<Record<string, string>>): readonly Violation[] {
  const known = cluster.regions.map(({ region }) => region);
  return Object.entries(named)
    .filter(([, region]) => !known.includes(region))
    .map(([field, region]) => ({ field, rule: 'known-region', limit: known, value: shown(region) }));
}

function violationsOf(
  error: z.ZodError,
  body: unknown,
  takes: Readonly<Record<string, string>>,
): readonly Violation[] {
  return error.issues.flatMap((issue): readonly Violation[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((field) => ({
        field: field.slice(0, shownCharacters),
        rule: 'unknown-field',
        limit: Object.keys(takes),
        value: shown(memberOf(body, field)),
      }));
    }
    const field = String(issue.path[0] ?? '');
    const value = field === '' ? body : memberOf(body, field);
    const rule = value === undefined ? 'required' : 'invalid';
    return [{ field, rule, limit: takes[field] ?? takes, value: shown(value) }];
  });
}

function memberOf(body: unknown, field: string): unknown {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, field)) return undefined;
  return Object.entries(body).find(([name]) => name === field)?.[1];
}

function shown(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.slice(0, shownCharacters);
}

function invalid(violations: readonly Violation[]): ControlAnswer {
  const fields = violations.map(({ field, limit }) => `${field || 'the body'} takes ${describe(limit)}`);
  return problem({ status: 422, code: 'invalid-value', detail: fields.join('; '), violations });
}

function describe(limit: unknown): string {
  if (typeof limit === 'string') return limit;
  return Array.isArray(limit) ? limit.join(', ') : JSON.stringify(limit);
}
