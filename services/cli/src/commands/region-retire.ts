/**
 * `isthmus region retire NAME`: says for good that a region is retired, at every survivor that can be reached; the others
 * hear of it from these, and decide with them how far its changes are kept and who inherits its rights as soon as all of
 * them can be heard. Nothing more is taken of it from the first word on. It cannot be taken back, and done twice it goes on
 * where it was. Exit code 3 where a survivor could not be reached, so that the end of it was not seen, 1 where it was
 * interrupted or the survivors agreed on another heir. What it wrote beyond that is exported from it, should it come back,
 * and issued again elsewhere.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Target, findTargets } from '../remote/addresses.ts';
import { CliError, type ExitCode } from '../remote/cli-error.ts';
import type { CommandIo } from '../remote/command.ts';
import { member, refusal, request, send } from '../remote/request.ts';
import { jsonLine, table, textOf } from '../remote/show.ts';
import type { RegionArguments } from './region.ts';

const pollMs = 300;

interface Standing {
  readonly region: string;
  readonly state: string;
  readonly heir: string | null;
  /** Survivors whose word is missing. */
  readonly waitsFor: readonly string[];
}

interface Asked {
  readonly target: Target;
  readonly standing: Standing;
  readonly failure: CliError | null;
  /** Whom it counts among the survivors; empty where it did not answer. */
  readonly survivors: readonly string[];
}

export async function retireRegion(
  name: string,
  values: RegionArguments['values'],
  io: CommandIo,
): Promise<ExitCode> {
  const { admin: given, demo, heir, json, 'dry-run': dryRun } = values;
  const found = await findTargets({ listener: 'admin', given, demo, region: undefined, io });
  const survivors = found.filter((target) => target.region !== name);
  const all = await Promise.all(survivors.map((target) => ask(target, { name, heir, dryRun })));
  const asked = withoutGone(all.flatMap((each) => each ?? []));
  if (asked.length === 0)
    throw new CliError(
      1,
      `Nobody was told: of those asked, none is a survivor of ${name}. Name survivors with --admin.`,
    );
  const failures = asked.flatMap(({ failure }) => failure ?? []);
  const [first] = failures;
  if (first !== undefined && failures.length === asked.length) throw first;
  const answered = asked.filter(({ failure }) => failure === null);
  const standings = dryRun ? [] : await standingsOf(answered, { name, isSeenOnce: failures.length > 0 }, io);
  const unreached = asked.filter(({ failure }) => failure !== null);
  const shown = dryRun ? asked : unreached;
  print([...standings, ...shown.map(({ standing }) => standing)], json, io);
  if (failures.length > 0) return unfinished(dryRun, io);
  const isOther = heir !== undefined && standings.some((each) => each.heir !== null && each.heir !== heir);
  return isOther || standings.some(({ state }) => state !== 'retired') ? 1 : 0;
}

interface Wish {
  readonly name: string;
  readonly heir: string | undefined;
  readonly dryRun: boolean;
}

/** One that cannot be reached does not stop the others; `null`: it is gone itself. Throws where it refuses. */
async function ask(target: Target, { name, heir, dryRun }: Wish): Promise<Asked | null> {
  const query = dryRun ? '?dryRun=true' : '';
  const url = `${target.url}/v1/regions/${encodeURIComponent(name)}/close${query}`;
  const none = { heir: null, waitsFor: [] };
  try {
    const sent = await send({ method: 'POST', url, body: { heir: heir ?? null } });
    const answer = sent.body;
    if (sent.status >= 400 && member(answer, 'code') === 'region-retired') return null;
    if (sent.status >= 400) throw refusal(sent);
    const at = textOf(member(answer, 'region'), target.url);
    const standing = { region: at, state: dryRun ? 'would be asked' : 'closed', ...none };
    const survivors = member(answer, 'survivors');
    return {
      target: { ...target, region: at },
      standing,
      failure: null,
      survivors: Array.isArray(survivors) ? survivors.map(String) : [],
    };
  } catch (failure) {
    if (!(failure instanceof CliError) || failure.exitCode !== 3) throw failure;
    const standing = { region: target.region ?? target.url, state: 'unreachable', ...none };
    return { target, standing, failure, survivors: [] };
  }
}

/** Nobody waits for a region that is gone already. */
function withoutGone(asked: readonly Asked[]): readonly Asked[] {
  const survivors = new Set(asked.flatMap((each) => each.survivors));
  const isGone = ({ target, failure }: Asked) =>
    failure !== null && survivors.size > 0 && target.region !== null && !survivors.has(target.region);
  return asked.filter((each) => !isGone(each));
}

function unfinished(dryRun: boolean, io: CommandIo): ExitCode {
  const rest = dryRun
    ? ''
    : ' Nothing is taken of the region any more; those that were not reached hear of it from the others, and all of them agree by themselves then. Run the command again to see it.';
  io.note(`Not every survivor could be reached.${rest}\n`);
  return 3;
}

/** As long as it takes, unless it cannot be seen to the end. */
async function standingsOf(
  asked: readonly Asked[],
  { name, isSeenOnce }: { readonly name: string; readonly isSeenOnce: boolean },
  io: CommandIo,
): Promise<readonly Standing[]> {
  for (;;) {
    const standings = await Promise.all(asked.map(({ target }) => look(target, name)));
    const isOver = standings.every(({ state }) => state === 'retired');
    if (isOver || isSeenOnce || io.interrupted.aborted) return standings;
    io.progress(standings.map(textOfStanding).join('; '));
    await pause(pollMs, undefined, { signal: io.interrupted }).catch(() => undefined);
  }
}

function textOfStanding({ region: of, state, waitsFor }: Standing): string {
  return `${of}: ${state}${waitsFor.length === 0 ? '' : `, waits for ${waitsFor.join(', ')}`}`;
}

async function look({ url, region: of }: Target, name: string): Promise<Standing> {
  const all = member(await request({ method: 'GET', url: `${url}/v1/retired` }), 'retired');
  const found: unknown = Array.isArray(all) ? all.find((each) => member(each, 'region') === name) : undefined;
  const waitsFor = member(found, 'waitsFor');
  const heir = member(found, 'heir');
  return {
    region: of ?? url,
    state: textOf(member(found, 'state'), 'unknown'),
    heir: typeof heir === 'string' ? heir : null,
    waitsFor: Array.isArray(waitsFor) ? waitsFor.map(String) : [],
  };
}

function print(standings: readonly Standing[], json: boolean, io: CommandIo): void {
  io.progress('');
  const rows = standings.map(({ region: of, state, heir, waitsFor }) => [
    of,
    state,
    heir ?? '-',
    waitsFor.join(', '),
  ]);
  io.out(
    json ? jsonLine({ regions: standings }) : table([['REGION', 'STATE', 'HEIR', 'WAITS FOR'], ...rows]),
  );
}
