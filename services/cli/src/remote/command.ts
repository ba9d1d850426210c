/**
 * What a command is to the frame that runs it: a name, a help text and a function from arguments to an exit code.
 * A command writes through `CommandIo` alone, so that a test reads what a person would see.
 */
import type { ExitCode } from './cli-error.ts';
import type { Demo } from './demo-choice.ts';

export interface CommandIo {
  readonly out: (text: string) => void;
  /** Says beside the result what a person should know, so that a program still reads the result alone. */
  readonly note: (text: string) => void;
  /** On a terminal shows how far long work has come, in place of what it showed before; empty: nothing more. */
  readonly progress: (text: string) => void;
  /** Of the environment: `ISTHMUS_API`, `ISTHMUS_ADMIN` and `ISTHMUS_DEMO`; empty where not set. */
  readonly api: string;
  readonly admin: string;
  readonly demo: string;
  /** Every demo that runs on this machine. */
  readonly readDemos: () => Promise<readonly Demo[]>;
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
