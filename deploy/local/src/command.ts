/**
 * Runs a helper program to its end and returns what it printed.
 * Output is bounded, time is bounded, and a failure is a value that carries the tail of what the
 * program said, so that the caller can decide whether it matters. It ends with this process, however
 * that ends. It must never be used for servers: those have a life of their own (`server-child.ts`).
 */
import { type ExecFileOptions, execFile } from 'node:child_process';
import { systemCode } from './errors.ts';
import { reapProcess } from './reaper.ts';

const outputLimitBytes = 4 * 1024 * 1024;
const tailCharacters = 2_000;

export type CommandResult =
  | { readonly kind: 'done'; readonly output: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly exitCode: number | undefined; readonly tail: string };

export interface CommandOptions extends Pick<ExecFileOptions, 'cwd' | 'env' | 'uid' | 'gid'> {
  readonly timeoutMs: number;
  /** Called with each piece of standard output and standard error as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** Runs `program` and gives its standard output and standard error together; never rejects. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const { timeoutMs, onOutput, ...rest } = options;
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...args],
      { ...rest, timeout: timeoutMs, maxBuffer: outputLimitBytes, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        forget();
        if (error === null) return resolve({ kind: 'done', output: `${stdout}${stderr}` });
        if (systemCode(error) === 'ENOENT') return resolve({ kind: 'absent' });
        const tail = `${stdout}${stderr}`.trim().slice(-tailCharacters) || error.message;
        const exitCode = typeof error.code === 'number' ? error.code : undefined;
        return resolve({ kind: 'failed', exitCode, tail });
      },
    );
    const forget = child.pid === undefined ? (): void => {} : reapProcess(child.pid);
    child.stdin?.end();
    if (onOutput === undefined) return;
    child.stdout?.on('data', (chunk: Buffer | string) => onOutput(String(chunk)));
    child.stderr?.on('data', (chunk: Buffer | string) => onOutput(String(chunk)));
  });
}
