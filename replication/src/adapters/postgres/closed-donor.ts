/**
 * The fence between transfers and the close of their donor (P8): what a region held beyond the position at which it was
 * closed is nobody's. Whoever closes waits for every transaction that has read this, because it locks the table of
 * closed regions even where no row is found, and whoever reads it afterwards finds the row.
 */
import { ReplicationError } from '../../errors.ts';
import type { Answer, Session, Statement } from './session.ts';

/** First in a transaction that takes anything from the donor of a job; a row: nothing may be taken any more. */
export const selectClosedDonor: Statement = {
  name: 'isthmus_transfer_closed_donor',
  text: `SELECT FROM isthmus.retired WHERE region = (SELECT donor FROM isthmus.transfer WHERE id = $1) FOR SHARE`,
};

/** Rolls back and throws `peer-retired` where the donor was closed. */
export async function requireOpenDonor(session: Session, found: Answer | undefined): Promise<void> {
  if (found === undefined || found.rows.length === 0) return;
  await session.rollback();
  throw new ReplicationError('peer-retired', 'the donor was retired: nothing is taken from it any more', {
    retriable: false,
  });
}
