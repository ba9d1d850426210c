/**
 * What a command is to the frame that runs it: a name, a help text and a function from arguments to an exit code.
 * A command writes through `CommandIo` alone, so that a test reads what a person would see.
 */
import type { Demo } from './addresses.ts';
import type { ExitCode } from './cli-error.ts';

export interface CommandIo {
  readonly out: (text: string) => void;
  /** Of the environment: `ISTHMUS_API` and `ISTHMUS_ADMIN`; empty where not set. */
  readonly api: string;
  readonly admin: string;
  /** The running demo; `null`: none runs. */
  readonly readDemo: () => Promise<Demo | null>;
  /** All of standard input. */
  readonly readInput: () => Promise<string>;
  /** Aborted when the user interrupts. */
  readonly interrupted: AbortSignal;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  /** Throws `CliError`. */
  readonly run: (args: readonly string[], io: CommandIo) => Promise<ExitCode>;
}
