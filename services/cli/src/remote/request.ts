/**
 * One request to a listener of a region or to the demo's controls. A region that cannot be reached ends the command
 * with exit code 3, a refusal with 1 and the reason that the region gave.
 */
import { CliError } from './cli-error.ts';

export interface Call {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'DELETE' | 'POST';
  readonly url: string;
  readonly body?: unknown;
}

/** How long an answer is waited for, where it takes longer than most. */
interface Patience {
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const ordinary: Patience = { timeoutMs: 15_000 };

/** From the question mark on, or nothing where no parameter has a value: not every version of Node leaves a lone mark out. */
export function queryOf(parameters: Readonly<Record<string, string | null>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== null) search.set(name, value);
  return search.size === 0 ? '' : `?${search.toString()}`;
}

/** Resolves for every status; throws `CliError` 3 where no answer comes. */
export async function send(call: Call, { timeoutMs }: Patience = ordinary): Promise<Answer> {
  const body =
    call.body === undefined
      ? {}
      : { body: JSON.stringify(call.body), headers: { 'content-type': 'application/json' } };
  try {
    const response = await fetch(call.url, {
      method: call.method,
      signal: AbortSignal.timeout(timeoutMs),
      ...body,
    });
    return { status: response.status, body: parseBody(await response.text()) };
  } catch (error) {
    const { origin } = new URL(call.url);
    throw new CliError(
      3,
      `${origin} cannot be reached: ${reasonOf(error, timeoutMs)}. Is the region running, and the address right?`,
      {
        cause: error,
      },
    );
  }
}

/** The body of a success; throws `CliError` 1 with the problem otherwise. */
export async function request(call: Call, patience: Patience = ordinary): Promise<unknown> {
  const answer = await send(call, patience);
  if (answer.status < 400) return answer.body;
  throw refusal(answer);
}

export function refusal({ status, body }: Answer): CliError {
  const code = textMember(body, 'code') ?? String(status);
  const detail = textMember(body, 'detail') ?? 'no reason given';
  const instance = textMember(body, 'instance');
  return new CliError(1, `${code}: ${detail}${instance === null ? '' : ` (request ${instance})`}`);
}

/** A member of an answer; `undefined` where there is none. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

function textMember(value: unknown, name: string): string | null {
  const text = member(value, name);
  return typeof text === 'string' ? text : null;
}

/** As JSON where it is some, else the text. */
export function parseBody(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return error.message;
}
