/** The process's own log: one JSON line for each entry, with the region's name and a level in words. */
import { type Logger, pino, stdTimeFunctions } from 'pino';
import type { Config } from './config.ts';

export function createLog({ region, logLevel }: Pick<Config, 'region' | 'logLevel'>): Logger {
  return pino({
    level: logLevel,
    base: { region },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
