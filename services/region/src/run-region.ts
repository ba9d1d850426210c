/**
 * One life of the region process, from its configuration to its exit code. SIGTERM and SIGINT end it in order; a failed
 * assertion, and a database that is not this region's, end it at once, because going on could only do harm.
 */
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { createLog } from './create-log.ts';
import { type Opened, RegionProcess } from './region-process.ts';
import { describeStartFault } from './start-fault.ts';

/** Joins the parts on a database that answers; rejects as `RegionProcessOptions.open` does. */
export type OpenParts = (config: Config, log: Logger, isReady: () => Promise<boolean>) => Promise<Opened>;

const exitCodes = { failed: 1, bug: 70 } as const;

export async function runRegion(config: Config, openParts: OpenParts): Promise<void> {
  const log = createLog(config);
  const crash = (failure: unknown) => {
    log.fatal({ err: failure }, 'the process cannot go on');
    process.exit(exitCodes.bug);
  };
  process.on('uncaughtException', crash);
  const open = (isReady: () => Promise<boolean>) => openParts(config, log, isReady);
  const region = new RegionProcess({ config, log, crash: (failure) => setImmediate(crash, failure), open });
  const stop = () => {
    void region.stop().then((clean) => process.exit(clean ? 0 : exitCodes.failed));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    await region.start();
  } catch (error) {
    const fault = describeStartFault(error, config);
    if (fault === null) log.fatal({ err: error }, 'the region cannot start');
    else process.stderr.write(`${fault}\n`);
    await region.stop();
    process.exit(exitCodes.failed);
  }
}
