/** How tests open a listener that writes no log, cuts nobody in a hurry, and fails them where an assertion fails. */
import { pino } from 'pino';
import type { ListenerOptions } from './listener.ts';

export const quietListener: ListenerOptions = {
  region: 'eu',
  log: pino({ level: 'silent' }),
  crash: (failure) => {
    throw failure;
  },
  maxConnections: 1000,
  headersTimeoutMs: 5000,
  stallTimeoutMs: 0,
  requestTimeoutMs: 5000,
  isDraining: () => false,
};
