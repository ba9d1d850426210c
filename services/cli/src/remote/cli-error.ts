/**
 * Why a command ends without having done its work, with the exit code that scripts rely on: 1 the answer is no, 2
 * wrong usage, 3 cannot reach. The message says what to do about it.
 */
export type ExitCode = 0 | 1 | 2 | 3;

export class CliError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}

export function wrongUsage(message: string): CliError {
  return new CliError(2, message);
}
