/**
 * What can testify for or against a database that was started anew, and whether anybody else is alive in its name (P1,
 * P9). Who testifies has to outlive a restore of the database: a log beside it, or the peers. A witness that does not
 * answer is `log-unavailable` (retriable), and nobody concludes anything from that.
 */
import type { OwnLog } from '../ports/own-log.ts';
import type { Verdict } from './own-log-proof.ts';

export interface Alarms {
  /** Somebody else is found to write in the region's name. */
  readonly onForeign: (reason: string) => Promise<void>;
  /** The region is known under a life that is not the database's and may be nobody's by now. */
  readonly onOtherLife: (reason: string) => Promise<void>;
}

export interface Evidence extends Pick<OwnLog, 'newestProgress'> {
  /** Goes on looking from now on. */
  start(alarms: Alarms): void;
  stop(): Promise<void>;
  /** Makes ready what is to be asked. */
  prepare(): Promise<void>;
  compare(): Promise<Verdict>;
  /** Whether nobody writes in our name for so long, from now on or after what was on its way. */
  isAlone(forMs: number): Promise<boolean>;
  /** The highest counter of an incarnation that is known beside the claims; 0: none. */
  highestCounter(): Promise<number>;
}
