/**
 * The end of the process in a fixed order, within a bounded time. A step that fails is logged and does not keep the
 * later ones from running; when the time is over the rest is left undone, which loses nothing acknowledged, because
 * replies leave only after their commit and everything else is taken up again by the next process.
 */
import type { Logger } from 'pino';

interface ShutdownStep {
  readonly name: string;
  readonly run: () => Promise<unknown>;
}

interface ShutdownOptions {
  readonly timeoutMs: number;
  readonly log: Logger;
}

/** True: every step succeeded in time. */
export async function shutDown(steps: readonly ShutdownStep[], options: ShutdownOptions): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      options.log.error({ timeoutMs: options.timeoutMs }, 'the shutdown took too long');
      resolve(false);
    }, options.timeoutMs);
  });
  return Promise.race([runAll(steps, options.log), late]).finally(() => clearTimeout(timer));
}

async function runAll(steps: readonly ShutdownStep[], log: Logger): Promise<boolean> {
  let clean = true;
  for (const { name, run } of steps) {
    try {
      await run();
      log.debug({ step: name }, 'shutdown step done');
    } catch (error) {
      clean = false;
      log.error({ step: name, err: error }, 'shutdown step failed');
    }
  }
  return clean;
}
