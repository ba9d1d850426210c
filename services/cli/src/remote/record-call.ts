/** What the record commands share: where a record lives, and the dry run of a write. */
import { type Target, findTarget, placeOf } from './addresses.ts';
import { CliError } from './cli-error.ts';
import type { CommandIo } from './command.ts';
import { type Call, refusal, request, send } from './request.ts';
import { jsonLine, prettyJson } from './show.ts';

export interface RecordOptions {
  readonly api?: readonly string[] | undefined;
  readonly region?: string | undefined;
  readonly demo?: string | undefined;
  readonly json: boolean;
}

export interface RecordPlace {
  readonly target: Target;
  readonly url: string;
}

export async function findRecord(
  options: RecordOptions,
  name: { readonly collection: string; readonly key: string },
  io: CommandIo,
): Promise<RecordPlace> {
  const { api, region, demo } = options;
  const target = await findTarget({
    listener: 'api',
    given: api,
    demo,
    region,
    io,
  });
  const path = `/v1/collections/${encodeURIComponent(name.collection)}/records/${encodeURIComponent(name.key)}`;
  return { target, url: `${target.url}${path}` };
}

export interface WriteOptions extends RecordOptions {
  readonly dryRun: boolean;
}

interface Write {
  readonly target: Target;
  readonly call: Call;
}

/** Sends the write and prints the record, or with a dry run prints the request and the record as it is. */
export async function write({ target, call }: Write, options: WriteOptions, io: CommandIo): Promise<void> {
  const print = options.json ? jsonLine : prettyJson;
  if (options.dryRun) {
    const current = await readCurrent(call.url);
    io.out(print({ dryRun: true, request: call, current }));
    io.note(`Nothing was done in ${placeOf(target)}\n`);
    return;
  }
  const answer = await request(call);
  io.out(print(answer ?? { deleted: true }));
  io.note(`Done in ${placeOf(target)}\n`);
}

/** `null` where the record does not exist. */
async function readCurrent(url: string): Promise<unknown> {
  const answer = await send({ method: 'GET', url });
  if (answer.status === 404) return null;
  if (answer.status >= 400) throw refusal(answer);
  return answer.body;
}

/** JSON from an argument, or from standard input where the argument is `-`. Throws `CliError` 2. */
export async function readJson(argument: string, io: CommandIo): Promise<unknown> {
  const text = argument === '-' ? await io.readInput() : argument;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliError(
      2,
      `Not JSON: ${text.slice(0, 60)}. Quote it for the shell, or send it with - on standard input.`,
      {
        cause: error,
      },
    );
  }
}
