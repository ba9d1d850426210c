/**
 * Watches what Postgres keeps for the relay, and raises its voice while there is still time: `at-risk` when half of
 * the limit is used up, `critical` when a quarter is left or the next checkpoint may take what is needed, `lost` when
 * the slot is gone. Without a limit it is the disk that ends first, and the amount alone is judged. It tells each
 * change of level once and changes nothing.
 */
import { ReplicationError } from '../errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { SlotHealth } from '../ports/slot-health.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';

const intervalMs = 5000;
const atRiskPart = 0.5;
const criticalPart = 0.25;
/** Without a limit. */
const muchBytes = 4 * 1024 ** 3;
const veryMuchBytes = 4 * muchBytes;

export const slotLevels = ['ok', 'at-risk', 'critical', 'lost'] as const;

export type SlotLevel = (typeof slotLevels)[number];

export function judgeSlot({ retainedBytes, walStatus, safeBytes, limitBytes }: SlotHealth): SlotLevel {
  if (walStatus === null || walStatus === 'lost' || retainedBytes === null) return 'lost';
  if (walStatus === 'unreserved') return 'critical';
  if (limitBytes === null || safeBytes === null)
    return retainedBytes > veryMuchBytes ? 'critical' : retainedBytes > muchBytes ? 'at-risk' : 'ok';
  if (safeBytes < criticalPart * limitBytes) return 'critical';
  return safeBytes < atRiskPart * limitBytes ? 'at-risk' : 'ok';
}

export interface SlotWatchOptions {
  /** Rejects with `ReplicationError`. */
  readonly read: () => Promise<SlotHealth>;
  readonly timer: Timer;
  readonly logger: Logger;
}

export class SlotWatch {
  readonly #options: SlotWatchOptions;
  readonly #ticker: Ticker;
  #level: SlotLevel = 'ok';

  constructor(options: SlotWatchOptions) {
    this.#options = options;
    this.#ticker = new Ticker({ timer: options.timer, intervalMs, run: () => this.#turn() });
  }

  start(): void {
    this.#ticker.start();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  async #turn(): Promise<void> {
    try {
      const health = await this.#options.read();
      const level = judgeSlot(health);
      if (level !== this.#level) this.#tell(level, health);
      this.#level = level;
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error;
      this.#options.logger.debug({ err: error }, 'the replication slot could not be looked at');
    }
  }

  #tell(level: SlotLevel, health: SlotHealth): void {
    const { logger } = this.#options;
    if (level === 'ok') logger.info({ ...health }, 'the replication slot is well again');
    else if (level === 'at-risk') logger.warn({ ...health, level }, 'Postgres keeps much for the relay');
    else logger.error({ ...health, level }, 'the replication slot is about to be lost, or is lost');
  }
}
